#!/bin/sh
# Makes the training and test parts of Office-Caltech's cameras, 64 x 64 pixels.
#   office-parts.sh DIR [DATA]
# Writes DIR/amazon.train.qcd, DIR/amazon.test.qcd, and the same for dslr and webcam. DATA: a folder with amazon, dslr
# and webcam (each has a folder per class), or with office-caltech/amazon.tar ... The test part of each class is drawn
# at random: a fifth of amazon, and two fifths of the others, which have few pictures. dslr and webcam show some
# objects several times, so that both parts may show the same object.
set -eu
out=${1:?a folder for the parts is needed} data=${2:-${QC_DATA:-../shared/data}}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for camera in amazon dslr webcam; do
    tree=$data/$camera share=0.4
    [ $camera != amazon ] || share=0.2
    if [ -f "$data/office-caltech/$camera.tar" ]; then
        tar -xf "$data/office-caltech/$camera.tar" -C "$work"
        tree=$work/$camera
    fi
    [ -d "$tree" ] || { echo "office-parts.sh: there is neither $camera nor office-caltech/$camera.tar in $data" >&2; \
        exit 3; }
    qc-import -q -f images --size 64 -o "$work/$camera.qcd" "$tree"
    qc-split -q --by random -t $share -o "$out/$camera.train.qcd" -O "$out/$camera.test.qcd" "$work/$camera.qcd"
done
