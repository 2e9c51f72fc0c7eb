# A choice that qc-coreset cannot make is refused with one sentence.
qc-synth -q --subjects 1 --activities 4 --windows 5 --channels 3 --length 40 -o data.qcd || exit 1
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
try -n 3 -d data.qcd --miss-bits 4
qc-coreset -n 3 -d data.qcd --report 2>&1
echo "status $?"
ls
# Only person b has examples of k2: a coreset of person a would forget the class.
awk 'BEGIN {
    for (i = 0; i < 24; i++) {
        for (k = 0; k < 12; k++) printf "%d,", 9 * (i % 3) + (i + k) % 5
        print (i % 3 == 2 || i > 12 ? "b" : "a") ",k" i % 3
    }
}' >two.csv
sed 's/,[^,]*$//' two.csv >bare.csv
qc-import -q -f csv --group-column 13 -o two.qcd two.csv && qc-split -q -g a -o a.qcd two.qcd &&
    qc-import -q -f csv --label-column none --group-column 13 -o bare.qcd bare.csv || exit 1
try -n 3 -d a.qcd
try -n 3 -d a.qcd --partial
qc-coreset -q -n 3 -d bare.qcd 2>&1 | sed 's/example [0-9]*/example N/'
