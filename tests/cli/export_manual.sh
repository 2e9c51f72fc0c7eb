# The program and the commands in qc-firmware(7) work as they stand there.
for tool in arm-none-eabi-gcc qemu-system-arm; do
    command -v $tool >/dev/null || { echo "there is no $tool" >&2; exit 77; }
done
export OMP_NUM_THREADS=1
CC=${CC:-cc} lib=$TOP/lib
unset MAKEFLAGS MAKELEVEL # a CC= of the make that runs the tests is not the firmware's
qc-synth -q --subjects 1 --activities 3 --windows 8 --channels 3 --length 24 -o data.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d data.qcd -o fp.qcm && qc-coreset -q -n 6 -d data.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm fp.qcm >words || exit 1
qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -o f.qcm q.qcm \
    >words || exit 1
qc-export -f c -c core.qcd -B 16 -o net.c f.qcm 2>words || exit 1
cp f.qcm q2.qcm && mkdir -p share/qcore &&
    ln -s "$lib" "$TOP/share/examples" "$TOP/share/firmware" share/qcore || exit 1
head -c 2400 /dev/zero >frames.raw
"$TOP/tests/shown.sh" --any "$TOP/man/qc-firmware.7"
./demo | sed 's/like .*/like CLASS/; s/[0-9][0-9]*/N/g'
./demo >first
./demo | cmp - first && echo "and once more"

# Without a flip network the same program calibrates the last layer alone.
mkdir closed && qc-export -f c -c core.qcd -B 16 -o closed/net.c q.qcm 2>&1 | cut -d';' -f1
strict="$CC -std=c11 -O2 -Wall -Wextra -pedantic -Werror -ffp-contract=off -I $lib"
mkdir objects && (cd objects && $strict -c "$lib"/device/*.c "$lib/kernels/scalar.c") || exit 1
$strict -I closed -o demo_closed "$TOP/share/examples/learn.c" closed/net.c objects/*.o || exit 1
./demo_closed | sed 's/like .*/like CLASS/; s/[1-9][0-9]*/N/g'

# Without a coreset there are predictions only, and the rest is not even declared.
qc-export -f c -o plain.c f.qcm 2>&1 | cut -d';' -f1
grep -c 'plain_calibrate\|state' plain.h
cat >main.c <<'END'
#include "plain.h"
int main(void) {
    static uint8_t w[PLAIN_WINDOW];
    return plain_init() || plain_predict(0, w) >= PLAIN_CLASSES;
}
END
$strict -o plain main.c plain.c objects/*.o && ./plain && echo "predicts"
