#!/bin/sh
# Measures accuracy on streams with a few classes at a time. Three subjects are synthesized from DATA (qc-synth -d).
# Each stream has every fourth class, one class after another, with half of the examples. The same classes follow
# again with the other half.
#   few-classes.sh MODEL CORESET DATA [OPTIONS of qc-calibrate]
# Prints the accuracy before learning, on first visits of a class and on second visits.
# `qc-info CORESET` prints the number of classes. DATA must have about the same number of examples of each class.
set -eu
[ $# -ge 3 ] || { echo "usage: few-classes.sh MODEL CORESET DATA [OPTIONS]" >&2; exit 2; }
model=$1 coreset=$2 data=$3
shift 3
classes=$(qc-info --json "$coreset" | tr -d ' \n' | sed 's/.*"classes":\([0-9]*\).*/\1/')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
qc-synth -q -d "$data" --subjects 3 --seed 7 -o "$work/people"
for person in $(qc-info "$work/people" | sed -n '/^groups:/,/^[a-z]/s/^  \(.*\): [0-9]*$/\1/p'); do
    qc-split -q -g "$person" -o "$work/all" "$work/people"
    qc-split -q --batches $((2 * classes)) --order classes -o "$work/$person" "$work/all"
    for first in 1 2 3; do
        streams=
        for half in 1 2; do
            class=$first
            while [ "$class" -le "$classes" ]; do
                streams="$streams -s $work/$person.$(printf %02d $((2 * class - 2 + half))).qcd"
                class=$((class + 4))
            done
        done
        qc-calibrate -q -c "$coreset" $streams --batches 1 --no-output --json "$@" "$model"
    done
done | awk '
    /"summary"/ { for (i = 1; i <= n; i++) { half = i > n / 2; sum[half] += right[i] / n * 2 } runs++; n = 0; next }
    match($0, /"accuracy_before": [0-9.]*/) { right[++n] = substr($0, RSTART + 19, RLENGTH - 19) }
    END { printf "first\t%.4f\nsecond\t%.4f\n", sum[0] / runs, sum[1] / runs }'
