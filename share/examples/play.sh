#!/bin/sh
# Plays a recording through qc-run at its own rate, as if its sensor were there.
#   play.sh RECORDING.csv RATE MODEL [OPTION...]
# RATE: frames per second; 0: as fast as possible. OPTIONS are options of qc-run, for example --stride 25 --json.
set -eu
[ $# -ge 3 ] || { echo "play.sh: usage: play.sh RECORDING.csv RATE MODEL [OPTION...]" >&2; exit 2; }
recording=$1 rate=$2 model=$3
shift 3

# A line at a time, with a pause after each tenth of a second of frames: to start "sleep" takes time, too.
play() {
    awk -v rate="$rate" \
        '{ print; fflush() } rate > 0 && NR > 1 && NR % step == 1 { system("sleep " step / rate) }
        BEGIN { step = rate > 10 ? int(rate / 10) : 1 }' "$recording"
}
play | qc-run "$@" "$model"
