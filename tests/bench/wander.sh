#!/bin/sh
# wander.sh - does accuracy hold over a long stream of small batches? A small network of 2 bits learns WANDER_BATCHES
# (10000) batches of 8 windows of one synthetic subject. WANDER_SEEDS ("1 2 3 4 5") make subject, models and stream.
# Method closed has the recommended model, qcore the published one (README.md).
# Prints TSV: seed, method, and the test-then-train accuracy of the first WANDER_WINDOW (500) batches, of the lowest
# window of as many batches after them, of all. Then lines `bar NAME VALUE >= BAR ok`; ends with 1 if a bar is missed.
batches=${WANDER_BATCHES:-10000} window=${WANDER_WINDOW:-500}
export OMP_NUM_THREADS=1
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
cd "$place" || exit 1

make_models() { # make_models SEED: stream.qcd, core.qcd, closed.qcm, qcore.qcm
    qc-synth -q --seed "$1" --subjects 2 --drift 1.5 --channels 3 --length 24 --windows "$batches" -o all.qcd &&
        qc-split -q -g p2 -o stream.qcd all.qcd &&
        qc-synth -q --seed "$1" --subjects 1 --drift 1.5 --channels 3 --length 24 --windows 60 -o p1.qcd || return 1
    printf '%s\n' 'name: small' layers: '  - conv: 8' '    kernel: 5' '  - relu' '  - conv: 12' '    kernel: 5' \
        '  - relu' '  - gap' >small.yaml
    qc-train -q --threads 1 --epochs 20 --seed "$1" -a small.yaml -d p1.qcd -L p1.miss -o float.qcm &&
        qc-coreset -q -n 30 -L p1.miss -d p1.qcd --seed "$1" -o core.qcd &&
        qc-quantize -q -b 2 --threads 1 --seed "$1" -c core.qcd -d p1.qcd -o closed.qcm float.qcm >words &&
        qc-quantize -q -b 2 --no-std --last-bits 2 --threads 1 --seed "$1" -c core.qcd -d p1.qcd -o r.qcm float.qcm \
            >words &&
        qc-bitflip-train -q --subjects 2 --oracle-steps 15 --steps 200 --threads 1 --seed "$1" -c core.qcd -d p1.qcd \
            -o qcore.qcm r.qcm >words
}

printf 'seed\tmethod\tfirst\tlowest\tmean\n'
for seed in ${WANDER_SEEDS:-1 2 3 4 5}; do
    make_models "$seed" || exit 1
    for method in closed qcore; do
        qc-calibrate -q --no-output -m $method -c core.qcd -s stream.qcd -B 8 --seed "$seed" \
            $method.qcm >batches.tsv || exit 1
        awk -F '\t' -v window="$window" -v name="$seed	$method" '
            NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; lowest = 2; next }
            $1 + 0 == 0 { next }
            {
                sum += $column["before"]; all += $column["before"]; batches++
                if (++n < window) next
                mean = sum / n
                if (!windows++) first = mean
                else if (mean < lowest) lowest = mean
                sum = n = 0
            }
            END { printf "%s\t%.3f\t%.3f\t%.3f\n", name, first, lowest, all / batches }' batches.tsv
    done
done >means.tsv
cat means.tsv
awk -F '\t' '{ bad += !($4 >= $3 - .03)
    printf "bar %s-%s %.3f >= %.3f %s\n", $2, $1, $4, $3 - .03, ($4 >= $3 - .03) ? "ok" : "MISSED" }
    END { exit bad > 0 }' means.tsv
