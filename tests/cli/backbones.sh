# Every shipped architecture goes the whole way; deep ones are narrowed. It trains, quantizes, gets a flip network,
# calibrates on drifted data, and is exported as C and as ONNX. The logits of the C equal qc-eval's bit for bit; the
# ONNX, read back, gives the float model's logits. All architectures read series; those that can also read small
# pictures (of those that read both, all but resnet18 only with QC_SLOW=1).
export OMP_NUM_THREADS=1 PYTHONPATH="$TOP/tests/foreign"
CC=${CC:-cc}
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo 'python3-numpy is missing' >&2; exit 77; }
qc-synth -q --subjects 2 --activities 3 --channels 3 --length 64 --windows 12 --drift 5 --seed 2 -o people.qcd &&
    qc-split -q -g p1 -o series.qcd people.qcd &&
    qc-split -q -g p2 -o series-drifted.qcd people.qcd || exit
/usr/bin/python3 - <<'END' || exit
import os, struct, zlib
import numpy as np

rng = np.random.default_rng(1)
at = np.arange(32)
def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
sets = (('pictures', 40, np.array([130, 130, 130]), 4), ('pictures-drifted', 160, np.array([-110, -60, -90]), 7))
for name, ground, light, wide in sets:
    for kind in range(3): # stripes across, stripes down, a chequerboard, each somewhere else
        os.makedirs(f'{name}/{kind}')
        for k in range(12):
            y, x = (at + rng.integers(2 * wide)) // wide % 2, (at + rng.integers(2 * wide)) // wide % 2
            on = (y[:, None] + 0 * x, 0 * y[:, None] + x, (y[:, None] + x) % 2)[kind][..., None]
            pixels = np.clip(ground + on * light + rng.normal(0, 12, (32, 32, 3)), 0, 255).astype('u1')
            rows = b''.join(b'\0' + row.tobytes() for row in pixels)
            header = chunk(b'IHDR', struct.pack('>IIBBBBB', 32, 32, 8, 2, 0, 0, 0))
            body = chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
            open(f'{name}/{kind}/{k:02}.png', 'wb').write(b'\x89PNG\r\n\x1a\n' + header + body)
END
for set in pictures pictures-drifted; do qc-import -q -f images --size 32 -o $set.qcd $set || exit; done
for set in series pictures; do # what a firmware would be given: step after step, as floats
    qc-coreset -q -n 6 -d $set.qcd -o $set.core || exit
    qc-export -q -f npz -o test.npz $set-drifted.qcd && qc-import -q -f npz -o $set-test.qcd test.npz || exit
    /usr/bin/python3 -c "
from foreign import qcd_values
import sys
values = 3 * int(sys.argv[2])
qcd_values(sys.argv[1], 36 * values).reshape(36, 3, -1)[::9].transpose(0, 2, 1).astype('<f4').tofile(sys.argv[3])" \
    $set-drifted.qcd $([ $set = series ] && echo 64 || echo 1024) $set.raw || exit
done
cat >main.c <<'END'
#include <stdio.h>
#include "net.h"
int main(void)
{
    static float x[NET_STEPS * NET_CHANNELS], logits[NET_CLASSES];
    static uint8_t window[NET_WINDOW];
    if (net_init()) return 1;
    while (fread(x, sizeof x, 1, stdin) == 1) {
        net_quantize(window, x, NET_STEPS);
        net_predict(logits, window);
        fwrite(logits, sizeof logits, 1, stdout);
    }
    return 0;
}
END
mkdir device && (cd device && $CC -std=c11 -O2 -ffp-contract=off -I "$TOP/lib" -c "$TOP"/lib/device/*.c \
    "$TOP/lib/kernels/scalar.c") || exit

accuracy() { qc-eval -q --json -d "$1" "$2" | sed 's/.*"accuracy": \([0-9.]*\).*/\1/'; }
least() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a >= b) }' && return
    echo "$name on $set at $at bits: $1: $2 is below $3"
    return 1; }
same() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a - b < 1e-5 && b - a < 1e-5) }' ||
    echo "$name on $set at $at bits: $1 is not $2"; }
