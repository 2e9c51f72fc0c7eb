#!/bin/sh
# An e-nose that drifts for 36 months (batches 1 to 6: 20 months), as a live stream. A model of the first batch
# predicts each later measurement, then gets its label and learns.
#   enose.sh GASDRIFT [FOLDER]
# GASDRIFT: a folder with batch1.dat, batch2.dat ... (UCI 224), or their .tar.zst. FOLDER gets the model, the state, the
# log and the log's page, session.html; without it they are deleted. Prints the accuracy of each batch: of the quantized
# model without learning, and of the learner before it gets the label.
set -eu
data=${1:?usage: enose.sh GASDRIFT [FOLDER]} folder=${2:-}
[ -n "$folder" ] || { folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT; }
mkdir -p "$folder/batches"
case $data in
*.tar.zst) zstd -dcq "$data" | tar -xf - -C "$folder/batches" ;;
*) cp "$data"/batch*.dat "$folder/batches" ;;
esac
cd "$folder"
qc-import -q -f libsvm --features --name-pattern 'batch{group}.dat' -o gas.qcd batches
qc-split -q -g 1 -o first.qcd gas.qcd
qc-train -q --threads 1 -a mlp -d first.qcd -L first.miss -o float.qcm
qc-coreset -q -n 30 -L first.miss -d first.qcd -o core.qcd
qc-quantize -q --threads 1 -b 4 -c core.qcd -d first.qcd -o model.qcm float.qcm >quantize.tsv
rm -f run.state
: >log
printf 'batch\tmeasurements\tfrozen\tlearning\n'
n=2
while [ -f "batches/batch$n.dat" ]; do
    # a measurement per frame: 128 values, and the label, which counts after the prediction
    awk '{ for (i = 2; i <= NF; i++) { sub(/^[0-9]*:/, "", $i); printf "%s,", $i } sub(/;.*/, "", $1); print $1 }' \
        "batches/batch$n.dat" >frames.csv
    qc-run -q --label-column 129 model.qcm <frames.csv >frozen
    qc-run -q --label-column 129 -c core.qcd --state run.state --every 20 model.qcm <frames.csv >learning
    cat learning >>log
    for run in frozen learning; do
        awk -F'\t' 'NR > 1 { n++; right += $3 == $8 } END { printf "%.3f\n", right / n }' $run >$run.accuracy
    done
    printf '%s\t%s\t%s\t%s\n' $n "$(grep -c . frames.csv)" "$(cat frozen.accuracy)" "$(cat learning.accuracy)"
    n=$((n + 1))
done
qc-report -q --html -o session.html log
