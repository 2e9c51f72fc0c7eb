# ONNX Runtime gives every window of a real test set the same class as qc-eval, for all bit widths. The model is of one
# person of UCI-DSA, the windows are of another.
model=$QC_DATA/onnx/inceptiontime-nf16-d3-dsa-p1.onnx norm=$QC_DATA/onnx/dsa-p1-norm.npz people=$QC_DATA/dsa/p2.tar.zst
[ -f "$model" ] && [ -f "$people" ] || { echo "$QC_DATA has no dsa and onnx" >&2; exit 77; }
command -v node >/dev/null && [ -d "$TOP/tests/onnx/node_modules/onnxruntime-node" ] ||
    { echo 'onnxruntime-node is missing (share/setup/install.sh --test)' >&2; exit 77; }
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo 'python3-numpy is missing' >&2; exit 77; }
mkdir tree && zstd -dc "$people" | tar -x -C tree || exit
for a in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19; do echo "a$a"; done >labels
of() { /usr/bin/python3 -c "import numpy, sys; print(','.join('%.9g' % v for v in numpy.load(sys.argv[1])['$1']))" \
    "$norm"; }
qc-import -q -f dsa -o all.qcd tree && qc-split -q -t 0.2 --by block -o some.qcd -O test.qcd all.qcd &&
    qc-coreset -q -n 190 -d some.qcd -o core.qcd || exit
qc-import -q --labels labels --mean "$(of mean)" --std "$(of std)" -o fp.qcm "$model" || exit
same() { # same MODEL.qcm OPTION... : words
    qc-export -q -f onnx $2 -o net.onnx "$1" &&
        qc-eval -q --threads 1 -d test.qcd --logits logits.npy "$1" >/dev/null &&
        /usr/bin/python3 "$TOP/tests/onnx/compare.py" test.qcd net.onnx logits.npy "$3" 2>>words
}
same fp.qcm '' 'float' || exit
for bits in 2 4 8; do
    last=$bits
    [ $bits != 2 ] || last=8 # the recommended last layer, which INT4 cannot hold
    qc-quantize -q --no-std --last-bits $last -b $bits -c core.qcd --epochs 0 --threads 1 -o q.qcm fp.qcm >/dev/null \
        || exit
    same q.qcm '' "$bits bits" || exit
    [ $bits = 8 ] || same q.qcm '--codes int4' "$bits bits as INT4" || exit
done
qc-quantize -q --no-std --last-bits 4 -b 4 -a 4 -c core.qcd --epochs 0 --threads 1 -o q.qcm fp.qcm >/dev/null &&
    same q.qcm '' '4 bits, activations too'
exit 0
