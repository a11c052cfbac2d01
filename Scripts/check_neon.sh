#!/usr/bin/env bash
# The kernels of 64-bit Arm on any machine, under qemu: all tables of a processor with dot products, then those of one without.
#   Scripts/check_neon.sh       (Debian: qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross; about a minute)
set -euo pipefail
cd "$(dirname "$0")/.."
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
ARM=/usr/aarch64-linux-gnu GCC=$(ls -d /usr/lib/gcc-cross/aarch64-linux-gnu/* | tail -1)
clang --target=aarch64-linux-gnu -O2 -std=gnu17 -static -fuse-ld=lld -ISources/CMartletKernels/include -I$ARM/include \
  -B$ARM/lib -L$ARM/lib -B"$GCC" -L"$GCC" Scripts/check_tables.c Sources/CMartletKernels/*.c -lm -lpthread -o "$WORK/check"
qemu-aarch64 -cpu max "$WORK/check"
qemu-aarch64 -cpu cortex-a72 "$WORK/check"
