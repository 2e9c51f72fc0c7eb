# qc-calibrate, killed at any moment, leaves a whole model and a whole coreset, from which a session can continue.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 20 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -b 8 --epochs 1 --threads 1 -c core.qcd fp.qcm 2>words |
    qc-bitflip-train --subjects 1 --test-subjects 0 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -o model.qcm \
        >words || exit 1
# a stream of many seconds, so that the session is killed before its end
qc-synth -q --subjects 2 --activities 3 --windows 300 --channels 3 --length 24 -o many.qcd &&
    qc-split -q -g p2 -o long.qcd many.qcd || exit 1
for lines in 1 2 5 9; do # killed after this number of lines of output, heading included
    cp model.qcm now.qcm && cp core.qcd now.qcd
    qc-calibrate -c now.qcd -C now.qcd -s long.qcd -B 1 --tune rounds=400 -o now.qcm now.qcm >lines 2>err &
    process=$!
    for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ "$(wc -l <lines)" -gt $lines ] && break
        sleep .05
    done
    kill -9 $process
    wait $process 2>/dev/null
    status=$?
    [ $status -eq 137 ] || echo "it was not killed: $status"
    qc-info now.qcm >words && qc-info now.qcd >words || exit 1
    qc-calibrate -c now.qcd -s p2.qcd --batches 2 --tune rounds=2 -o next.qcm now.qcm >words || exit 1
    echo "whole"
done
