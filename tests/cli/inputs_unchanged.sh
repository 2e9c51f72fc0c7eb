# No program overwrites its input; only calibration may replace its own model and coreset. Data without recordings or
# people is reported in a sentence, not a crash.
qc-synth -q --subjects 2 --activities 3 --windows 6 --channels 3 --length 24 -o all.qcd &&
    qc-split -q -g p1 -o p.01.qcd all.qcd && qc-split -q -g p2 -o two.qcd all.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 4\n    kernel: 3\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 2 -a tiny.yaml -d p.01.qcd -L misses -o f.qcm &&
    qc-coreset -q -n 6 -d p.01.qcd -L misses -o core.qcd &&
    qc-quantize --force -q -b 4 -c core.qcd -o q.h f.qcm >quantized || exit 1
cat p.01.qcd two.qcd tiny.yaml misses f.qcm core.qcd q.h | sha256sum >before
try() {
    echo "\$ $*"
    "$@" 2>&1 </dev/null | cut -c1-120
}
try qc-train -q -a tiny.yaml -d p.01.qcd -o p.01.qcd
try qc-train -q -a tiny.yaml -d p.01.qcd -L ./p.01.qcd -o new
try qc-train -q -a tiny.yaml -d p.01.qcd --checkpoint tiny.yaml -o new
try qc-train -q -a tiny.yaml -d p.01.qcd --checkpoint two.qcd -o new
try qc-coreset -q -d p.01.qcd -o p.01.qcd
try qc-coreset -q -d p.01.qcd -L misses -o misses
try qc-coreset -q -d p.01.qcd -o f.qcm f.qcm
try qc-quantize -q -c core.qcd -o core.qcd f.qcm
try qc-quantize -q -c core.qcd -o f.qcm f.qcm
try qc-report -o tiny.yaml tiny.yaml
try qc-report --runs misses --runs two.qcd -o two.qcd tiny.yaml
try qc-bitflip-train -q -c core.qcd -d p.01.qcd -o p.01.qcd q.h
try qc-calibrate -q -c core.qcd -s two.qcd -C two.qcd -o new q.h
try qc-calibrate -q -c core.qcd -s two.qcd -t p.01.qcd -C p.01.qcd -o new q.h
try qc-calibrate -q -c core.qcd -s two.qcd -o core.qcd q.h
try qc-calibrate -q -c core.qcd -s two.qcd -C q.h -o new q.h
try qc-eval -q -d two.qcd --logits two.qcd q.h
try qc-eval -q -d two.qcd --dump-layers q.h q.h
try qc-export -q -f c -o q.c q.h
try qc-export -q -f c -c core.qcd -o core.qcd q.h
try qc-split -q -t .3 -o p.01.qcd -O new p.01.qcd
try qc-split -q -t .3 -o new -O p.01.qcd p.01.qcd
try qc-split -q --batches 2 -o p p.01.qcd
try qc-synth -q -d two.qcd -o two.qcd
try qc-import -q -f csv -o tiny.yaml tiny.yaml
cat p.01.qcd two.qcd tiny.yaml misses f.qcm core.qcd q.h | sha256sum | cmp - before && echo all there
ls | tr '\n' ' '; echo

# In place: what it becomes.
cp q.h own.qcm && cp core.qcd own.qcd && qc-calibrate -q -c own.qcd -s two.qcd --batches 2 -C own.qcd -o own.qcm \
    own.qcm >runlog && cmp -s q.h own.qcm || echo another model

# Data without recordings and people.
printf '1,2,3,a\n2,3,4,b\n2,2,4,a\n3,1,4,b\n' | qc-import -q -f csv -o bare.qcd || exit 1
try qc-split -q --leave '*' -o new -O new2 bare.qcd
try qc-split -q -t .5 --by recording -o new -O new2 bare.qcd
qc-synth -q -d bare.qcd --subjects 2 -o drifted.qcd && qc-info drifted.qcd |
    grep -E "recordings|groups|people|subjects" |
    sed "s/qc-synth [0-9.]*/qc-synth VERSION/; s/sha256:[0-9a-f]*/sha256:DIGEST/"
