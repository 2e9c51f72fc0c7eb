#!/bin/sh
# run.sh - measures the time from the last frame of a window to the line of qc-run for it, divided by the time of a
# forward pass of the model. The time of the forward pass is the processor time per window of `qc-run -d`.
# Prints TSV: model, forward pass and line in microseconds (medians), ratio. Then the bar.
set -eu
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
export OMP_NUM_THREADS=1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
qc-synth -q --subjects 1 --activities 19 --windows 40 --channels 45 --length 125 -o data.qcd
qc-split -q -t 0.75 -o some.qcd -O test.qcd data.qcd
qc-export -q -f csv -o windows.csv test.qcd
for arch in inceptiontime-16x3 inceptiontime; do
    qc-train -q --threads 1 --epochs 2 -a $arch -d some.qcd -o float.qcm
    qc-coreset -q -n 19 -d some.qcd -o core.qcd
    qc-quantize --force -q -b 2 --epochs 0 --threads 1 -c core.qcd -d some.qcd -o $arch.qcm float.qcm >words
done
/usr/bin/python3 "$TOP/tests/bench/run.py" test.qcd windows.csv inceptiontime-16x3.qcm inceptiontime.qcm
