# freestanding.sh - the device's library compiles without a C library, warnings as errors, with every compiler that is
# installed. It calls only memcpy, memmove and memset. Compilers call libgcc for instructions that a processor lacks. On
# 32 bits these are shifts, products and divisions of 64 bits and their conversion to float. Without a divider it is
# division; without float registers, float arithmetic. The test allows these functions and no others: no double
# anywhere.
set -eu
. tests/device/cross
. share/firmware/boards.sh
wrong=0

wide='__aeabi_(ldivmod|uldivmod|lmul|llsl|llsr|lasr|lcmp|ulcmp|l2f|ul2f|f2lz|f2ulz)'
divide='__aeabi_(idiv|uidiv|idivmod|uidivmod)'
single='__aeabi_(fadd|fsub|frsub|fmul|fdiv|fcmp[a-z]+|cfcmp[a-z]+|f2iz|f2uiz|i2f|ui2f)'

target() { # target NAME ROUTINES COMPILER: ROUTINES of the compiler's own may be missing
    name=$1 routines=$2 compiler=$3 whole=$work/$1.o
    have "${compiler%% *}" || { skipped "$name: there is no ${compiler%% *}"; return; }
    for_bare "bare-$name" "$compiler" || { wrong=1; return; }
    $compiler -nostdlib -r -o "$whole" -Wl,--whole-archive "build/bare-$name/libqcore.a" -Wl,--no-whole-archive
    asked=$("${NM:-nm}" -u "$whole" | awk '{ print $2 }' |
        grep -Evx "memcpy|memmove|memset|_GLOBAL_OFFSET_TABLE_|$routines" || true)
    [ -z "$asked" ] || { echo "$name asks for what a bare machine does not have:" $asked; wrong=1; }
    "${NM:-nm}" "$whole" | grep -q ' T qc_learner_adapt$' || { echo "$name: nothing was looked at"; wrong=1; }
}

none='\(none\)'
target "${CC:-gcc}" "$none" "${CC:-gcc}"
target aarch64 "$none" aarch64-linux-gnu-gcc
target armv7 "$wide|$divide" arm-linux-gnueabihf-gcc
for core in $cores; do
    choose_core $core
    case $core in
    m0plus) routines="$wide|$single|$divide" ;;
    m3) routines="$wide|$single" ;;
    *) routines=$wide ;;
    esac
    target $core "$routines" "arm-none-eabi-gcc -mthumb $cpu"
done
exit $wrong
