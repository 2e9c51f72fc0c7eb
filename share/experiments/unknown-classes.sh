#!/bin/sh
# unknown-classes.sh DIR [DATA]: is a window of a class that training left out farther from every class than windows of
# known classes are? One class at a time is left out of training. Test windows of this class are then scored against
# test windows of the other classes, without labels: by `distance` of qc-run, by the largest probability (softmax), and
# by the energy of the logits, -ln(sum(exp(logit))) (Liu et al., 2020).
# SETS='dsa gas myo fsdd': UCI-DSA person p1 (first 48 segments of an activity, then 12), gas batch 1, Myo Male0, FSDD
# jackson. LEAVE='0 1 2': classes by number, in the order of the data. DIR keeps parts and models; what is there is not
# made again.
# TSV: set, class left out, areas under the ROC curve of distance, softmax and energy, and the shares of known and of
# unknown windows with `unknown` 1.
set -eu
mkdir -p "${1:?a folder for parts and models is needed}"
dir=$(cd "$1" && pwd) data=$(cd "${2:-${QC_DATA:-../shared/data}}" && pwd) here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1
python=/usr/bin/python3

source_parts() { # DIR/SET.train.qcd and DIR/SET.test.qcd, with all classes
    case $1 in
    dsa)
        mkdir -p "$dir/tree"
        zstd -qdc "$data/dsa/p1.tar.zst" | tar -xf - -C "$dir/tree"
        tree=$(cd "$(dirname "$(find "$dir/tree" -type d -name a01 | head -n 1)")" && pwd)
        qc-import -q -f dsa -g p1 -o "$dir/dsa.qcd" "$tree"
        qc-split -q -t 0.2 -o "$dir/dsa.train.qcd" -O "$dir/dsa.test.qcd" "$dir/dsa.qcd"
        ;;
    gas | myo) SETS=$1 "$here/domains-parts.sh" "$dir/domains" "$data"
        for part in train test; do cp "$dir/domains/$1.source.$part.qcd" "$dir/$1.$part.qcd"; done ;;
    fsdd) "$here/sounds-parts.sh" "$dir/sounds" "$data"
        for part in train test; do cp "$dir/sounds/jackson.$part.qcd" "$dir/fsdd.$part.qcd"; done ;;
    esac
}

leave_out() { # leave_out SET CLASS: DIR/SET-CLASS.train.qcd, .known.qcd, .unknown.qcd (under another class's name)
    for part in train test; do qc-export -q -f npz -o "$dir/$part.npz" "$dir/$1.$part.qcd"; done
    $python - "$dir" "$2" <<'END'
import sys
import numpy as np
folder, left = sys.argv[1], int(sys.argv[2])
def save(name, x, y, names):
    np.savez(f'{folder}/{name}.npz', x=x, y=names[y])
for part in 'train', 'test':
    f = np.load(f'{folder}/{part}.npz', allow_pickle=False)
    x, y, names = f['x'], f['y'], f['label_names']
    save('train-known' if part == 'train' else 'known', x[y != left], y[y != left], names)
    if part == 'test':
        save('unknown', x[y == left], np.full((y == left).sum(), 0 if left else 1), names)
END
    qc-import -q -f npz -o "$dir/$1-$2.train.qcd" "$dir/train-known.npz"
    for part in known unknown; do qc-import -q -f npz -o "$dir/$1-$2.$part.qcd" "$dir/$part.npz"; done
}

model() { # model SET CLASS: DIR/SET-CLASS.qcm
    at=$dir/$1-$2 arch=inceptiontime-16x3 epochs=30 bits=2
    case $1 in
    gas) arch=mlp epochs=100 bits=4 ;;
    myo) bits=4 ;;
    esac
    qc-train -q --threads 1 -a $arch --epochs $epochs -d "$at.train.qcd" -L "$at.miss" -o "$at.float.qcm"
    qc-coreset -q -n 30 -L "$at.miss" -d "$at.train.qcd" -o "$at.core.qcd"
    qc-quantize -q --threads 1 -b $bits -c "$at.core.qcd" -d "$at.train.qcd" -o "$at.qcm" "$at.float.qcm" >"$at.tsv"
}

printf 'set\tclass\tdistance\tsoftmax\tenergy\tknown refused\tunknown refused\n'
for set in ${SETS:-dsa gas myo fsdd}; do
    [ -f "$dir/$set.test.qcd" ] || source_parts "$set"
    case $set in dsa) some='0 4 8 12 16' ;; gas) some='0 1 2 3 4 5' ;; myo) some='0 1 2 3 4 5 6' ;;
    *) some='0 2 4 6 8' ;; esac
    for class in ${LEAVE:-$some}; do
        at=$dir/$set-$class
        [ -f "$at.unknown.qcd" ] || leave_out "$set" "$class"
        [ -f "$at.qcm" ] || model "$set" "$class"
        for part in known unknown; do
            qc-run -q --json -d "$at.$part.qcd" "$at.qcm" >"$at.$part.log"
            qc-eval -q -d "$at.$part.qcd" --logits "$at.$part.npy" "$at.qcm" >"$at.$part.tsv"
        done
        $python - "$at" "$set" "$class" <<'END'
import json, sys
import numpy as np
at, name, left = sys.argv[1:]
def area(known, unknown): # ties count half
    return np.mean((unknown[:, None] > known) + .5 * (unknown[:, None] == known))
def scores(part):
    rows = [json.loads(line) for line in open(f'{at}.{part}.log')]
    rows = [row for row in rows if 'distance' in row]
    logits = np.load(f'{at}.{part}.npy').astype(float)
    top = logits.max(1)
    energy = -top - np.log(np.exp(logits - top[:, None]).sum(1))
    return (np.array([row['distance'] for row in rows]), -np.array([row['probability'] for row in rows]), energy,
            np.array([row['unknown'] for row in rows]))
known, unknown = scores('known'), scores('unknown')
print(name, left, *(f'{area(known[k], unknown[k]):.3f}' for k in range(3)), f'{known[3].mean():.3f}',
      f'{unknown[3].mean():.3f}', sep='\t')
END
    done
done
