# A last layer with bits of its own: the file says which, and every method and exporter takes it.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --seed 5 -o both.qcd && qc-split -q -g p1 -o a.qcd both.qcd &&
    qc-split -q -g p2 -t 0.3 --by block -o b.qcd -O test.qcd both.qcd 2>words || exit 1
printf 'name: tiny\nlayers:\n  - conv: 8\n    kernel: 7\n  - conv: 12\n    kernel: 5\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 12 -a tiny.yaml -d a.qcd -o float.qcm && qc-coreset -q -n 16 -d a.qcd -o core.qcd ||
    exit 1
quantize() { qc-quantize --force -q --no-std --threads 1 -c core.qcd -d a.qcd "$@" float.qcm >words; }
quantize -b 2 --last-bits 2 -o plain.qcm && quantize -b 2 -o fine.qcm && quantize -b 2 --last-bits 8 -o same.qcm &&
    quantize -b 8 --last-bits 4 -o coarse.qcm || exit 1
for model in plain fine same coarse; do qc-info $model.qcm | grep -e '^bits' -e 'role linear' -e 'role conv' |
    cut -d, -f1-6; done
qc-info fine.qcm | grep packed >one; qc-info same.qcm | grep packed >two; cmp one two && echo 'eight are the default'
fold() { sed -n 's/.*"summary": true.*"test": \[\([0-9.]*\).*/\1/p'; }
for method in qcore closed head er deepc refit spsa; do
    [ $method = qcore ] && { qc-bitflip-train -q --threads 1 -c core.qcd -d a.qcd -o flipnet.qcm fine.qcm >words ||
        exit 1; }
    model=$([ $method = qcore ] && echo flipnet.qcm || echo fine.qcm)
    qc-rival -q -m $method -c core.qcd -s b.qcd --batches 3 -t test.qcd --json --no-output $model >$method.json ||
        exit 1
    fold <$method.json | awk -v m=$method '{ print m, ($1 > 0.2 ? "learns" : "stays at " $1) }'
done
echo '--- sessions'
qc-calibrate -q -c core.qcd -s b.qcd --batches 3 -o whole.qcm fine.qcm >words && cmp -s whole.qcm fine.qcm &&
    echo 'nothing was learned'
qc-info whole.qcm | grep 'role linear' | cut -d, -f6
qc-export -q -f c -o net.c whole.qcm && grep -c 'code_bits = 8' net.c
qc-export -q -f onnx -o net.onnx whole.qcm && echo onnx
qc-export -q -f onnx --codes int4 -o four.onnx whole.qcm && echo 'onnx of 4 bits'
qc-export -q -f onnx --codes int4 -o none.onnx coarse.qcm; echo $?
quantize -b 2 --last-bits 3 -o none.qcm; echo $?
quantize -b 2 --last-bits 16 -o none.qcm; echo $?
test ! -e none.qcm
