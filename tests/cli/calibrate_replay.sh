# Every method with back-propagation on a small model without a flip network. The same seed gives the same result, costs
# and coreset are printed, the model is a plain model; settings are checked.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --channels 3 --length 24 --windows 12 -o both.qcd &&
    qc-split -q -g p1 -o p1.qcd both.qcd && qc-split -q -g p2 -o p2.qcd both.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.qcd -o float.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm float.qcm >words || exit 1

calibrate() { qc-rival -c core.qcd -s p2.qcd --batches 3 "$@" q.qcm; }
for method in er er-ace der der++ a-gem camel deepc; do
    calibrate -m $method --set steps=5 --json -t p1.qcd -C core1.qcd -o one.qcm >one.json || echo "$method failed"
    calibrate -m $method --set steps=5 --json -t p1.qcd -C core2.qcd -o two.qcm >two.json || echo "$method failed again"
    sed -i 's/"ms": [0-9.]*//' one.json two.json
    cmp one.json two.json && qc-eval --json -d p2.qcd one.qcm >one && qc-eval --json -d p2.qcd two.qcm | cmp - one ||
        echo "$method: another result for the same seed"
    cmp -s one.qcm q.qcm && echo "$method changed nothing"
    qc-info core1.qcd | grep -q '^ *capacity: 9$' || echo "$method: the coreset has another size"
    echo "$method $(grep -c '"accuracy_before"' one.json) $(grep -o '"backwards": [0-9]*' one.json | head -1)"
done

echo "--- a test after the last batch is what qc-eval says of the model"
calibrate -m er --set rate=0.1 --set steps=3 --json -t p1.qcd -t p2.qcd -o er.qcm >er.json
said=$(sed -n 3p er.json | sed 's/.*"test": \[\([^]]*\)\].*/\1/')
measured=$(for person in p1 p2; do qc-eval --json -d $person.qcd er.qcm; done |
    sed 's/.*"accuracy": \([0-9.]*\).*/\1/; s/\.*0*$//' | paste -sd, | sed 's/,/, /')
[ "$said" = "$measured" ] || echo "$said"

echo "--- two threads learn, too"
calibrate -m der++ --threads 2 -o two.qcm >/dev/null && echo "der++ $?"

echo "--- settings"
for setting in rat=1 rate=fast rate=-2 alpha=1 steps steps=1.5; do
    calibrate -m er --set $setting -o no.qcm 2>err
    echo "$setting: $? $(head -1 err)"
done
