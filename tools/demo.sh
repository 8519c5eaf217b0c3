#!/usr/bin/env bash
# npm run demo: sets everything up, then compiles and runs the example model.
set -eu
cd "$(dirname "$0")/.."
bash tools/setup.sh
exec node dist/examples/digits/demo.js
