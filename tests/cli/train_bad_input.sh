# What qc-train cannot read: one sentence, the right status, an old model unchanged.
qc-synth -q --subjects 1 --activities 3 --windows 4 --channels 3 --length 24 -o data.qcd || exit 1
qc-synth -q --subjects 1 --activities 1 --windows 4 --channels 3 --length 24 -o one.qcd || exit 1
printf '1,2,3\n2,3,4\n' | qc-import -q -f csv --label-column none -o bare.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 4\n    kernel: 3\n  - relu\n  - gap\n' >tiny.yaml
head -c 900 data.qcd >short.qcd
: >empty.qcd
echo old >old.qcm
try() {
    echo "\$ qc-train $*"
    qc-train -q --threads 1 --epochs 1 -o old.qcm "$@" 2>&1 </dev/null
    echo "status $?"
}
try -d data.qcd
try -a tiny.yaml
try -a tiny.yaml -d tiny.yaml
try -a tiny.yaml -d short.qcd
try -a tiny.yaml -d empty.qcd
try -a tiny.yaml -d absent.qcd
try -a tiny.yaml -d one.qcd
try -a tiny.yaml -d bare.qcd
try -a nowhere.yaml -d data.qcd
try -a data.qcd -d data.qcd
for wrong in 'conv: -3' 'conv: 4\n    kernell: 3' 'maxpool: 25' 'lstm: 8' '*relu' 'conv: 4\n    groups: 2'; do
    printf "name: wrong\nlayers:\n  - $wrong\n" >wrong.yaml
    try -a wrong.yaml -d data.qcd
done
try -a tiny.yaml -d data.qcd --optimizer luck
try -a tiny.yaml -d data.qcd --patience 3
try -a tiny.yaml -d data.qcd --drift series
try -a tiny.yaml -d data.qcd --augment 1 --drift image
try -a tiny.yaml -d data.qcd --augment 1 --drift weather
try -a tiny.yaml -d data.qcd --augment 11
try -a tiny.yaml -d data.qcd --resume
try -a tiny.yaml -d data.qcd -L log --miss-bits 1
try -a tiny.yaml -d data.qcd -L -
try -a tiny.yaml -d data.qcd -L ./old.qcm
try -a tiny.yaml -d data.qcd --checkpoint -
try -a tiny.yaml -d data.qcd --checkpoint ./old.qcm
try -a tiny.yaml -d data.qcd -L ./log --checkpoint log
try -a tiny.yaml -d data.qcd -L no/log
try -a tiny.yaml -d data.qcd --checkpoint /dev/full
try -a tiny.yaml -d data.qcd -o /dev/full
cat old.qcm
qc-train -q --threads 1 --epochs 1 -a tiny.yaml -d data.qcd --checkpoint state -o new.qcm || exit 1
try -a tiny.yaml -d data.qcd --checkpoint state --resume --epochs 2
try -a tiny.yaml -d data.qcd --checkpoint state --resume --augment 1
try -a tiny.yaml -d data.qcd --checkpoint one.qcd --resume
ls
