# quantize.sh MODEL.tflite...: each goes all the way: imported, quantized to 8, 4 and 2 bits on windows of random
# numbers, exported as C, ONNX and .tflite. A model without classes must be refused in a sentence. Prints a line for
# each.
for model in "$@"; do
    name=$(basename "$model" .tflite)
    if ! qc-import -q --real -o fp.qcm "$model" 2>words; then
        [ "$(wc -l <words)" = 1 ] && grep -q 'as an autoencoder does' words || { cat words >&2; exit 1; }
        echo "$name: refused, it has no classes"
        continue
    fi
    shape=$(qc-info fp.qcm | awk \
        '/channels:/ { c = $2 } /height:/ { h = $2 } /length:/ { l = $2 } /^classes:/ { print c, h, l, $2 }')
    # shellcheck disable=SC2086 # four numbers
    /usr/bin/python3 - $shape <<'EOF' || exit
import sys
import numpy as np
c, h, l, k = map(int, sys.argv[1:])
x = np.random.default_rng(3).normal(size=(8 * k if h * l > 2000 else 40, c, l) if h == 1 else (40, c, h, l))
np.savez("data.npz", x=x.astype("f4"), y=np.arange(len(x)) % k)
EOF
    qc-import -q -f npz -o data.qcd data.npz || exit
    for bits in 8 4 2; do
        qc-quantize -q --no-std --force -b $bits -d data.qcd --epochs 0 -o q.qcm fp.qcm >/dev/null &&
            qc-eval -q -d data.qcd q.qcm >/dev/null && qc-export -q -f c -o q.c q.qcm &&
            qc-export -q -f onnx -o q.onnx q.qcm && qc-export -q -f tflite -o q.tflite q.qcm || exit
    done
    echo "$name: 8, 4, 2 bits"
done
