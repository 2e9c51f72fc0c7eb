# A model without a flip network calibrates its closed-form head alone. The result equals the result of a model with a
# flip network that makes no flips; all other weights stay the same.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 4 --channels 3 --length 24 --windows 20 -o both.qcd &&
    qc-split -q -g p1 -o p1.qcd both.qcd && qc-split -q -g p2 -o p2.qcd both.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 8\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.qcd -o float.qcm &&
    qc-coreset -q -n 12 -d p1.qcd -o core.qcd || exit 1
calibrate() { qc-calibrate -q -c core.qcd -s p2.qcd -t p1.qcd --batches 4 --json "$@"; }
result() { grep -v summary "$1" | sed -E 's/, "(ms|predict_ms|bytes)": [0-9.]+//g'; }
for bits in 2 4 8; do
    qc-quantize --force -q -b $bits --epochs 1 --threads 1 -c core.qcd -o q$bits.qcm float.qcm >words || exit 1
    qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd \
        -o f$bits.qcm q$bits.qcm >words || exit 1
    calibrate -o closed.qcm -C core1.qcd q$bits.qcm >closed.json || exit
    calibrate -o none.qcm -C core2.qcd --tune rounds=0 f$bits.qcm >none.json || exit
    calibrate -m closed -o asked.qcm f$bits.qcm >asked.json || exit
    result closed.json >a && result none.json | cmp - a && result asked.json | cmp - a &&
        qc-export -q -f csv core1.qcd >a && qc-export -q -f csv core2.qcd | cmp - a || exit
    layers() { qc-eval -q -n 40 --dump-layers - -d p2.qcd "$1"; }
    layers closed.qcm >a && layers none.qcm | cmp - a && layers asked.qcm | cmp - a || exit
    layers q$bits.qcm | grep -v logits >b && grep -v logits a | cmp - b || echo "more than the last layer has changed"
    layers q$bits.qcm >b && cmp -s b a && echo "nothing has changed"
    grep -o '"method": "[a-z]*"' closed.json none.json | sort
    sed -nE 's/.*"flips": ([0-9.]+).*"forwards": ([0-9.]+).*/\1 \2/p' closed.json | tail -n 1
    qc-calibrate -q --memory -c core.qcd -s p2.qcd --batches 4 q$bits.qcm | sed -n 's/^bytes: //p' >a
    qc-calibrate -q --memory -c core.qcd -s p2.qcd --batches 4 f$bits.qcm | sed -n 's/^bytes: //p' >b
    [ "$(cat a)" -lt "$(cat b)" ] || echo "it takes as much memory as flips do"
done
echo '--- it keeps a state, and a pipe brings it the model'
calibrate -o closed.qcm -C core1.qcd --state s q8.qcm >first &&
    calibrate -C core2.qcd --state s -o again.qcm q8.qcm 2>&1 | grep -c summary
qc-export -q -f csv core1.qcd >a && qc-export -q -f csv core2.qcd | cmp - a || exit
qc-eval --json -d p2.qcd again.qcm >a && calibrate q8.qcm 2>words | qc-eval --json -d p2.qcd | cmp - a || exit
echo '--- what cannot be'
calibrate -m qcore -o x.qcm q8.qcm
echo "exit $?"
calibrate --tune guard=2 -o x.qcm q8.qcm
echo "exit $?"
qc-rival -c core.qcd -s p2.qcd --set rate=1 -o x.qcm q8.qcm
echo "exit $?"
test ! -e x.qcm
