#!/usr/bin/env bash
# Compiles the kernels for 64-bit Arm and runs them in an emulator against plain loops, on a machine
# of another kind. Needs clang (Swift's toolchain has it) and, on Debian,
#     apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
# `Scripts/test-neon.sh native` runs this machine's own kernels instead, to try the tests
# themselves; it needs clang alone.
set -euo pipefail
cd "$(dirname "$0")/.."
sources=(Sources/CKernels/*.c Scripts/test-neon/*.c)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ ${1:-} == native ]]; then
  clang -O2 -ISources/CKernels/include "${sources[@]}" -lm -lpthread -o "$work/kernels"
  "$work/kernels"
  exit
fi
for tool in clang aarch64-linux-gnu-gcc qemu-aarch64; do
  if ! command -v "$tool" > /dev/null; then
    echo "There is no $tool here; see the top of this script for what it needs." >&2
    exit 1
  fi
done
for source in "${sources[@]}"; do
  clang --target=aarch64-linux-gnu -O2 -ISources/CKernels/include \
    -isystem /usr/aarch64-linux-gnu/include -c "$source" -o "$work/$(basename "$source" .c)-arm.o"
done
aarch64-linux-gnu-gcc -static "$work"/*-arm.o -lm -lpthread -o "$work/kernels-arm"
qemu-aarch64 "$work/kernels-arm"
