#!/bin/sh
# export.sh - a model exported as C gives the logits of qc-eval and, after a session, the codes and the coreset of qc-calibrate, bit for bit: at 2, 4 and 8 bits,
# where the last layer reads standard deviations, and with every option of the device's step at another value than its default.
# Run from the top of the tree; BUILD has pack_stream, PATH the programs.
set -eu
. tests/device/firmware/make.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make_people
for bits in 2 4 8 4std 2all; do
    device=
    [ $bits != 2all ] || device='--stop 0 --phi0 .03 --cap .02 --phi-max .5 --by-layer 1 --balance .5 --prior -1 --chunk 600 --scarce .2 --lead 0 --rest 0 --temper .2
        --unseen .3 --ridge .1 --worth 1 --recent 3 --update misses'
    make_session ${bits%%[a-z]*} s$bits shuffled $(case $bits in *std) echo --std --last-bits 8;; esac) || exit 1
    compile_host s$bits || exit 1
    s$bits/host logits >words || { cat words; exit 1; }
    cmp logits s$bits/logits || { echo "$bits bits: not the logits of qc-eval"; exit 1; }
done
