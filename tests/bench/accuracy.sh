#!/bin/sh
# The accuracy figures on real recordings: UCI-DSA, a model of one person calibrated on another's stream. `make bench-accuracy` calls this with the
# programs in PATH, QC_DATA and QC_SHARE set. The last 20 % of each activity's segments are the test sets; everything else is made of the rest.
#
# From the environment (defaults in brackets):
#   SEEDS ["1 2 3"]  BITS ["2 4 8"]  PAIRS ["p1-p2 p1-p3"]  CAPS ["30 60"]  CHOOSE ["network random"]
#   FULL=1           the full network of 32 x 6 too, at 2 bits on the first pair (hours)
#   THREADS [2]      of training; the device has one
#   OUT [build/bench-accuracy]  every run is kept here under its own name: a killed bench goes on where it stopped
#   REPORT=1         no new runs: a table of those that are there
#   PARTS=DIR        instead of QC_DATA: DIR/p1.train.qcd, DIR/p1.test.qcd, ...
#   TRAIN, QUANTIZE, TEACH, CALIBRATE  more options for the programs (not part of the names: take another OUT)
# Runs are NOT made anew when the programs have changed: remove OUT for that.
# shellcheck disable=SC2086 # options of the user are words
set -eu
SEEDS=${SEEDS:-1 2 3} BITS=${BITS:-2 4 8} PAIRS=${PAIRS:-p1-p2 p1-p3} CAPS=${CAPS:-30 60} CHOOSE=${CHOOSE:-network random} FULL=${FULL:-}
QC_DATA=${QC_DATA:-../shared/data} THREADS=${THREADS:-2} OUT=${OUT:-build/bench-accuracy} REPORT=${REPORT:-} PARTS=${PARTS:-}
TRAIN=${TRAIN:-} QUANTIZE=${QUANTIZE:-} TEACH=${TEACH:-} CALIBRATE=${CALIBRATE:-}
OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
export OMP_WAIT_POLICY
here=$(dirname "$0")
began=$(date +%s)
SMALL=inceptiontime-16x3 LARGE=inceptiontime
parts=${PARTS:-$OUT}
mkdir -p "$OUT"

# keep FILE COMMAND...: makes OUT/FILE of the command's output, unless it is there. The name appears once it is whole.
keep() {
    file=$1
    shift
    [ ! -e "$OUT/$file" ] || return 0
    echo "[$(($(date +%s) - began)) s] $file" >&2
    "$@" >"$OUT/$file.part" || { echo "accuracy.sh: this failed: $*" >&2; exit 1; }
    mv "$OUT/$file.part" "$OUT/$file"
}

# ---- data

import() { # import PERSON, from a tree or from the archive of one
    tree=$QC_DATA archive=$QC_DATA/dsa/$1.tar.zst
    if [ -f "$archive" ]; then
        tree=$OUT/tree
        rm -rf "$tree" && mkdir "$tree" && zstd -qdf "$archive" -o "$OUT/archive.tar" && tar -xf "$OUT/archive.tar" -C "$tree" || return 1
    fi
    a01=$(find "$tree" -type d -name a01 2>/dev/null | head -n 1)
    [ -n "$a01" ] || { echo "accuracy.sh: there is neither $archive nor a UCI-DSA tree (a01/p1/s01.txt) in $QC_DATA; say DATA=DIR" >&2; return 1; }
    qc-import -q -f dsa -g "$1" -o "$OUT/$1.qcd" "$(dirname "$a01")" &&
        qc-split -q -t 0.2 --by block -o "$OUT/$1.train.qcd" -O "$OUT/$1.test.qcd" "$OUT/$1.qcd" && rm -rf "$OUT/tree" "$OUT/archive.tar"
}

# ---- on the workstation; A: architecture, S: seed, B: bits, C: capacity. Names are A.sS.SOURCE.bB ...

