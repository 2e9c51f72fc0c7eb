# Misses from qc-train's log, and misses that qc-coreset observes for a model without a log.
qc-synth -q --subjects 1 --activities 4 --windows 10 --channels 3 --length 40 -o data.qcd || exit 1
qc-split -q -t 0.5 -o half.qcd -O other.qcd data.qcd >/dev/null 2>&1 || exit 1
qc-train -q -a mlp -d data.qcd --epochs 4 --rate 0.0005 --miss-every 1 -L data.miss -o model.qcm || exit 1
qc-coreset -q -n 12 -L data.miss -d data.qcd -o a.qcd --report >report || exit 1
awk '$1 == "misses" { whole += $(NF-4); set += $(NF-2) } END { print "misses are known of", whole, "and", set }' \
    FS='\t' report
qc-coreset -q -n 12 -L data.miss -d data.qcd model.qcm | cmp - a.qcd && echo "a model beside the log changes nothing"
qc-coreset -q -n 12 -d data.qcd --epochs 2 -o b.qcd model.qcm --json | grep -c '"kind": "misses"'
qc-coreset -q -n 12 -d data.qcd --epochs 2 -o c.qcd - <model.qcm
cmp b.qcd c.qcd && echo "observing again sees the same"

try() {
    qc-coreset -q -n 3 -o old.qcd "$@" 2>&1 </dev/null | sed 's/example [0-9]*/example N/'
}
try -L data.miss -d half.qcd
try -L data.miss -d half.qcd --sample random
qc-train -q -a mlp -d half.qcd --epochs 1 -L half.miss -o half.qcm
try -L half.miss -d data.qcd
try -d data.qcd --miss-bits 1,2 model.qcm
head -c 600 data.miss >short.miss
qc-coreset -n 3 -L short.miss -d data.qcd -o old.qcd 2>err
echo "truncated log: $? $(grep -c short.miss err)"
ls old.qcd 2>/dev/null
true
