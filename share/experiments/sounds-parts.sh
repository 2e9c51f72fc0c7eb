#!/bin/sh
# Makes the training and test parts of spoken digits (FSDD) of jackson and theo, as log-mel features.
#   sounds-parts.sh DIR [DATA]
# SPEAKERS='george nicolas' makes the parts of these speakers. Writes DIR/jackson.train.qcd, DIR/jackson.test.qcd, and
# the same for theo. DATA: a folder with fsdd/recordings.tar, or with its files. A fifth of the recordings of each
# digit, drawn at random, is the test part. Recordings are padded with silence to 2.29 s, the length of the longest
# recording, which gives 114 frames.
set -eu
out=${1:?a folder for the parts is needed} data=${2:-${QC_DATA:-../shared/data}}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for speaker in ${SPEAKERS:-jackson theo}; do
    if [ -f "$data/fsdd/recordings.tar" ]; then
        mkdir "$work/$speaker"
        tar -xf "$data/fsdd/recordings.tar" -C "$work/$speaker" --wildcards "*_${speaker}_*.wav"
        tree=$work/$speaker
    else
        tree=$data
    fi
    qc-import -q -f wav --front-end logmel:frame=32ms,hop=20ms --unequal pad --length 18336 \
        --name-pattern "{label:d}_${speaker}_{recording:d}.wav" -o "$work/$speaker.qcd" "$tree"
    qc-split -q --by random -t 0.2 -o "$out/$speaker.train.qcd" -O "$out/$speaker.test.qcd" "$work/$speaker.qcd"
done
