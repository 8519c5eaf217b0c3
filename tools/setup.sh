#!/usr/bin/env bash
# What the demo and the tests share: dependencies, generated sources, build, and the toolchain where it can be had.
set -eu
cd "$(dirname "$0")/.."

command -v node >/dev/null || { echo "Rivulet needs Node.js 20.9 or later" >&2; exit 1; }
node -e '
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 9)) {
  console.error(`Rivulet needs Node.js 20.9 or later, this is ${process.versions.node}`);
  process.exit(1);
}'

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "installing dependencies (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
else
  npm run --silent build
fi
bash tools/install-toolchain.sh --quiet
