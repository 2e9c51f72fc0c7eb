#!/bin/sh
# Makes the training and test parts of USC-HAD subjects, one file each.
#   uschad-parts.sh DIR [DATA]
# Writes DIR/s1.train.qcd, DIR/s1.test.qcd ... DATA: a USC-HAD tree (Subject1/a1t1.mat), or a folder with
# usc-had/Subject1.tar ... Windows are 500 rows (5 s) that do not overlap. Trial 5 of each activity is the test part.
set -eu
out=${1:?a folder for the parts is needed} data=${2:-${QC_DATA:-../shared/data}}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for archive in "$data"/usc-had/Subject*.tar; do
    [ ! -f "$archive" ] || tar -xf "$archive" -C "$work"
done
tree=$(find "$work" "$data" -type d -name Subject1 | head -n 1)
[ -n "$tree" ] || { echo \
    "uschad-parts.sh: there is neither a USC-HAD tree (Subject1/a1t1.mat) nor usc-had/*.tar in $data" >&2; exit 3; }
for subject in "$(dirname "$tree")"/Subject*/; do
    name=$(basename "$subject")
    number=${name#Subject}
    qc-import -q -f uschad -g "$name" -o "$work/$name.qcd" "$(dirname "$tree")"
    qc-split -q --leave '*t5' -o "$out/s$number.train.qcd" -O "$out/s$number.test.qcd" "$work/$name.qcd"
done
