#!/bin/sh
# wronglabels.sh - measures the cost of wrong labels in a stream: accuracy on the target, mean over ten batches, with
# the true labels, and with a share of them replaced by other classes at random.
#   wronglabels.sh STREAM TEST CORESET MODEL [DRAWS]
# Runs the programs in PATH. Prints TSV: share, draw, mean, cost (mean with true labels minus this mean).
set -eu
[ $# -ge 4 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
stream=$1 test=$2 coreset=$3 model=$4 draws=${5:-3}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export OMP_NUM_THREADS=1

mean_of() { # mean_of STREAM: prints the mean of column test over the batches
    qc-calibrate -q --json -c "$coreset" -s "$1" --batches 10 -t "$test" -o "$place/out.qcm" "$model" |
        sed -n 's/.*"batch".*"test": \[\([0-9.]*\).*/\1/p' |
        awk '{ sum += $1 } END { printf "%.4f\n", sum / NR }'
}

deal() { # deal SHARE DRAW: writes $place/wrong.qcd with this share of labels replaced
    /usr/bin/python3 - "$place/stream.npz" "$place/wrong.npz" "$1" "$2" <<'END'
import sys
import numpy as np
source, target, share, draw = sys.argv[1:]
data = dict(np.load(source))
rng, labels = np.random.default_rng(int(draw)), data['y'].copy()
for i in rng.permutation(len(labels))[:round(float(share) * len(labels))]:
    labels[i] = rng.choice(np.setdiff1d(data['y'], labels[i]))
np.savez(target, **{**data, 'y': labels})
END
    qc-import -q -f npz -o "$place/wrong.qcd" "$place/wrong.npz"
}

qc-export -q -f npz -o "$place/stream.npz" "$stream"
clean=$(mean_of "$stream")
printf 'share\tdraw\tmean\tcost\n0\t0\t%s\t0\n' "$clean"
for share in .05 .2; do
    for draw in $(seq "$draws"); do
        deal $share $draw
        mean=$(mean_of "$place/wrong.qcd")
        printf '%s\t%s\t%s\t%.4f\n' $share $draw "$mean" "$(echo "$clean - $mean" | bc)"
    done
done
