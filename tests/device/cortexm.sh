# cortexm.sh - tests/unit/test_kernels.c and test_kernelconvs.c on the Cortex-M cores that QEMU has boards for. The
# kernel table that each core's compiler flags choose equals the scalar table byte for byte. Each forward pass of the
# bench's layers equals the host's.
set -eu
. tests/device/cross
. share/firmware/boards.sh
for tool in arm-none-eabi-gcc qemu-system-arm; do have $tool || { skipped "there is no $tool"; exit 77; }; done
firmware=share/firmware here=tests/device/cortexm wrong=0
flags='-mthumb -std=c11 -O2 -ffreestanding -ffp-contract=off -ffunction-sections -fdata-sections -Wall -Wextra -Werror'
kernels='"rescale_equals_scalar", "rescaling_rounds_half_up", "add_equals_scalar", "masked_sum_equals_scalar",'
kernels="$kernels "'"maximum_equals_scalar", "depthwise_sum_equals_scalar", "moments_equal_formula"'
convs='"conv_equals_scalar", "depthwise_conv_equals_scalar", "linear_equals_scalar"'

# run_elf NAME: what the core prints, into NAME.out
run_elf() {
    timeout 900 qemu-system-arm -machine $machine -display none -monitor none -serial none -kernel "$work/$1.elf" \
        -chardev "file,id=words,path=$work/$1.out" \
        -semihosting-config enable=on,target=native,chardev=words </dev/null >"$work/words" 2>&1
}

link_elf() { # link_elf NAME ARGUMENTS...
    name=$1
    shift
    arm-none-eabi-gcc $flags $cpu $places -nostdlib -nostartfiles -Wl,--gc-sections -T $firmware/cortex-m.ld -I lib -I \
        $firmware -o "$work/$name.elf" "$@" "$work/$core"/*.o build/bare-$core/libqcore.a -lgcc
}

for_bare "bare-${CC:-gcc}" "${CC:-gcc}"
${CC:-gcc} -std=c11 -O2 -ffp-contract=off -I lib -I tests/bench/cortexm -o "$work/layers" tests/bench/cortexm/layers.c \
    "build/bare-${CC:-gcc}/libqcore.a"
"$work/layers" >"$work/expected"

cat >"$work/guard.c" <<'GUARD'
#include <check.h>
#include "edges.h"
int main(void)
{
    volatile uint8_t *some = edge(7, 8);
    for (int slot = 0; slot < 7; slot++) some[slot] = *(volatile uint8_t *)edge(slot, 100000);
    printf("inside %d", some[7] = 1);
    printf(" outside %d", some[8]);
    return 0;
}
GUARD

for core in $cores; do
    choose_core $core
    mkdir "$work/$core"
    for_bare bare-$core "arm-none-eabi-gcc -mthumb $cpu"
    arm-none-eabi-gcc $flags $cpu -I lib -I $firmware -c -o "$work/$core/board.o" $firmware/board.c
    arm-none-eabi-gcc $flags $cpu -fno-tree-loop-distribute-patterns -I lib -c -o "$work/$core/mem.o" $firmware/mem.c
    arm-none-eabi-gcc $flags $cpu $places -fno-builtin -I $here -I lib -I $firmware -c -o "$work/libc.o" $here/libc.c
    link_elf $core.guard -fno-builtin -Wno-unused -DQC_PLAIN_BARE='""' -I $here -I tests/device/plain -I tests/unit \
        "$work/guard.c" "$work/libc.o"
    run_elf $core.guard || true
    [ "$(cat "$work/$core.guard.out")" = 'inside 1a fault of the processor' ] ||
        { echo "$core: what lies after an array can be read:"; cat "$work/$core.guard.out"; wrong=1; }
    for test in kernels kernelconvs; do
        [ $test = kernels ] && wanted=$kernels || wanted=$convs
        [ $table = qc_kernels_scalar ] && [ $test = kernels ] && continue # scalar against itself
        link_elf $core.$test -fno-builtin -Wno-unused -DQC_PLAIN_BARE="$wanted" -I $here -I tests/device/plain \
            tests/unit/test_$test.c "$work/libc.o"
        run_elf $core.$test && grep -q '^[1-9][0-9]* tests of kernels passed' "$work/$core.$test.out" ||
            { echo "$core test_$test:"; tail -n 5 "$work/$core.$test.out"; cat "$work/words"; wrong=1; }
    done
    link_elf $core.layers -DKERNELS=QC_KERNELS_CORTEXM -I tests/bench/cortexm tests/bench/cortexm/layers.c
    run_elf $core.layers && cmp -s "$work/expected" "$work/$core.layers.out" ||
        { echo "$core: layers differ from the host's"; diff "$work/expected" "$work/$core.layers.out" |
        head -5; wrong=1; }
done
exit $wrong
