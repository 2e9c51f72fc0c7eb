#!/bin/sh
# Makes the training and test parts of gas drift (UCI 224), one pair of files per batch.
#   gas-parts.sh DIR [DATA]
# Writes DIR/1.train.qcd, DIR/1.test.qcd, ... DIR/6.test.qcd. DATA: a folder with gas-drift/batches-1-6.tar.zst. 30 % of
# each gas, drawn at random, is the test part.
set -eu
out=${1:?a folder for the parts is needed} data=${2:-${QC_DATA:-../shared/data}}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
zstd -dcq "$data/gas-drift/batches-1-6.tar.zst" | tar -xf - -C "$work"
qc-import -q -f libsvm --features --name-pattern 'batch{group}.dat' -o "$work/gas.qcd" "$work"
for batch in 1 2 3 4 5 6; do
    qc-split -q -g $batch -t 0.3 --by random -o "$out/$batch.train.qcd" -O "$out/$batch.test.qcd" "$work/gas.qcd"
done
