#!/usr/bin/env bash
# Installs the compilers and emulators that building and running emitted firmware takes, and the Redis that work on many
# machines goes by: npm run toolchain [-- --quiet]
# Does nothing where all of them are there, and never fails: everything but those builds and runs works without them.
set -u

quiet=false
[ "${1:-}" = "--quiet" ] && quiet=true
say() { $quiet || echo "$@"; }

# Package, and a command that succeeds if it is there.
missing_packages() {
  while read -r package check; do
    eval "$check" >/dev/null 2>&1 </dev/null || echo "$package"
  done <<'LIST'
gcc command -v gcc && command -v cc
clang command -v clang
cppcheck command -v cppcheck
gcc-arm-none-eabi command -v arm-none-eabi-gcc
libnewlib-arm-none-eabi echo '#include <string.h>' | arm-none-eabi-gcc -E -
qemu-system-arm command -v qemu-system-arm
gcc-riscv64-unknown-elf command -v riscv64-unknown-elf-gcc
picolibc-riscv64-unknown-elf echo '#include <string.h>' | riscv64-unknown-elf-gcc --specs=picolibc.specs -E -
qemu-system-misc command -v qemu-system-riscv32
redis-server command -v redis-server
LIST
}

# As root or with a sudo that asks for no password; otherwise there is nothing to try.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install() {
  local options=(-y -q --no-install-recommends)
  command -v apt-get >/dev/null && as_root true 2>/dev/null || return 1
  export DEBIAN_FRONTEND=noninteractive
  # The package lists may be recent enough; fetching them anew is the slow part.
  as_root apt-get install "${options[@]}" "$@" >/dev/null 2>&1 && return
  as_root apt-get update -q >/dev/null 2>&1
  as_root apt-get install "${options[@]}" "$@" >/dev/null 2>&1
}

mapfile -t missing < <(missing_packages)
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  # One by one if together fails: a package that this system does not have must not keep the others away.
  install "${missing[@]}" || for package in "${missing[@]}"; do install "$package"; done
  mapfile -t missing < <(missing_packages)
fi

if [ ${#missing[@]} -eq 0 ]; then
  say "the toolchain is complete"
else
  echo "not installed: ${missing[*]} (Debian and Ubuntu package names)"
  echo "Compiling models works without them; building and running firmware for those cores, or tests of workers, are skipped."
fi
exit 0