worst_of() { # worst_of A.npy B.npy: they agree to 1e-4 of the largest
    /usr/bin/python3 -c "
import numpy as np, sys
a, b = (np.load(f) for f in sys.argv[1:])
sys.exit(not np.abs(a - b).max() <= 1e-4 * np.abs(a).max())" "$@"
}
go() { # go NAME WIDTH SET BITS
    name=$1 set=$3 at=$4
    qc-train -q --threads 1 --epochs $epochs -B $batch -a "$name" --width "$2" -d $set.qcd -o fp.qcm || return
    least 'float' "$(accuracy $set.qcd fp.qcm)" .9 || return
    qc-quantize -q -b $at --epochs 6 -B 12 --threads 1 -c $set.core -d $set.qcd -o q.qcm fp.qcm >words || return
    least 'quantized' "$(accuracy $set.qcd q.qcm)" .6 || return
    qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 4 --steps 20 --threads 1 -c $set.core \
        -d $set.qcd -o f.qcm q.qcm >words || return
    qc-calibrate -q -c $set.core -s $set-drifted.qcd --batches 3 -t $set-test.qcd --json -o n.qcm f.qcm >runlog ||
        return
    after=$(accuracy $set-drifted.qcd n.qcm) before=$(accuracy $set-drifted.qcd q.qcm)
    least 'calibrated' "$after" .7 || return
    least 'what calibration gains' "$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')" .2 || return
    same 4 "$(wc -l <runlog)" && same "$(sed -n '3s/.*"test": .\([0-9.]*\).*/\1/p' runlog)" "$after" || return

    qc-export -q -f c -c $set.core -o net.c n.qcm &&
        $CC -std=c11 -O1 -ffp-contract=off -I "$TOP/lib" -o net main.c net.c device/*.o &&
        ./net <$set.raw >c.logits || return
    qc-eval -q -d $set-drifted.qcd --logits all.npy n.qcm >words || return
    /usr/bin/python3 -c "import numpy; numpy.load('all.npy')[::9].tofile('our.logits')" && cmp c.logits our.logits ||
        return
    qc-export -q -f onnx -o net.onnx fp.qcm && qc-import -q -f onnx -o back.qcm net.onnx || return
    qc-eval -q -d $set.qcd --logits float.npy fp.qcm >words &&
        qc-eval -q -d $set.qcd --logits back.npy back.qcm >words && worst_of float.npy back.npy || return
    qc-export -q -f onnx -o net.onnx n.qcm || return
    if [ "$runtime" ]; then /usr/bin/python3 "$TOP/tests/onnx/compare.py" $set-drifted.qcd net.onnx all.npy "$name" \
        >words 2>&1 && grep -q ' 36 windows, [01] other' words || { cat words; return; }; fi
    gone=$((gone + 1))
}
runtime=
command -v node >/dev/null && [ -d "$TOP/tests/onnx/node_modules/onnxruntime-node" ] && runtime=yes
bits=4 gone=0 tried=0
for file in "$TOP"/share/arch/*.yaml; do
    name=$(basename "$file" .yaml) sets=series epochs=15 batch=6 own=
    case $name in
    vgg16 | resnet18*) width=.125 sets='series pictures' ;;
    ds-cnn | resnet8) width=.25 sets=pictures own=4 ;;
    # its last layers see one position; 2 bits are too few for its thin layers
    mobilenet) width=.25 sets=pictures epochs=40 batch=12 own=8 ;;
    fcn) width=.25 sets='series pictures' ;;
    mlp) width=1 ;;
    inceptiontime-16x3) width=.5 ;;
    *) width=.25 ;;
    esac
    for set in $sets; do
        case ${QC_SLOW-},$set,$name in ,pictures,vgg16 | ,pictures,fcn | ,pictures,resnet18-*) continue ;; esac
        [ $own ] || case $bits in 2) bits=4 ;; 4) bits=8 ;; 8) bits=2 ;; esac
        # the sanitizers take long
        case $BUILD,$name in *san*,omniscale | *san*,resnet18-small | *san*,vgg16) ;; *san*) continue ;; esac
        tried=$((tried + 1))
        go "$name" $width $set ${own:-$bits} || break 2 # the first that fails is enough
    done
done
[ $tried -ge 5 ] && [ $gone -eq $tried ] && echo 'all of them' || echo "$gone of $tried"
