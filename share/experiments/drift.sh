#!/bin/sh
# Measures the drift score of qc-run without labels, for every source and every stream of DSA, USC-HAD, gas drift, FSDD
# and Myo. A model of 2 bits is trained on the training part of each source. Then `qc-run -d` reads the test part of the
# source and all streams in recorded order.
#   drift.sh DIR [DATA]
# DIR keeps parts, models and logs; existing files are not made again.
# SETS='fsdd myo': only these sets. SEED: of training. ORDER=shuffled: streams are shuffled.
# Prints TSV: set, source, stream, windows, accuracy, windows with an alarm, number of the first such window (from 1; 0:
# no alarm).
set -eu
dir=${1:?a folder for parts and models is needed} data=${2:-${QC_DATA:-../shared/data}} here=$(dirname "$0")
sets=${SETS:-dsa uschad gas fsdd myo} seed=${SEED:-1} order=${ORDER:-recorded}
mkdir -p "$dir"

unpack() { [ -d "$dir/$1.raw" ] || { mkdir "$dir/$1.raw" && $2 "$data/$3" | tar -xf - -C "$dir/$1.raw"; }; }

# parts_of SET: makes DIR/SET/SOURCE.train.qcd, DIR/SET/SOURCE.test.qcd, and DIR/SET/NAME.stream.qcd of all other data
parts_of() {
    case $1 in
    dsa) sh "$here/parts.sh" "$dir/dsa" "$data" ;;
    uschad) sh "$here/uschad-parts.sh" "$dir/uschad" "$data" ;;
    gas)
        unpack gas 'zstd -dc' gas-drift/batches-1-6.tar.zst
        qc-import -q -f libsvm --features --name-pattern 'batch{group}.dat' -o "$dir/gas.qcd" "$dir/gas.raw"
        qc-split -q -g 1 -t 0.3 --by block -o "$dir/gas/1.train.qcd" -O "$dir/gas/1.test.qcd" "$dir/gas.qcd"
        for batch in 2 3 4 5 6; do qc-split -q -g $batch -o "$dir/gas/$batch.stream.qcd" "$dir/gas.qcd"; done
        ;;
    fsdd)
        unpack fsdd cat fsdd/recordings.tar
        qc-import -q -f wav --unequal resample --length 1024 --name-pattern '{label}_{group}_{recording}.wav' \
            -o "$dir/fsdd.qcd" "$dir/fsdd.raw"
        for name in jackson nicolas theo yweweler; do
            qc-split -q -g $name -t 0.2 --by recording -o "$dir/fsdd/$name.train.qcd" -O "$dir/fsdd/$name.test.qcd" \
                "$dir/fsdd.qcd"
        done
        ;;
    myo) # the first three repetitions of each gesture are the training part, the fourth is the test part
        unpack myo 'zstd -dc' myo/people.tar.zst
        qc-import -q -f raw --type i16 --channels 8 --interleaved --window 52 --stride 26 \
            --name-pattern '{group}/{recording}/classe_{label%7}.dat' -o "$dir/myo.qcd" "$dir/myo.raw"
        for name in Female0 Male0 Male1 Male2 Male3 Male4; do
            for session in training0 Test0 Test1; do
                qc-split -q -g $name --leave "$name/$session" -o "$dir/rest" -O "$dir/myo/$name-$session.stream.qcd" \
                    "$dir/myo.qcd"
            done
            qc-split -q -t 0.25 --by block -o "$dir/myo/$name.train.qcd" -O "$dir/myo/$name.test.qcd" \
                "$dir/myo/$name-training0.stream.qcd"
        done
        ;;
    *) echo "drift.sh: there is no set '$1'" >&2; exit 2 ;;
    esac
}

# model_of SET SOURCE: DIR/SET/SOURCE.qcm
model_of() {
    at=$dir/$1/$2
    [ -f "$at.qcm" ] && return
    case $1 in gas) arch=mlp ;; *) arch=inceptiontime-16x3 ;; esac
    qc-train -q --threads 1 --seed $seed -a $arch --epochs 30 -d "$at.train.qcd" -L "$at.miss" -o "$at.float.qcm"
    qc-coreset -q -n 30 -L "$at.miss" -d "$at.train.qcd" -o "$at.core.qcd"
    qc-quantize -q --threads 1 -b 2 -c "$at.core.qcd" -d "$at.train.qcd" -o "$at.qcm" "$at.float.qcm" >"$at.tsv"
}

# follow SET SOURCE STREAM FILE: prints windows, accuracy, windows with an alarm, number of the first
follow() {
    file=$4
    if [ $order = shuffled ]; then
        qc-split -q --batches 1 --order shuffled -o "$dir/shuffled" "$file"
        file=$dir/shuffled.01.qcd
    fi
    qc-run -q -d "$file" "$dir/$1/$2.qcm" >"$dir/log"
    qc-eval -q --json -d "$file" "$dir/$1/$2.qcm" >"$dir/accuracy"
    awk -F'\t' -v OFS='\t' -v accuracy="$(grep -o '"accuracy": *[0-9.]*' "$dir/accuracy" | head -1 | tr -dc '0-9.')" '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
        { n++; if ($column["alarm"] == 1) { alarms++; if (!first) first = n } }
        END { print n, accuracy, alarms + 0, first + 0 }' "$dir/log"
}

printf 'set\tsource\tstream\twindows\taccuracy\talarms\tfirst\n'
for set in $sets; do
    [ -d "$dir/$set" ] || { mkdir "$dir/$set" && parts_of $set; }
    for train in "$dir/$set"/*.train.qcd; do
        source=$(basename "$train" .train.qcd)
        model_of $set $source
        printf '%s\t%s\tsource\t%s\n' $set $source "$(follow $set $source source "$dir/$set/$source.test.qcd")"
        for stream in "$dir/$set"/*.stream.qcd "$dir/$set"/*.train.qcd; do
            name=$(basename "$stream" .qcd)
            case $name in
            $source.train | "$source-training0.stream" | '*'* ) continue ;;
            *.train) ls "$dir/$set"/*.stream.qcd >"$dir/streams" 2>&1 && continue ;;
            esac
            printf '%s\t%s\t%s\t%s\n' $set $source "${name%.*}" "$(follow $set $source "$name" "$stream")"
        done
    done
done