source_model() { # source_model A S SOURCE
    keep "$1.s$2.$3.train" qc-train -q -a "$1" -d "$parts/$3.train.qcd" -L "$OUT/$1.s$2.$3.miss" -o "$OUT/$1.s$2.$3.float.qcm" --seed "$2" --threads "$THREADS" $TRAIN
    keep "$1.s$2.$3.float.json" qc-eval -q -d "$parts/$3.test.qcd" --json --threads "$THREADS" "$OUT/$1.s$2.$3.float.qcm"
    for C in $CAPS; do
        keep "$1.s$2.$3.core$C" qc-coreset -q -n "$C" -L "$OUT/$1.s$2.$3.miss" -d "$parts/$3.train.qcd" -o "$OUT/$1.s$2.$3.core$C.qcd" --seed "$2" --report
    done
}

quantized_model() { # quantized_model A S SOURCE B
    from=$OUT/$1.s$2.$3 to=$1.s$2.$3.b$4 core=$OUT/$1.s$2.$3.core${CAPS%% *}.qcd
    keep "$to.quantize.json" qc-quantize -q -b "$4" -c "$core" -d "$parts/$3.train.qcd" -o "$OUT/$to.qcm" --seed "$2" --threads "$THREADS" --json $QUANTIZE "$from.float.qcm"
    keep "$to.source.json" qc-eval -q -d "$parts/$3.test.qcd" --json --threads "$THREADS" "$OUT/$to.qcm"
    keep "$to.teach.json" qc-bitflip-train -q -c "$core" -d "$parts/$3.train.qcd" -o "$OUT/$to.flip.qcm" --seed "$2" --threads "$THREADS" --json $TEACH "$OUT/$to.qcm"
}

# ---- on the device

calibrate() { # calibrate A S SOURCE TARGET B C ORDER HOW: HOW is network, random, greedy or none
    how="--choose $8"
    [ "$8" != none ] || how='-m none'
    keep "$1.s$2.$3-$4.b$5.c$6.$7.$8.run" qc-calibrate -q -c "$OUT/$1.s$2.$3.core$6.qcd" -s "$parts/$4.train.qcd" --batches 10 --order "$7" $how \
        -t "$parts/$4.test.qcd" -t "$parts/$3.test.qcd" --seed "$2" --json -o "$OUT/last.qcm" $CALIBRATE "$OUT/$1.s$2.$3.b$5.flip.qcm"
}

everything_of() { # everything_of A S PAIR B: the chain of one seed, pair and number of bits
    source=${3%-*} target=${3#*-}
    source_model "$1" "$2" "$source"
    quantized_model "$1" "$2" "$source" "$4"
    calibrate "$1" "$2" "$source" "$target" "$4" "${CAPS%% *}" shuffled none
    for C in $CAPS; do
        for how in $CHOOSE; do calibrate "$1" "$2" "$source" "$target" "$4" "$C" shuffled "$how"; done
    done
}

ordered_by_class() { # ordered_by_class A S PAIR B
    for C in $CAPS; do calibrate "$1" "$2" "${3%-*}" "${3#*-}" "$4" "$C" classes network; done
    calibrate "$1" "$2" "${3%-*}" "${3#*-}" "$4" "${CAPS%% *}" classes none
}

run_all() { # what is quick first: a killed bench has whole seeds to show
    first=${PAIRS%% *}
    for person in $(echo "$PAIRS" | tr - ' '); do
        [ -n "$PARTS" ] || keep "$person.import" import "$person"
    done
    for S in $SEEDS; do
        for B in $BITS; do
            for pair in $PAIRS; do everything_of $SMALL "$S" "$pair" "$B"; done
            [ "$B" != 2 ] || ordered_by_class $SMALL "$S" "$first" 2
        done
    done
    [ -n "$FULL" ] || return 0
    CAPS=${CAPS%% *} CHOOSE=network
    for S in $SEEDS; do everything_of $LARGE "$S" "$first" 2; done
}

old=$(find "$OUT" -name '*.run' ! -newer "$(command -v qc-calibrate)" | wc -l)
[ "$old" -eq 0 ] || echo "accuracy.sh: $old runs in $OUT are older than the programs and are kept as they are (rm -r $OUT for new ones)" >&2
[ -n "$REPORT" ] || (run_all)
exec python3 "$here/accuracy_table.py" "$OUT"
