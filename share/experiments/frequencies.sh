#!/bin/sh
# Makes a stream whose classes are not equally frequent, and a test set with the classes of the stream.
#   frequencies.sh KIND SEED TRAIN TEST OUT
# KIND: balanced keeps all examples. zipf keeps the share 1 / r of the class with rank r. half keeps half of the
# classes. SEED draws ranks, classes and examples. Writes OUT (from TRAIN) and OUT.test (from TEST); needs NumPy.
set -eu
[ $# = 5 ] || { echo "usage: frequencies.sh KIND SEED TRAIN TEST OUT" >&2; exit 2; }
[ "$1" != balanced ] || { cp "$3" "$5"; cp "$4" "$5.test"; exit; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
qc-export -q -f npz -o "$work/train.npz" "$3"
qc-export -q -f npz -o "$work/test.npz" "$4"
/usr/bin/python3 - "$1" "$2" "$work" <<'END'
import sys
import numpy as np
kind, seed, work = sys.argv[1:]
rng = np.random.default_rng(int(seed))
train, test = (dict(np.load(f'{work}/{part}.npz', allow_pickle=False)) for part in ('train', 'test'))
classes = rng.permutation(np.unique(train['y'][train['y'] >= 0]))
share = {'zipf': 1 / np.arange(1, len(classes) + 1), 'half': np.arange(len(classes)) < len(classes) // 2}[kind]
kept = np.sort(np.concatenate([rng.permutation(rows)[:int(np.ceil(s * len(rows)))] for s, rows in
                               ((s, np.flatnonzero(train['y'] == k)) for s, k in zip(share, classes))]))
for part, f, rows in (('train', train, kept), ('test', test, np.flatnonzero(np.isin(test['y'], train['y'][kept])))):
    np.savez(f'{work}/{part}.npz', **{name: a if name == 'label_names' else a[rows] for name, a in f.items()})
END
qc-import -q -f npz -o "$5" "$work/train.npz"
qc-import -q -f npz -o "$5.test" "$work/test.npz"
