# mlperf.sh - takes the networks of MLPerf Tiny (share/arch, cortexm/autoencoder.yaml) from training to Cortex-M. Each
# network is trained on random images, exported as ONNX, imported, quantized and exported as C. It predicts on Cortex-M
# cores under QEMU, and every byte must equal the byte on the host.
#   CORES='m4 m55'   only these cores
#   NETS='ds-cnn'    only these networks
#   BITS='8 2'       only these bits
# Prints TSV: network, bits, core, instructions per window, bytes of flash (codes, scales, plan) and RAM, without code
# and stack. Then lines `bar NAME VALUE <= BAR ok`: flash at 8 bits divided by the size of the published .tflite.
set -eu
. tests/bench/cortexm/count.sh

# network NAME ARCH HEIGHT WIDTH CHANNELS CLASSES: makes NAME.qcm, imported from ONNX, and its coreset NAME.core.qcd
network() {
    /usr/bin/python3 - "$@" <<'END'
import sys
import numpy as np
height, width, channels, classes = (int(a) for a in sys.argv[3:])
rng = np.random.default_rng(1)
y = np.arange(2 * classes) % classes
x = rng.normal(0, 1, (len(y), channels, height, width)).astype('f4') + y[:, None, None, None] / classes
np.savez('data.npz', x=x, y=y)
END
    qc-import -q -f npz -o data.qcd data.npz
    qc-train -q --threads 1 --epochs 1 -a "$2" -d data.qcd -o float.qcm
    qc-coreset -q -n "$6" -d data.qcd -o "$1.core.qcd"
    qc-export -q -f onnx -o net.onnx float.qcm
    qc-import -q -f onnx -o "$1.qcm" net.onnx 2>words
}

: >all
for net in ${NETS:-ds-cnn resnet8 mobilenet autoencoder}; do
    case $net in
    ds-cnn) network $net $net 49 10 1 12 ;;
    resnet8) network $net $net 32 32 3 10 ;;
    mobilenet) network $net $net 96 96 3 2 ;;
    autoencoder) network $net "$here/autoencoder.yaml" 5 128 1 8 ;;
    *) echo "mlperf.sh: there is no network '$net'" >&2; exit 2 ;;
    esac
    for bits in ${BITS:-8 4 2}; do
        to=$net.$bits
        mkdir "$to"
        qc-quantize --force -q -b $bits --epochs 0 --threads 1 -c $net.core.qcd -o q.qcm $net.qcm >words
        qc-export -f c -o "$to/model.c" q.qcm 2>said
        sed -n 's/.*flash \([0-9]*\) bytes, RAM \([0-9]*\) bytes.*/\1\t\2/p' said >"$to/size"
        host_program "$to" "$here/network.c" "$to/model.c"
        for core in ${CORES:-m4 m55}; do
            choose_core "$core"
            on_core "$to" "$here/network.c" "$to/model.c"
            printf '%s\t%s\t%s\t%s\t%s\n' $net $bits $core \
                "$(awk -F'\t' '$1 == "predict" { print $3 }' counted)" "$(cat "$to/size")" | tee -a all
        done
    done
done

awk -F'\t' '
BEGIN { published["ds-cnn"] = 53936; published["resnet8"] = 98496; published["mobilenet"] = 333288 }
$2 == 8 && $1 in published && !seen[$1]++ {
    part = $5 / published[$1]
    printf "bar %s-flash/tflite %.3f <= 1.00 %s\n", $1, part, part <= 1 ? "ok" : "MISSED"
}' all
