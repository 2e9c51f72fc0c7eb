# A last layer that reads standard deviations separates activities that differ in amplitude alone. A stream updates it;
# the float model needs no such layer.
export OMP_NUM_THREADS=1
# Sines of mean 0. The classes of the source (a) differ in frequency, the classes of the stream (b) in amplitude.
awk 'BEGIN {
    srand(7)
    for (i = 0; i < 240; i++) {
        k = i % 2; person = i < 80 ? "a" : "b"
        size = person == "a" ? 1 : k ? 1.5 : 0.5
        frequency = person == "a" ? 0.3 + 0.6 * k : 0.6
        phase = rand() * 6.28
        for (t = 0; t < 32; t++) printf "%.4f,", size * sin(t * frequency + phase) + 0.05 * (rand() - 0.5)
        print person ",k" k
    }
}' >both.csv
qc-import -q -f csv --group-column 33 --label-column 34 -o both.qcd both.csv && qc-split -q -g a -o a.qcd both.qcd &&
    qc-split -q -g b -t 0.5 -o b.qcd -O test.qcd both.qcd 2>words || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 7\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 30 -a tiny.yaml -d a.qcd -o float.qcm && qc-coreset -q -n 12 -d a.qcd -o core.qcd ||
    exit 1
accuracy() { qc-eval --json -d test.qcd "$1" | sed 's/.*"accuracy": \([0-9.]*\).*/\1/'; }
for bits in 2 4 8; do
    for with in plain std; do
        qc-quantize --force -q -b $bits $([ $with = std ] || echo --no-std) --threads 1 \
            -c core.qcd -d a.qcd -o $with.qcm float.qcm >words || exit
        qc-calibrate -q -c core.qcd -s b.qcd --batches 4 -o $with.new $with.qcm >words || exit
    done
    awk -v b=$bits -v p="$(accuracy plain.new)" -v s="$(accuracy std.new)" 'BEGIN {
        print b " bits: " (s >= 0.9 && p < s - 0.1 ? "by deviations alone" : "plain " p ", with deviations " s)
    }'
done
echo '--- what has no features'
printf 'name: flat\nlayers:\n  - conv: 2\n    kernel: 3\n  - flatten\n' >flat.yaml
qc-train -q --threads 1 --epochs 1 -a flat.yaml -d a.qcd -o flat.qcm &&
    qc-quantize --force -q --std --threads 1 -c core.qcd -o none.qcm flat.qcm
echo "exit $?"
test ! -e none.qcm
qc-quantize --force --epochs 0 --threads 1 -c core.qcd -o flat.q.qcm flat.qcm 2>words >report && head -n 1 words &&
    qc-info flat.q.qcm | grep deviations
qc-quantize --std --no-std -c core.qcd -o none.qcm flat.qcm
echo "exit $?"
echo '--- one position has no deviation'
qc-synth -q --subjects 1 --activities 2 --channels 3 --length 1 -o one.qcd &&
    qc-train -q --threads 1 --epochs 1 -a tiny.yaml -d one.qcd -o one.qcm &&
    qc-quantize --force --epochs 0 --threads 1 -d one.qcd -o one.q.qcm one.qcm 2>words >report && head -n 1 words
qc-export -q -f onnx -o one.onnx one.q.qcm && qc-import -q -o again.qcm one.onnx && qc-eval -d one.qcd one.q.qcm >own &&
    qc-eval -d one.qcd again.qcm | cmp - own
