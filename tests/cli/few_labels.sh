# Streams whose classes are not equally frequent, and a small part of the experiment on rivals for few labels.
export OMP_NUM_THREADS=1
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo "python3-numpy is not installed" >&2; exit 77; }
place=$TOP/share/experiments
qc-synth -q --subjects 2 --activities 4 --windows 15 --channels 3 --length 24 -o all.qcd && mkdir parts || exit
for p in p1 p2; do qc-split -q -g $p -t 0.34 -o parts/$p.train.qcd -O parts/$p.test.qcd all.qcd || exit; done
counts() { qc-info "$1" | sed -n '/^labels:/,/^[a-z]/s/^  .*: //p' | sort -n | tr '\n' ' '; }
for kind in balanced zipf half; do
    "$place/frequencies.sh" $kind 1 parts/p2.train.qcd parts/p2.test.qcd $kind || exit
    echo "$kind: $(counts $kind)and $(counts $kind.test)"
done
cmp balanced parts/p2.train.qcd && cmp balanced.test parts/p2.test.qcd
"$place/frequencies.sh" half 1 parts/p2.train.qcd parts/p2.test.qcd again && qc-export -q -f npz -o a.npz half &&
    qc-export -q -f npz -o b.npz again && qc-export -q -f npz -o t.npz half.test &&
    qc-export -q -f npz -o all.npz parts/p2.train.qcd && /usr/bin/python3 -c "
import numpy as np
a, b, test, all = (np.load(name + '.npz') for name in ('a', 'b', 't', 'all'))
assert (a['id'] == b['id']).all(), 'the same seed, other examples'
assert set(a['y']) == set(test['y']), 'other classes in the test set'
rows = [list(all['id']).index(i) for i in a['id']]
assert rows == sorted(rows), 'not in the order of the recording'
for name in ('x', 'y', 'recording', 'group'): assert (all[name][rows] == a[name]).all(), name"
set -- --set 'arch=fcn --epochs 2' --set data=parts --set scripts="$place" --set batches=2 --set seed=1 --set bits=4 \
    --set target=p2 --set order=shuffled --set frequency=balanced,half --set ask=0,2 --set method=labels,t3a,lame \
    "$place/few-labels-rivals.yaml"
qc-sweep -q "$@" >commands && sh commands || exit
qc-report -f runs "$@" | cut -f 6-8 | sort
