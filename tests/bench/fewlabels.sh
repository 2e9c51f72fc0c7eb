# fewlabels.sh - counts the instructions of a learner with few labels on a Cortex-M4 under QEMU: InceptionTime 16 x 3
# (45 channels, 125 steps, 19 classes) at 2 bits with 30 slots observes batches of 91 windows; five of each get a label.
# The output must equal the host's. Prints TSV: what, millions of instructions. Then `bar NAME VALUE <= BAR ok`.
set -e
. tests/bench/cortexm/count.sh

qc-synth -q --subjects 2 --activities 19 --windows 6 --channels 45 --length 125 -o people.qcd
qc-split -q -g p1 -o data.qcd people.qcd
qc-split -q -g p2 -o other.qcd people.qcd
qc-train -q --threads 1 --epochs 6 -a "$top/share/arch/inceptiontime-16x3.yaml" -d data.qcd -o float.qcm
qc-coreset -q -n 30 -d data.qcd -o core.qcd float.qcm
qc-quantize -q -b 2 --epochs 0 --threads 1 -c core.qcd -d data.qcd -o q.qcm float.qcm >words
mkdir learner
qc-export -q -f c -c core.qcd -B 45 -o learner/model.c q.qcm # windows of the stream: more do not fit into the flash
"$BUILD/tests/pack_stream" q.qcm core.qcd other.qcd 1 1 shuffled >learner/stream.c
host_program learner -I "$top/tests/device/firmware" "$here/pack_windows.c" learner/model.c learner/stream.c
mv learner/expected learner/windows.c
qc-export -q -f c -c core.qcd -B 91 -o learner/model.c q.qcm
host_program learner "$here/fewlabels.c" learner/model.c learner/windows.c
core=m4
choose_core $core
on_core learner "$here/fewlabels.c" learner/model.c learner/windows.c
awk -F '\t' '
{
    printf "%s\t%.1f\n", $1, $3 / 1e6
    if ($1 == "adapt" && $3 / 1e6 > most) most = $3 / 1e6
}
END { printf "bar m4-adapt-millions %.1f <= 300 %s\n", most, most <= 300 ? "ok" : "MISSED"; exit most > 300 }' counted
