#!/bin/sh
# freestanding.sh - the device's library compiles without a C library and asks its surroundings for memcpy, memmove and memset alone.
# Run from the top of the tree; CC names the compiler.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for source in lib/kernels/scalar.c lib/device/*.c; do
    "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -ffp-contract=off -c -o "$work/$(basename "$source" .c).o" "$source"
done
"${CC:-cc}" -nostdlib -r -o "$work/device.all" "$work"/*.o
if nm -u "$work/device.all" | grep -Ev '\b(memcpy|memmove|memset|_GLOBAL_OFFSET_TABLE_)$'; then
    echo "freestanding: the device library needs the symbols above, which a bare machine does not have" >&2
    exit 1
fi
