# vnni.sh - tests/unit/test_kernels.c and test_kernelconvs.c on a machine with AVX-512 VNNI, which few workstations have
# and QEMU lacks. Bochs emulates it, slowly, so only the kernels of avx512vnni.c run. The machine has no operating
# system: a boot sector, a page of C library, and the test.
set -eu
. tests/device/cross
[ -n "${QC_SLOW-}" ] || { skipped 'bochs takes minutes; QC_SLOW=1 tests/run device/vnni runs it'; exit 77; }
[ "$(uname -m)" = x86_64 ] || { skipped 'not on x86-64'; exit 77; }
have bochs || { skipped 'there is no bochs'; exit 77; }
here=tests/device/bochs cc=gcc
have $cc || { skipped 'there is no gcc'; exit 77; }

for_bare bare-$cc $cc
build() { $cc -std=c11 -O2 -fno-pic -fno-builtin -fno-stack-protector -ffp-contract=off -U_FORTIFY_SOURCE \
    -D_GNU_SOURCE "$@"; }
build -c -o "$work/bare.o" $here/bare.c
build -c -o "$work/dispatch.o" lib/kernels/dispatch.c
$cc -c -o "$work/boot.o" $here/boot.S

passes() { # passes TEST "NAME", "NAME"...: checks of tests/unit/TEST.c
    build -Itests/device/plain -DQC_PLAIN_BARE="$2" -Dmain=test_main -c -o "$work/test.o" "tests/unit/$1.c"
    $cc -nostdlib -static -no-pie -Wl,--build-id=none,-z,norelro -T $here/bare.ld -o "$work/whole" "$work"/*.o \
        "build/bare-$cc/libqcore.a" -lgcc 2>"$work/ld.log" || { cat "$work/ld.log"; exit 1; }
    objcopy -O binary -j .boot "$work/whole" "$work/boot.bin"
    objcopy -O binary -j .program "$work/whole" "$work/program.bin"
    cat "$work/boot.bin" "$work/program.bin" >"$work/disk"
    truncate -s $((16 * 16 * 63 * 512)) "$work/disk"
    echo c | timeout 1800 bochs -q -f "$work/bochsrc" >"$work/out" 2>&1 || true
    grep -q '^scalar avx2 avx512vnni' "$work/out" && grep -q '^[1-9][0-9]* tests of kernels passed' "$work/out" &&
        grep -q '^exit 0' "$work/out" && return
    echo "$1:"
    tail -5 "$work/out"
    tail -5 "$work/log"
    exit 1
}

cat >"$work/bochsrc" <<END
cpu: model=tigerlake, count=1, ips=100000000, reset_on_triple_fault=0
megs: 128
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, mode=flat, path=$work/disk, cylinders=16, heads=16, spt=63
boot: disk
display_library: rfb, options="timeout=0"
port_e9_hack: enabled=1
log: $work/log
panic: action=fatal
error: action=report
info: action=ignore
sound: driver=dummy
END
kernels='"dot_equals_scalar", "depthwise_sum_equals_scalar", "rescale_equals_scalar", "masked_sum_equals_scalar",'
passes test_kernels "$kernels "'"float_loops_equal_scalar"'
passes test_kernelconvs '"conv_equals_scalar"'
