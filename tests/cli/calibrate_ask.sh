# Labels on demand: N windows of each batch get a label. Figures before adaptation count all windows with a label;
# figures after it count the windows that were not asked for.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 4 --channels 3 --length 24 --windows 30 -o both.qcd &&
    qc-split -q -g p1 -o p1.qcd both.qcd && qc-split -q -g p2 -o p2.qcd both.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 8\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.qcd -o float.qcm &&
    qc-coreset -q -n 12 -d p1.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm float.qcm >words || exit 1
calibrate() { qc-calibrate -q -c core.qcd -s p2.qcd --batches 4 --json "$@" q.qcm; }
for rule in 0 1 2 3 4; do
    calibrate --ask 3 --tune ask=$rule -o $rule.qcm -C $rule.qcd >$rule.json &&
        calibrate --ask 3 --tune ask=$rule -o again.qcm >again.json || exit
    grep -v summary $rule.json | grep -oE '"(n|asked)": [0-9]+' | sort | uniq -c | tr -s ' '
    cmp $rule.qcm again.qcm && qc-info $rule.qcd | sed -n 's/^  from_stream: //p'
done
echo '--- more than there are: as if all had their label'
figures() { grep -v summary "$1" | grep -oE '"accuracy_before": [^,]*'; }
calibrate --ask 100 -o all.qcm >all.json && calibrate -o labelled.qcm >labelled.json && figures all.json >a &&
    figures labelled.json | cmp - a && echo 'the same answers'
grep -v summary all.json | grep -c '"accuracy_after": null'
qc-eval --json -d p2.qcd all.qcm | cut -d , -f 2- >a && qc-eval --json -d p2.qcd labelled.qcm | cut -d , -f 2- |
    cmp - a && echo 'the same model'
echo '--- a state goes on, and knows how many were asked for'
calibrate --ask 3 --state s -o s.qcm >a && calibrate --ask 3 --state s -o s.qcm 2>&1 | grep -c '"batch"'
calibrate --ask 2 --state s -o s.qcm | grep -c '"batch"'
echo '--- no label at all: nothing confirms what is guessed, and nothing is learned'
qc-export -q -f csv p2.qcd | sed '1!s/,[^,]*$/,/' >bare.csv &&
    qc-import -q -f csv --channels 3 -o bare.qcd bare.csv || exit
qc-calibrate -q -c core.qcd -s bare.qcd -t p2.qcd --batches 4 --json -o bare.qcm q.qcm |
    grep -oE '"(n|unlabelled|solved|refused)": [0-9]+' | sort | uniq -c | tr -s ' '
echo '--- trusted before any label: learned from windows alone, and the labels of --ask 0 are not read'
qc-calibrate -q -c core.qcd -s bare.qcd --batches 4 --json --tune first_trust=1 -o trust.qcm q.qcm >trust.json &&
    grep -v summary trust.json | grep -c '"solved": 1' >n && [ "$(cat n)" -gt 0 ] && echo 'solved without labels'
calibrate --ask 0 --tune first_trust=1 -o zero.qcm >zero.json &&
    qc-eval -q -n 9 --dump-layers - -d p2.qcd zero.qcm >a &&
    qc-eval -q -n 9 --dump-layers - -d p2.qcd trust.qcm | cmp - a && echo 'the same model'
live() { qc-run -q --json -d bare.qcd -c core.qcd --state "$@" --every 30 q.qcm 2>words | grep -c '"solved": true'; }
live never
[ "$(live trusts --tune first_trust=1)" -gt 0 ] && echo 'and by qc-run'
echo '--- what cannot be'
calibrate --ask -2 -o x.qcm
echo "exit $?"
calibrate --ask 2 --tune ask=5 -o x.qcm
echo "exit $?"
test ! -e x.qcm
