#!/bin/sh
# The whole chain on one page: a classifier is trained on one person's inertial recordings, quantized, and keeps itself right on another's.
#   demo.sh          on made-up people (qc-synth)
#   demo.sh DIR      on a UCI-DSA tree, DIR/a01/p1/s01.txt ...
# From the environment: PEOPLE ("p1 p2": source and target), BITS (2), OUT (build/demo), THREADS (0 = all cores).
# `make demo` calls this with the programs in PATH and QC_SHARE set.
# shellcheck disable=SC2086 # PEOPLE and options are words
set -eu
tree=${1:-}
BITS=${BITS:-2} OUT=${OUT:-build/demo} THREADS=${THREADS:-0}
# Threads that wait for work give their core to those that have some; where the machine is shared that is much faster.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}" LC_ALL=C
here=$(dirname "$0")
set -- ${PEOPLE:-p1 p2}
[ $# -eq 2 ] || { echo "demo.sh: PEOPLE names two people, the source and the target, as in PEOPLE='p1 p2'" >&2; exit 2; }
source=$1 target=$2
began=$(date +%s)
say() { echo "[$(($(date +%s) - began)) s] $*" >&2; }
mkdir -p "$OUT"

# ---- recordings: the last 20 % of each activity are the test set

if [ -n "$tree" ]; then
    say "importing $source and $target from $tree"
    qc-import -q -f dsa -g "$source" -g "$target" -o "$OUT/people.qcd" "$tree"
    schooling='' lessons=''
else
    say 'making up the recordings of three people: 8 activities, 3 sensors of 3 axes'
    qc-synth -q --people 3 --activities 8 --windows 40 --channels 9 --length 75 --seed 1 -o "$OUT/people.qcd"
    schooling='--epochs 15' lessons='--persons 5 --test-persons 1 --teacher-steps 30 --steps 600'
fi
for person in "$source" "$target"; do
    qc-split -q -g "$person" -t 0.2 --by block -o "$OUT/$person.train.qcd" -O "$OUT/$person.test.qcd" "$OUT/people.qcd"
done

# ---- on the workstation: nothing is known of the target

say "training a float model on $source"
qc-train -q -a inceptiontime-16x3 -d "$OUT/$source.train.qcd" -L "$OUT/misses" -o "$OUT/float.qcm" $schooling --threads "$THREADS"
say 'choosing 30 examples by their quantization misses'
qc-coreset -q -n 30 -L "$OUT/misses" -d "$OUT/$source.train.qcd" -o "$OUT/coreset.qcd"
say "quantizing to $BITS bits, the last layer to 8"
qc-quantize -q -b "$BITS" --std --last-bits 8 -c "$OUT/coreset.qcd" -d "$OUT/$source.train.qcd" -o "$OUT/quantized.qcm" --threads "$THREADS" "$OUT/float.qcm" >"$OUT/quantize.tsv"
say 'teaching the bit-flip network on simulated people'
qc-bitflip-train -q -c "$OUT/coreset.qcd" -d "$OUT/$source.train.qcd" -o "$OUT/flip.qcm" $lessons --threads "$THREADS" "$OUT/quantized.qcm" >"$OUT/bitflip.tsv"

# ---- on the device: forward passes only, one thread

say "calibrating on a stream of $target, 10 batches"
qc-calibrate -q -c "$OUT/coreset.qcd" -C "$OUT/coreset.after.qcd" -s "$OUT/$target.train.qcd" --batches 10 \
    -t "$OUT/$target.test.qcd" -t "$OUT/$source.test.qcd" -o "$OUT/calibrated.qcm" "$OUT/flip.qcm" >"$OUT/calibrate.tsv"

# ---- the table

accuracy() { # accuracy MODEL PERSON
    qc-eval -q -d "$OUT/$2.test.qcd" --threads "$THREADS" --json "$OUT/$1.qcm" | sed 's/.*"accuracy": \([0-9.]*\).*/\1/'
}
bytes() { wc -c <"$OUT/$1.qcm"; }
row() { printf '%-12s %8.3f %8.3f %10s %8s %8s %9d\n' "$@"; }
say "done; the model was tested on $target (target) and $source (source):"
{
    printf '%-12s %8s %8s %10s %8s %8s %9s\n' after target source on-batch flips ms bytes
    row float "$(accuracy float "$target")" "$(accuracy float "$source")" - - - "$(bytes float)"
    row quantized "$(accuracy quantized "$target")" "$(accuracy quantized "$source")" - - - "$(bytes flip)"
    awk -F '\t' '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 == "mean" { printf "%-12s", "mean" }
        $1 != "mean" { printf "%-12s", "batch " $1 }
        { printf " %8.3f %8.3f %10.3f %8.0f %8.0f %9d\n", $at["test1"], $at["test2"], $at["before"], $at["flips"], $at["ms"], $at["bytes"] }' "$OUT/calibrate.tsv"
} >"$OUT/table.txt"
cat "$OUT/table.txt"
cat <<WORDS
on-batch: accuracy on the batch before the model has learned from it; flips: weights stepped in the batch
bytes: of the model's file; in calibration, all memory of the device but the batch itself
WORDS

# ---- the picture: tested after 0 (quantized), 1, 2 ... batches

awk 'NR > 1 && $1 != "float" && $1 != "mean" { print n++, $(NF - 5), $(NF - 4), $(NF - 2) == "-" ? 0 : $(NF - 2) }' "$OUT/table.txt" >"$OUT/curve.dat"
gnuplot -e "data='$OUT/curve.dat'; picture='$OUT/demo.svg'; source='$source'; target='$target'; bits='$BITS'" "$here/demo.gp"
echo "picture: $OUT/demo.svg"
