#!/bin/sh
# Measures settings of qc-calibrate on synthetic subjects, so that settings are tuned without a real subject.
#   synthetic.sh MODEL CORESET DATA [OPTIONS of qc-calibrate]
# Three subjects are synthesized from DATA (qc-synth -d). The last fifth of each activity is the test set, and the
# stream has two orders. Prints the means of the six runs: test-then-train accuracy, target accuracy (mean over ten
# batches, and after the last), and forward passes per batch.
set -eu
[ $# -ge 3 ] || { echo "usage: synthetic.sh MODEL CORESET DATA [OPTIONS]" >&2; exit 2; }
model=$1 coreset=$2 data=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
qc-synth -q -d "$data" --subjects 3 --seed 7 -o "$work/people"
qc-info "$work/people" | sed -n '/^groups:/,/^[a-z]/s/^  \(.*\): [0-9]*$/\1/p' >"$work/names"
while read -r person; do
    qc-split -q -g "$person" -t 0.2 --by block -o "$work/stream" -O "$work/test" "$work/people"
    for seed in 1 2; do qc-calibrate -q -c "$coreset" -s "$work/stream" -t "$work/test" --batches 10 --seed $seed -o \
        /dev/null --json "$@" "$model" </dev/null; done
done <"$work/names" >"$work/lines"
awk '
    function number(key) {
        if (!match($0, "\"" key "\": \\[?[0-9.]+")) return 0
        return substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 4)
    }
    { gsub(/"test": \[/, "\"test\": ") }
    /"summary"/ { runs++; before += number("accuracy_before"); forwards += number("forwards"); last += test; next }
    { test = number("test"); sum += test; n++ }
    END {
        printf "before\t%.4f\ntarget_mean\t%.4f\n", before / runs, sum / n
        printf "target_last\t%.4f\nforwards\t%.0f\n", last / runs, forwards / runs
    }' "$work/lines"
