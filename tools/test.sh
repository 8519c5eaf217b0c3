#!/usr/bin/env bash
# npm test: sets everything up, then types, lint, architecture and all tests. Arguments go to vitest.
set -eu
cd "$(dirname "$0")/.."
bash tools/setup.sh
npm run --silent check
mkdir -p build
exec npx vitest run --reporter=default --reporter=json --outputFile=build/test-results.json "$@"
