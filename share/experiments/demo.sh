#!/bin/sh
# Runs the whole workflow. A classifier is trained on the inertial recordings of one subject and quantized. It then
# adapts to two other subjects, one after the other. Two methods start from the same float model: the recommended one
# (closed) and QCore as published, with a bit-flip network.
#   demo.sh          on synthetic recordings (qc-synth)
#   demo.sh DIR      on a UCI-DSA tree, DIR/a01/p1/s01.txt ...
# Prints a table of accuracies after each batch, and writes a picture.
# From the environment: PEOPLE ("p1 p2 p3": source, then two targets), BITS (2), OUT (build/demo), THREADS (0 = all
# cores). `make demo` calls this script with the programs in PATH and QC_SHARE set.
# shellcheck disable=SC2086 # PEOPLE and options are words
set -eu
tree=${1:-}
BITS=${BITS:-2} OUT=${OUT:-build/demo} THREADS=${THREADS:-0}
# A waiting thread yields its core to working threads, which is much faster on a shared machine.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}" LC_ALL=C
here=$(dirname "$0")
set -- ${PEOPLE:-p1 p2 p3}
[ $# -eq 3 ] || { echo "demo.sh: PEOPLE names three people, the source and two targets, as in PEOPLE='p1 p2 p3'" >&2; \
    exit 2; }
source=$1 first=$2 second=$3
began=$(date +%s)
say() { echo "[$(($(date +%s) - began)) s] $*" >&2; }
mkdir -p "$OUT"

# ---- recordings: the last 20 % (synthetic: half) of each activity are the test set

if [ -n "$tree" ]; then
    say "importing $source, $first and $second from $tree"
    qc-import -q -f dsa -g "$source" -g "$first" -g "$second" -o "$OUT/people.qcd" "$tree"
    training='' flips='' held=0.2
else
    say 'synthesizing the recordings of three people: 19 activities, 3 sensors of 3 axes'
    qc-synth -q --subjects 3 --activities 19 --windows 40 --channels 9 --length 75 --drift 1 --seed 1 -o \
        "$OUT/people.qcd"
    training='--epochs 15' flips='--subjects 5 --test-subjects 1 --oracle-steps 30 --steps 600' held=0.5
fi
for person in "$source" "$first" "$second"; do
    qc-split -q -g "$person" -t $held --by block -o "$OUT/$person.train.qcd" -O "$OUT/$person.test.qcd" \
        "$OUT/people.qcd"
done

# ---- on the workstation: no data of the targets are used

say "training a float model on $source"
qc-train -q -a inceptiontime-16x3 -d "$OUT/$source.train.qcd" -L "$OUT/misses" -o "$OUT/float.qcm" $training --threads \
    "$THREADS"
say 'choosing 30 examples by their quantization misses'
qc-coreset -q -n 30 -L "$OUT/misses" -d "$OUT/$source.train.qcd" -o "$OUT/coreset.qcd"
say "recommended: quantizing to $BITS bits; the last layer has 8 and reads deviations"
qc-quantize -q -b "$BITS" -c "$OUT/coreset.qcd" -d "$OUT/$source.train.qcd" -o "$OUT/recommended.qcm" --threads \
    "$THREADS" "$OUT/float.qcm" >"$OUT/recommended.quantize.tsv"
say "QCore: quantizing all layers to $BITS bits, training the bit-flip network on simulated people"
qc-quantize -q -b "$BITS" --no-std --last-bits "$BITS" -c "$OUT/coreset.qcd" -d "$OUT/$source.train.qcd" -o \
    "$OUT/plain.qcm" --threads "$THREADS" "$OUT/float.qcm" \
    >"$OUT/qcore.quantize.tsv"
qc-bitflip-train -q -c "$OUT/coreset.qcd" -d "$OUT/$source.train.qcd" -o "$OUT/qcore.qcm" $flips --threads "$THREADS" \
    "$OUT/plain.qcm" >"$OUT/bitflip.tsv"

# ---- on the device: forward passes only, one thread

for path in recommended qcore; do
    say "$path: calibrating on a stream of $first, then of $second, 8 batches each"
    qc-calibrate -q -c "$OUT/coreset.qcd" -C "$OUT/$path.coreset.qcd" -s "$OUT/$first.train.qcd" -s \
        "$OUT/$second.train.qcd" --batches 8 \
        -t "$OUT/$first.test.qcd" -t "$OUT/$second.test.qcd" -t "$OUT/$source.test.qcd" -o "$OUT/$path.calibrated.qcm" \
        "$OUT/$path.qcm" >"$OUT/$path.tsv"
done

# ---- the table: accuracy before learning (batch 0) and after each batch

accuracy() { qc-eval -q -d "$OUT/$2.test.qcd" --threads "$THREADS" --json "$OUT/$1.qcm" |
    sed 's/.*"accuracy": \([0-9.]*\).*/\1/'; }
say "done; accuracy on the test sets of $first and $second (targets) and $source (source):"
awk -F '\t' -v first="$first" -v second="$second" -v source="$source" -v \
    floats="$(accuracy float "$first") $(accuracy float "$second") $(accuracy float "$source")" '
    FNR == 1 { p++; for (i = 1; i <= NF; i++) at[$i] = i; next }
    $1 == "R0" { for (t = 1; t <= 3; t++) a[p, 0, t] = $(4 + t); next }
    $1 ~ /^[0-9]+$/ {
        n = $1; for (t = 1; t <= 3; t++) a[p, n, t] = $at["test" t]
        ms[p] += $at["ms"]; bytes[p] = $at["bytes"]
    }
    END {
        printf "%-16s %20s   %20s\n", "", "recommended", "QCore"
        printf "%-16s", "after batch"
        for (p = 1; p <= 2; p++) printf " %6s %6s %6s  ", first, second, source
        print ""
        split(floats, f, " ")
        printf "%-16s %6.3f %6.3f %6.3f   %6.3f %6.3f %6.3f\n", "(float model)", f[1], f[2], f[3], f[1], f[2], f[3]
        for (b = 0; b <= n; b++) {
            printf "%-16s", b ? b " of " (b <= n / 2 ? first : second) : "0, as quantized"
            for (p = 1; p <= 2; p++) printf " %6.3f %6.3f %6.3f  ", a[p, b, 1], a[p, b, 2], a[p, b, 3]
            print ""
        }
        printf "%-16s", "forgotten"
        for (p = 1; p <= 2; p++) printf " %6.3f %6s %6.3f  ", a[p, n / 2, 1] - a[p, n, 1], "-", a[p, 0, 3] - a[p, n, 3]
        printf "\n%-16s %20.1f   %20.1f\n", "ms per batch", ms[1] / n, ms[2] / n
        printf "%-16s %20d   %20d\n", "bytes", bytes[1], bytes[2]
        for (b = 0; b <= n; b++)
            print b, a[1, b, 1], a[1, b, 2], a[1, b, 3], a[2, b, 1], a[2, b, 2], a[2, b, 3] >"/dev/stderr"
    }' "$OUT/recommended.tsv" "$OUT/qcore.tsv" >"$OUT/table.txt" 2>"$OUT/curve.dat"
cat "$OUT/table.txt"
cat <<WORDS
forgotten: of $first while $second was learned, and of $source since it was quantized
bytes: all memory of the device, model included, but the batch itself
WORDS
gnuplot -e "data='$OUT/curve.dat'; picture='$OUT/demo.svg'; bits='$BITS'" \
    -e "source='$source'; first='$first'; second='$second'" "$here/demo.gp"
echo "picture: $OUT/demo.svg"
