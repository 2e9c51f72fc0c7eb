#!/bin/sh
# Measures how a model learns classes that were absent from its training, on UCI-DSA people 1 to 3. Three of the 19
# activities, drawn by seed, are left out of training. The model has 2 bits and three spare rows. Two windows of each
# new activity are labelled first, then eight more.
#   new-classes.sh DIR [DATA]
# DIR keeps parts, models and logs; existing files are not made again.
# SEEDS='1 2 3': draws. PEOPLE='p1 p2 p3'. OPTIONS: of qc-calibrate.
# Prints TSV: person, seed, new classes, labels of each, mean recall of the new classes, accuracy of the other classes
# before and after.
set -eu
dir=${1:?a folder for parts and models is needed} data=${2:-${QC_DATA:-../shared/data}}
mkdir -p "$dir/tree"
for archive in "$data"/dsa/p*.tar.zst; do
    [ -d "$dir/tree/a01/$(basename "$archive" .tar.zst)" ] || zstd -qdc "$archive" | tar -xf - -C "$dir/tree"
done
tree=$(cd "$(dirname "$(find "$dir/tree" -type d -name a01 | head -n 1)")" && pwd)

# numbers FROM TO N SEED: draws N different whole numbers
numbers() { seq "$1" "$2" | awk -v seed="$4" 'BEGIN { srand(seed) } { print rand() "\t" $1 }' | sort -n | head -n "$3" |
    cut -f 2; }

# part NAME PERSON: makes DIR/NAME.qcd from "ACTIVITY SEGMENT" lines on stdin
part() {
    rm -rf "$dir/some"
    while read -r activity segment; do
        mkdir -p "$dir/some/$activity/$2"
        ln -s "$tree/$activity/$2/$segment.txt" "$dir/some/$activity/$2/$segment.txt"
    done
    qc-import -q -f dsa -g "$2" -o "$dir/$1.qcd" "$dir/some"
}
cross() { for a in $1; do for s in $2; do printf 'a%02d s%02d\n' "$a" "$s"; done; done; }

figure() { qc-eval -q --json -d "$1" "$2" | grep -o '"recall_mean": *[0-9.]*' | tr -dc '0-9.'; }

printf 'person\tseed\tnew\tlabels\trecall\tothers before\tothers after\n'
for person in ${PEOPLE:-p1 p2 p3}; do
    for seed in ${SEEDS:-1 2 3}; do
        at=$person-$seed
        new=$(numbers 1 19 3 "$seed${person#p}" | sort -n)
        others=$(seq 1 19 | grep -vxF "$new")
        if [ ! -f "$dir/$at.qcm" ]; then
            # the first 48 segments of an activity are the training part
            cross "$others" "$(seq 1 48)" | part "$at.train" "$person"
            cross "$others" "$(seq 49 60)" | part "$at.others" "$person"
            cross "$new" "$(seq 49 60)" | part "$at.new" "$person"
            ten=$(numbers 1 48 10 "$seed")
            cross "$new" "$(echo "$ten" | head -n 2)" | part "$at.two" "$person"
            cross "$new" "$(echo "$ten" | tail -n 8)" | part "$at.eight" "$person"
            qc-train -q --threads 1 --seed "$seed" -a inceptiontime-16x3 --epochs 30 -d "$dir/$at.train.qcd" \
                -L "$dir/$at.miss" -o "$dir/$at.float.qcm"
            qc-coreset -q -n 30 -L "$dir/$at.miss" -d "$dir/$at.train.qcd" -o "$dir/$at.core.qcd"
            qc-quantize -q --threads 1 -b 2 --spare-classes 3 -c "$dir/$at.core.qcd" -d "$dir/$at.train.qcd" \
                -o "$dir/$at.qcm" "$dir/$at.float.qcm" >"$dir/$at.tsv"
        fi
        before=$(figure "$dir/$at.others.qcd" "$dir/$at.qcm")
        model=$dir/$at.qcm core=$dir/$at.core.qcd
        for labels in 2 10; do
            [ $labels = 2 ] && stream=two || stream=eight
            # shellcheck disable=SC2086
            qc-calibrate -q ${OPTIONS:-} --batches 1 -c "$core" -s "$dir/$at.$stream.qcd" \
                -C "$dir/$at.$labels.core.qcd" -o "$dir/$at.$labels.qcm" "$model" >"$dir/$at.$labels.tsv"
            model=$dir/$at.$labels.qcm core=$dir/$at.$labels.core.qcd
            printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$person" "$seed" "$(echo $new)" $labels \
                "$(figure "$dir/$at.new.qcd" "$model")" "$before" "$(figure "$dir/$at.others.qcd" "$model")"
        done
    done
done
