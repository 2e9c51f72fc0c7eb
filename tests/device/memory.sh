# memory.sh - the device's programs keep to the plan that --memory prints. Their address space, which is larger than
# their resident memory, is limited to the plan and 4 MB; the stream is more than twice that. With 2 MB less, a program
# that holds its stream fails.
set -eu
. tests/device/cross

for_device "${CC:-gcc}"
bin=$(realpath "$device/bin")
cd "$work"
qc-synth -q --subjects 2 --activities 4 --windows 10 --channels 3 --length 200 -o people.qcd
qc-split -q -g p1 -o p1.qcd people.qcd
qc-synth -q --subjects 1 --activities 4 --windows 1000 --channels 3 --length 200 -o long.qcd
printf 'name: tiny\ninception:\n  filters: 4\n  depth: 3\n  kernels: [9, 5, 3]\n  bottleneck: 4\n  residual: 3\n' \
    >tiny.yaml
qc-train -q --threads 1 --epochs 1 -a tiny.yaml -d p1.qcd -o fp.qcm
qc-coreset -q -n 12 -d p1.qcd -o core.qcd
qc-quantize --force -q -b 2 --epochs 0 --threads 1 -c core.qcd -o q.qcm fp.qcm >words
qc-bitflip-train -q --subjects 1 --test-subjects 1 --oracle-steps 1 --steps 5 --threads 1 -c core.qcd -o f.qcm q.qcm \
    >words

wrong=0
bytes=$(qc-info --memory -n 12 -B 60 f.qcm | sed -n 's/^bytes: //p')
limit=$((bytes / 1024 + 4096))
[ "$(wc -c <long.qcd)" -gt $((2 * limit * 1024)) ] || { echo "the stream is too short to tell"; wrong=1; }
within() { # within KB WHAT PROGRAM...
    kb=$1 what=$2
    shift 2
    (ulimit -v "$kb" && exec "$@" >said 2>&1) || { echo "$what does not do with $kb KB of address space:" &&
        cat said; wrong=1; }
}
within $limit "a calibration" "$bin/qc-calibrate" -q -B 60 --tune rounds=1 -c core.qcd -s long.qcd -C out.qcd -o \
    out.qcm f.qcm
within $limit "an evaluation" "$bin/qc-eval" --threads 1 -d long.qcd f.qcm
cat long.qcd | (ulimit -v $limit && exec "$bin/qc-eval" --threads 1 -d - f.qcm >said 2>&1) &&
    { echo "a stream from a pipe took no memory"; wrong=1; }
exit $wrong
