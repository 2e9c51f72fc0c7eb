#!/bin/sh
# export.sh - a model exported as C gives the logits of qc-eval and, after a session, the codes and the coreset of qc-calibrate, bit for bit: at 2, 4 and 8 bits,
# and where the last layer reads standard deviations.
# Run from the top of the tree; BUILD has pack_stream, PATH the programs.
set -eu
. tests/device/firmware/make.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make_people
for bits in 2 4 8 4std; do
    make_session ${bits%std} s$bits shuffled $(case $bits in *std) echo --std --last-bits 8;; esac) || exit 1
    compile_host s$bits || exit 1
    s$bits/host logits >words || { cat words; exit 1; }
    cmp logits s$bits/logits || { echo "$bits bits: not the logits of qc-eval"; exit 1; }
done
