# With --state, a session that is killed repeatedly ends in the same model and coreset as an uninterrupted session. The
# state of another session is refused.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 12 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -d p1.qcd -o q.qcm fp.qcm >words || exit 1
qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -o model.qcm \
    q.qcm >words || exit 1
session='qc-calibrate -c core.qcd -s p2.qcd -B 2 --tune rounds=200 --tune stop_loss=0'
$session -C whole.qcd -o whole.qcm model.qcm >whole.tsv || exit 1

kept='--state kept -C now.qcd -o now.qcm model.qcm'
run() { $session $kept; }
for lines in 2 3 3; do # killed after this number of lines of output, heading included
    $session $kept >lines 2>err &
    process=$!
    for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -f lines ] && [ "$(wc -l <lines)" -ge $lines ] && break
        sleep .05
    done
    kill -9 $process 2>words
    wait $process 2>words
done
run >rest.tsv 2>err || { cat err; exit 1; }
grep -c '^qc-calibrate: \|resuming after batch' err
cmp now.qcm whole.qcm && cmp now.qcd whole.qcd && echo "the same model and coreset"
# lines of the batches after the last kill, without times
columns() { grep -E '^[0-9]' "$1" | cut -f1-10,18,19; }
columns rest.tsv >rest; columns whole.tsv | tail -n "$(wc -l <rest)" | cmp - rest && echo "the same figures"

rm now.qcm now.qcd
run >words 2>&1 && cmp now.qcm whole.qcm && cmp now.qcd whole.qcd && echo "once more, with nothing left to do"
$session -q --json $kept | sed 's/_bytes": [0-9]*/_bytes": N/g' # without batches there are no means

refuse() { # refuse WORDS: its exit status and sentence, and the state stays
    cp kept before
    "$@" >out 2>err
    echo "$? $(head -1 err)"
    cmp kept before
}
refuse $session --seed 2 --state kept -o now.qcm model.qcm
refuse $session --tune rounds=3 --state kept -o now.qcm model.qcm
refuse qc-calibrate -c core.qcd -s p1.qcd --state kept -o now.qcm model.qcm
refuse $session --state kept -o now.qcm whole.qcm
qc-coreset -q -n 9 --seed 2 -d p1.qcd -o other.qcd || exit 1
refuse qc-calibrate -c other.qcd -s p2.qcd -B 2 --tune rounds=200 --tune stop_loss=0 --state kept -o now.qcm model.qcm
refuse $session --state core.qcd -o now.qcm model.qcm
refuse $session --state kept -o model.qcm model.qcm
refuse $session --state kept -C core.qcd -o now.qcm model.qcm
refuse $session --state kept -o kept model.qcm
refuse $session --state - -o now.qcm model.qcm
refuse $session --state nowhere/kept -o now.qcm model.qcm
refuse $session -s p1.qcd --state kept -o now.qcm model.qcm
refuse qc-calibrate -c core.qcd -s p2.qcd -B 2 -m none --state kept -o now.qcm model.qcm
# The newest state is damaged: the session resumes from the state before.
printf '\252' | dd of=kept bs=1 seek=4700 conv=notrunc 2>words
printf '\252' | dd of=kept bs=1 seek=4701 conv=notrunc 2>words
rm -f now.qcm
run 2>&1 >words | grep damaged
cmp now.qcm whole.qcm && echo "a damaged slot costs no more than its batch"
# Another cut of the stream: its batches are learned from the first one on, and this is said.
cp kept other && $session --batches 3 --state other -o other.qcm model.qcm 2>&1 >words | grep learned
# Both states are damaged: the session reports this and starts anew.
head -c 6000 kept >torn && mv torn kept
rm -f now.qcm
run 2>&1 >words | grep whole
cmp now.qcm whole.qcm && echo "the same model from the start"
