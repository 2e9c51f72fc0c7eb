# What cannot be chosen is refused with one sentence.
qc-synth -q --people 1 --activities 4 --windows 5 --channels 3 --length 40 -o data.qcd || exit 1
try() {
    qc-coreset -q -o core.qcd "$@" 2>&1 </dev/null
    echo "status $?"
}
try -n 21 -d data.qcd
try -n 3
try -n 3 -d data.qcd --sample hardest
try -n 3 -d data.qcd --sample proportional
try -n 3 -d data.qcd --sample best
try -n 3 -d - -L -
qc-coreset -n 3 -d data.qcd --report 2>&1
echo "status $?"
ls
