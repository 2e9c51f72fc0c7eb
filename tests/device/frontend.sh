# frontend.sh - the front-end for sound makes the same features on the host, on a 32-bit ARM and on each Cortex-M core
# that qemu has a board for, from tables that the host made.
set -eu
. tests/device/cross
. share/firmware/boards.sh
here=tests/device/cortexm firmware=share/firmware wrong=0
flags='-std=c11 -O2 -ffp-contract=off -Wall -Wextra -Werror'
"$BUILD/tests/pack_fronts" >"$work/fronts.h"

sounds() { ${CC:-gcc} $flags "$@" -I lib -I "$work" -o "$work/sounds" $here/sounds.c lib/device/frontend.c; }
sounds
"$work/sounds" >"$work/expected"
[ "$(sort -u -k 3 "$work/expected" | wc -l)" -ge 15 ] || { echo "the features do not depend on the sound"; wrong=1; }

same() { # same NAME: as on the host
    cmp -s "$work/expected" "$work/$1.out" || { echo "$1:"; diff "$work/expected" "$work/$1.out" | head -4; wrong=1; }
}

if have arm-linux-gnueabihf-gcc && have qemu-arm-static; then
    CC=arm-linux-gnueabihf-gcc sounds -static
    qemu-arm-static "$work/sounds" >"$work/arm.out"
    same arm
else skipped "there is no arm-linux-gnueabihf-gcc or qemu-arm-static"; fi

for tool in arm-none-eabi-gcc qemu-system-arm; do have $tool || { skipped "there is no $tool"; exit 77; }; done
for core in $cores; do
    choose_core $core
    arm-none-eabi-gcc -mthumb $flags $cpu $places -DBARE -ffreestanding -nostdlib -nostartfiles \
        -fno-tree-loop-distribute-patterns -ffunction-sections -Wl,--gc-sections -T $firmware/cortex-m.ld -I lib \
        -I $firmware -I "$work" -o "$work/$core.elf" $here/sounds.c lib/device/frontend.c $firmware/board.c \
        $firmware/mem.c -lgcc
    timeout 300 qemu-system-arm -machine $machine -display none -monitor none -serial none -kernel "$work/$core.elf" \
        -chardev "file,id=words,path=$work/$core.out" \
        -semihosting-config enable=on,target=native,chardev=words </dev/null >"$work/words" 2>&1 ||
        { cat "$work/words"; wrong=1; }
    same $core
done
exit $wrong
