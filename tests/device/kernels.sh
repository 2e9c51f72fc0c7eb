# kernels.sh - tests/unit/test_kernels.c and test_kernelconvs.c on the processors that QEMU emulates: every set of
# kernels equals the scalar kernels byte for byte.
set -eu
. tests/device/cross
wrong=0

cat >"$work/names.c" <<'END'
#include <stdio.h>
#include "lib/kernels/kernels.h"
int main(void)
{
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) printf("%s ", (*k)->name);
}
END

sets() { # sets NAMES CC RUNNER...: NAMES are all the sets that this processor has
    names=$1 cc=$2
    shift 2
    have "$cc" && have "$1" || { skipped "$names: there is no $cc or no $1"; return 1; }
    for_device "$cc"
    [ -f "$work/$cc.names" ] || "$cc" -std=c11 -static -I. -o "$work/$cc.names" "$work/names.c" "$device/libqcore.a"
    there=$("$@" "$work/$cc.names" 2>"$work/words" | sed 's/ $//')
    [ "$there" = "$names" ] || { echo "$*: the sets are $there, not $names"; wrong=1; }
}

compared() { # compared NAMES CC RUNNER...: and each against scalar
    sets "$@" || return 0
    shift 2
    for test in kernels kernelconvs; do
        "$cc" -std=c11 -D_GNU_SOURCE -O2 -ffp-contract=off -static -Itests/device/plain -o "$work/$cc.$test" \
            tests/unit/test_$test.c "$device/libqcore.a" -lm
        "$@" "$work/$cc.$test" >"$work/words" 2>&1 &&
            grep -q '^[1-9][0-9]* tests of kernels passed' "$work/words" ||
            { echo "$* test_$test:"; cat "$work/words"; wrong=1; }
    done
}

compared 'scalar neon neondot' aarch64-linux-gnu-gcc qemu-aarch64-static -cpu max
sets 'scalar neon' aarch64-linux-gnu-gcc qemu-aarch64-static -cpu cortex-a53 || true
compared 'scalar neon' arm-linux-gnueabihf-gcc qemu-arm-static -cpu cortex-a15
if [ "$(uname -m)" = x86_64 ]; then
    sets scalar "${CC:-gcc}" qemu-x86_64-static -cpu Conroe || true
    sets 'scalar avx2' "${CC:-gcc}" qemu-x86_64-static -cpu Haswell || true
fi
exit $wrong
