# Rivals get the labels of the windows that the learner with labels alone requests, and no others. Windows without a
# label are the same, whether the data has no label or none is requested.
export OMP_NUM_THREADS=1
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo "python3-numpy is not installed" >&2; exit 77; }
qc-synth -q --subjects 2 --activities 4 --channels 3 --length 24 --windows 31 -o both.qcd &&
    qc-split -q -g p1 -o p1.qcd both.qcd && qc-split -q -g p2 -t 0.3 -o p2.qcd -O test.qcd both.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 8\n    kernel: 5\n  - batchnorm\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.qcd -o float.qcm &&
    qc-coreset -q -n 60 --reserve 0.2 -d p1.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o q.qcm float.qcm >words || exit 1
rival() { qc-rival -q -m "$@" -c core.qcd -s p2.qcd --batches 5 -t test.qcd -t p1.qcd --json --no-output q.qcm; }
kept() { # the ids of the stream's windows in a coreset
    qc-export -q -f npz -o kept.npz "$1" && /usr/bin/python3 -c "
import numpy as np
a, b = np.load('kept.npz'), np.load('stream.npz')
print(*sorted(set(a['id']) & set(b['id'])))"
}
qc-export -q -f npz -o stream.npz p2.qcd || exit 1
echo '--- the same windows'
rival labels --ask 3 --tune update=3 -C labels.qcd >labels.json && kept labels.qcd >want && wc -w <want
qc-calibrate -q -c core.qcd -s p2.qcd --batches 5 -t test.qcd -t p1.qcd --json --no-output --ask 3 \
    --tune guess_weight=0 --tune update=3 -C product.qcd q.qcm >product.json && kept product.qcd | cmp - want
figures() { grep -o '"test": [^]]*' "$1"; }
figures product.json >a && figures labels.json | cmp - a && echo 'labels is the product with guess_weight=0'
for method in head proto bn pseudo t3a oftta lame propagate daelm-s daelm-t none; do
    rival $method --ask 3 --tune update=3 -C kept.qcd >run.json 2>words || cat words
    kept kept.qcd | cmp - want && echo "$method: $(grep -c '"asked": 3' run.json) batches"
    grep -v summary run.json | grep -o '"n": [0-9]*' | tr -dc '0-9\n' | awk '{ n += $1 } END { print n }'
done
echo '--- all labels, requested or not'
for method in proto head pseudo t3a lame daelm-s; do
    rival $method --ask 1000 >all.json && rival $method >given.json && figures all.json >a &&
        figures given.json | cmp - a && echo $method
done
echo '--- no label'
qc-export -q -f csv p2.qcd | sed '1!s/,[^,]*$/,/' >bare.csv && qc-import -q -f csv --channels 3 -o bare.qcd bare.csv ||
    exit 1
for method in pseudo t3a oftta bn propagate daelm-t closed; do
    rival $method --ask 0 --order recorded >none.json || exit 1
    qc-rival -q -m $method -c core.qcd -s bare.qcd --batches 5 --order recorded -t test.qcd -t p1.qcd --json \
        --no-output q.qcm >bare.json || exit 1
    figures none.json >a && figures bare.json | cmp - a && echo $method
    grep -c '"asked": 0' none.json
done
rival none >frozen.json && figures frozen.json >a || exit 1
for method in er head proto daelm-s closed labels; do
    rival $method --ask 0 >none.json && figures none.json | cmp - a && echo "$method learns nothing"
done
# a batch without a label has no loss
rival head --ask 0 | grep -c '"loss_before": null, "loss_after": null'
# and its coreset stays: reserved slots, and slots that the stream may take
for method in er head none; do rival $method --ask 0 | grep -c '"coreset": {"source": 60, "stream": 0, "new": 0}'; done
echo '--- methods that need labels, and models that are none'
qc-rival -m head -c core.qcd -s bare.qcd --no-output q.qcm
echo "exit $?"
# a method that learns nothing needs none: the frozen model, and any method if no label is given
qc-calibrate -q -m none -c core.qcd -s bare.qcd --batches 2 --no-output q.qcm | tail -1 | cut -f 1-4
for method in none er; do
    qc-rival -q -m $method --ask 0 -c core.qcd -s bare.qcd --batches 2 --no-output q.qcm | tail -1 | cut -f 1-4
done
qc-rival -m t3a -c core.qcd -s p2.qcd -o x.qcm q.qcm
echo "exit $?"
test ! -e x.qcm
