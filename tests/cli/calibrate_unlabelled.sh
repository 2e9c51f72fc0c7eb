# Streams and test data with unlabelled examples: the model learns from the labelled examples alone, and figures count
# only these.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --channels 3 --length 24 --windows 20 -o both.qcd &&
    qc-split -q -g p1 -o p1.qcd both.qcd && qc-split -q -g p2 both.qcd | qc-export -q -f csv - >p2.csv || exit 1
awk -F , -v OFS=, 'NR > 1 && NR % 2 { $NF = "" } { print }' p2.csv >holes.csv # every other row
awk -F , 'NR == 1 || NR % 2 == 0' p2.csv >rest.csv
awk -F , -v OFS=, 'NR > 1 { $NF = "" } { print }' p2.csv >bare.csv
qc-import -f csv --channels 3 -o holes.qcd holes.csv 2>&1 | grep label
qc-import -q -f csv --channels 3 -o rest.qcd rest.csv && qc-import -q -f csv --channels 3 -o bare.qcd bare.csv || exit 1
qc-info holes.qcd | grep -E '^(examples|unlabelled):'
qc-export -q -f csv holes.qcd | awk -F , '{ n += $NF == "" } END { print n " without a label in the CSV" }'
qc-export -q -f npz -o holes.npz holes.qcd && qc-import -q -f npz -o twin.qcd holes.npz &&
    qc-export -q -f csv twin.qcd >a && qc-export -q -f csv holes.qcd | cmp - a && echo 'NumPy arrays keep holes'
printf 'name: tiny\nlayers:\n  - conv: 8\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.qcd -o float.qcm &&
    qc-coreset -q -n 12 -d p1.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm float.qcm >words || exit 1
calibrate() { qc-calibrate -q -c core.qcd --order recorded --tune guess_weight=0 -t twin.qcd --json "$@" q.qcm; }
figures() { grep -v summary "$1" | grep -oE '"(n|unlabelled|accuracy_before|accuracy_after|test)": [^,]*'; }
calibrate -s holes.qcd -B 20 -C a.qcd -o a.qcm >holes.json &&
    calibrate -s rest.qcd -B 10 -C b.qcd -o b.qcm >rest.json || exit 1
figures holes.json | grep -v unlabelled >a && figures rest.json | grep -v unlabelled | cmp - a &&
    echo 'the same figures'
qc-eval -q -n 9 --dump-layers - -d p1.qcd a.qcm >a && qc-eval -q -n 9 --dump-layers - -d p1.qcd b.qcm | cmp - a &&
    echo 'the same model'
qc-export -q -f csv a.qcd >a && qc-export -q -f csv b.qcd | cmp - a && echo 'the same coreset'
figures holes.json | sed -n 1,2p
qc-eval --json -d holes.qcd a.qcm | grep -oE '"(examples|unlabelled)": [^,]*'
for method in none refit; do # other methods omit unlabelled examples
    qc-rival -q -m $method -c core.qcd --order recorded --json --no-output -s holes.qcd -B 20 q.qcm >a &&
        qc-rival -q -m $method -c core.qcd --order recorded --json --no-output -s rest.qcd -B 10 q.qcm >b || exit 1
    figures a | grep -v unlabelled >aa && figures b | grep -v unlabelled | cmp - aa || exit 1
done
# a first batch without any label
{ sed 1d bare.csv | sed -n 1,12p; sed 1d p2.csv; } | sed "1i $(sed -n 1p p2.csv)" >late.csv
qc-import -q -f csv --channels 3 -o late.qcd late.csv && calibrate -s late.qcd -B 12 -o a.qcm |
    grep -oE '"(n|accuracy_before)": [^,]*' | sed -n 1,2p
calibrate -s late.qcd -B 12 -o a.qcm | tail -n 1 | grep -c null
echo '--- what needs labels'
refuse() { "$@" 2>err >words; status=$?; sed -E "s/[0-9]{4,}/ID/" err; echo "exit $status"; }
refuse qc-train -q -d holes.qcd -a tiny.yaml -o x.qcm
refuse qc-coreset -q -n 5 -d holes.qcd -o x.qcd
refuse qc-quantize -q --force -c core.qcd -d holes.qcd -o x.qcm float.qcm
refuse qc-rival -q -m er -c core.qcd -s bare.qcd -o x.qcm q.qcm
refuse qc-calibrate -q -c core.qcd -s p1.qcd -t bare.qcd -o x.qcm q.qcm
refuse qc-eval -d bare.qcd q.qcm
ls | grep '^x\.'
true
