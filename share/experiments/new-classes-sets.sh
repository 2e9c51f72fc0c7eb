#!/bin/sh
# Measures how a model learns classes that were absent from its training, as new-classes.sh does, on spoken digits and
# on electromyograms of the forearm. A seed draws three classes, which are left out of training. The model has three
# spare rows. Two windows of each new class are labelled first, then eight more.
#   new-classes-sets.sh DIR [DATA]
# SETS='jackson theo source target': FSDD speakers jackson and theo (2 bits), Myo Male0 and Male1 (4 bits).
# SEEDS='4 5 6': draws. OPTIONS: of qc-calibrate. DIR keeps parts, models and logs; existing files are not made again.
# Prints TSV: set, seed, new classes, labels of each, mean recall of the new classes, accuracy of the other classes
# before and after.
set -eu
mkdir -p "${1:?a folder for parts and models is needed}"
dir=$(cd "$1" && pwd) data=$(cd "${2:-${QC_DATA:-../shared/data}}" && pwd) here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1
[ -f "$dir/sounds/theo.test.qcd" ] || "$here/sounds-parts.sh" "$dir/sounds" "$data"
[ -f "$dir/domains/myo.target.test.qcd" ] || SETS=myo "$here/domains-parts.sh" "$dir/domains" "$data"

draw() { # draw SET SEED: DIR/SET-SEED with .train, .others, .new, .two and .eight, and the names of the new classes
    for part in train test; do qc-export -q -f npz -o "$dir/$part.npz" "$from.$part.qcd"; done
    /usr/bin/python3 - "$dir" "$at" "$2" <<'END'
import sys
import numpy as np
folder, at, seed = sys.argv[1:]
rng = np.random.default_rng(int(seed))
train, test = (np.load(f'{folder}/{part}.npz', allow_pickle=False) for part in ('train', 'test'))
names = train['label_names'].astype('U')
new = np.sort(rng.choice(len(names), 3, replace=False))
def save(part, f, rows):
    np.savez(f'{at}.{part}.npz', x=f['x'][rows], y=names[f['y'][rows]])
save('train', train, np.flatnonzero(~np.isin(train['y'], new)))
save('others', test, np.flatnonzero(~np.isin(test['y'], new)))
save('new', test, np.flatnonzero(np.isin(test['y'], new)))
ten = [rng.permutation(np.flatnonzero(train['y'] == k))[:10] for k in new]
save('two', train, np.concatenate([rows[:2] for rows in ten]))
save('eight', train, np.concatenate([rows[2:] for rows in ten]))
open(f'{at}.names', 'w').write(', '.join(names[new]))
END
    for part in train others new two eight; do qc-import -q -f npz -o "$at.$part.qcd" "$at.$part.npz"; done
}

figure() { qc-eval -q --json -d "$1" "$2" | grep -o '"recall_mean": *[0-9.]*' | tr -dc '0-9.'; }

printf 'set\tseed\tnew\tlabels\trecall\tothers before\tothers after\n'
for set in ${SETS:-jackson theo source target}; do
    case $set in
    jackson | theo) from=$dir/sounds/$set bits=2 ;;
    *) from=$dir/domains/myo.$set bits=4 ;;
    esac
    for seed in ${SEEDS:-4 5 6}; do
        at=$dir/$set-$seed
        [ -f "$at.eight.qcd" ] || draw "$set" "$seed"
        if [ ! -f "$at.qcm" ]; then
            qc-train -q --threads 1 --seed "$seed" -a inceptiontime-16x3 --epochs 30 -d "$at.train.qcd" -L "$at.miss" \
                -o "$at.float.qcm"
            qc-coreset -q -n 30 -L "$at.miss" -d "$at.train.qcd" -o "$at.core.qcd"
            qc-quantize -q --threads 1 -b $bits --spare-classes 3 -c "$at.core.qcd" -d "$at.train.qcd" -o "$at.qcm" \
                "$at.float.qcm" >"$at.tsv"
        fi
        before=$(figure "$at.others.qcd" "$at.qcm") model=$at.qcm core=$at.core.qcd
        for labels in 2 10; do
            [ $labels = 2 ] && stream=two || stream=eight
            # shellcheck disable=SC2086
            qc-calibrate -q ${OPTIONS:-} --batches 1 -c "$core" -s "$at.$stream.qcd" -C "$at.$labels.core.qcd" \
                -o "$at.$labels.qcm" "$model" >"$at.$labels.tsv"
            model=$at.$labels.qcm core=$at.$labels.core.qcd
            printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$set" "$seed" "$(cat "$at.names")" $labels \
                "$(figure "$at.new.qcd" "$model")" "$before" "$(figure "$at.others.qcd" "$model")"
        done
    done
done
