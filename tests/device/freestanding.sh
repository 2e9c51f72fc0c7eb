# freestanding.sh - the device's library compiles without a C library, warnings as errors, for every processor that
# there is a compiler for, and asks its surroundings for memcpy, memmove and memset alone. What a processor has no
# instruction for, compilers call from their own libgcc: on 32 bits, shifts, products and divisions of 64 bits and what
# turns them into floats; without a divider, division; without float registers, all of float arithmetic. Those are let
# pass there, and no others: no double anywhere.
set -eu
. tests/device/cross
wrong=0

wide='__aeabi_(ldivmod|uldivmod|lmul|llsl|llsr|lasr|lcmp|ulcmp|l2f|ul2f|f2lz|f2ulz)'
divide='__aeabi_(idiv|uidiv|idivmod|uidivmod)'
single='__aeabi_(fadd|fsub|frsub|fmul|fdiv|fcmp[a-z]+|cfcmp[a-z]+|f2iz|f2uiz|i2f|ui2f)'

target() { # target NAME ROUTINES COMPILER: ROUTINES of the compiler's own may be missing
    name=$1 routines=$2 compiler=$3 place=$work/$1
    have "${compiler%% *}" || { skipped "$name: there is no ${compiler%% *}"; return; }
    alone make -s --no-print-directory freestanding CC="$compiler" BUILD="$place" OPT=-O2 CI=1 ||
        { echo "$name does not compile"; wrong=1; return; }
    $compiler -nostdlib -r -o "$place/whole.o" -Wl,--whole-archive "$place/libqcore.a" -Wl,--no-whole-archive
    asked=$("${NM:-nm}" -u "$place/whole.o" | awk '{ print $2 }' |
        grep -Evx "memcpy|memmove|memset|_GLOBAL_OFFSET_TABLE_|$routines" || true)
    [ -z "$asked" ] || { echo "$name asks for what a bare machine does not have:" $asked; wrong=1; }
    "${NM:-nm}" "$place/whole.o" | grep -q ' T qc_learner_adapt$' || { echo "$name: nothing was looked at"; wrong=1; }
}

none='\(none\)'
[ "$(uname -m)" = x86_64 ] && this=x86-64 || this=$(uname -m)
target "$this" "$none" "${CC:-gcc}"
target aarch64 "$none" aarch64-linux-gnu-gcc
target armv7 "$wide|$divide" arm-linux-gnueabihf-gcc
target cortex-m4f "$wide" 'arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16'
target cortex-m7 "$wide" 'arm-none-eabi-gcc -mthumb -mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16'
target cortex-m33 "$wide" 'arm-none-eabi-gcc -mthumb -mcpu=cortex-m33 -mfloat-abi=hard -mfpu=fpv5-sp-d16'
target cortex-m55 "$wide" 'arm-none-eabi-gcc -mthumb -mcpu=cortex-m55 -mfloat-abi=hard'
target cortex-m0plus "$wide|$single|$divide" 'arm-none-eabi-gcc -mthumb -mcpu=cortex-m0plus -mfloat-abi=soft'
target cortex-m3 "$wide|$single" 'arm-none-eabi-gcc -mthumb -mcpu=cortex-m3 -mfloat-abi=soft'
exit $wrong
