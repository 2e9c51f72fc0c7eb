# The blocks of UCI-DSA in small: the last 2 of 10 segments of each activity. The result is the same from a file, from a
# pipe, and after -g.
qc-synth --subjects 3 --windows 10 --activities 4 -q -o all.qcd || exit
qc-split -g p2 -o p2.qcd all.qcd 2>/dev/null || exit
qc-split -t 0.2 --by block --json -o train.qcd -O test.qcd p2.qcd || exit
qc-split -q -t 0.2 --by block -O test2.qcd <p2.qcd | cmp - train.qcd || exit
cmp test.qcd test2.qcd || exit
qc-split -q -t 0.2 -o default.qcd -O test3.qcd p2.qcd &&
    for part in test test3; do qc-export -q -f csv -o $part.csv $part.qcd; done
cmp test.csv test3.csv || exit # what is said of how they came about differs
qc-split -t 0.2 --by random --seed 7 --json -o r1.qcd -O s1.qcd p2.qcd || exit
qc-split -q -t 0.2 --by random --seed 7 -o r2.qcd -O s2.qcd p2.qcd || exit
cmp r1.qcd r2.qcd && cmp s1.qcd s2.qcd || exit
cmp -s r1.qcd train.qcd && exit 1
qc-split --batches 3 --order classes --json -o stream train.qcd || exit
qc-split -g p1 -g p3 -t 0.5 --by group --json -o one.qcd -O other.qcd all.qcd
qc-split -q --batches 100 --order recorded -o many all.qcd || exit # in the order in which a shell lists them
for part in many.*.qcd; do qc-export -q -f csv -o - $part | tail -n +2; done >parts.csv
qc-export -q -f csv -o - all.qcd | tail -n +2 | cmp - parts.csv
