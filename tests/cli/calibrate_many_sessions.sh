# Five sessions with a fifth of the stream each end in the bytes of one session with the whole stream, without flips and
# with flips. A model file keeps what was learned, a coreset file keeps its slots.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 4 --windows 12 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 8 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 8 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 2 --epochs 1 --threads 1 -c core.qcd -o closed.qcm fp.qcm >words || exit 1
qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -o qcore.qcm \
    closed.qcm >words || exit 1
qc-split -q --batches 5 --order recorded -o part p2.qcd || exit 1
for m in closed qcore; do
    qc-calibrate -q -c core.qcd -C whole.qcd $(for part in part.*; do echo "-s $part"; done) --batches 1 --order \
        recorded -o whole.qcm $m.qcm >words || exit 1
    cp core.qcd now.qcd && cp $m.qcm now.qcm || exit 1
    for part in part.*; do qc-calibrate -q -c now.qcd -C now.qcd -s "$part" --batches 1 --order recorded -o now.qcm \
        now.qcm >words || exit 1; done
    cmp whole.qcm now.qcm && cmp whole.qcd now.qcd && ! cmp -s $m.qcm now.qcm &&
        echo "$m: the same model and coreset, and another than at first"
done
