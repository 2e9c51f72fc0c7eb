# What qc-import refuses: the sentence, the exit status, and no file is left.
try() {
    echo "\$ qc-import $*"
    qc-import -o out.qcd "$@" 2>&1
    echo "status $?"
}
mkdir -p tree/a01/p1 tree/a02/p1 empty
printf '1,2\n3,4\n' | tee tree/a01/p1/s01.txt >tree/a02/p1/s01.txt
printf '1,2,a\n3,b\n' >ragged.csv
printf '1,2,a\n3,nan,b\n' >nan.csv
printf '@classLabel true a b\n@data\n1,2:a\n1,2,3:b\n' >unequal.ts
printf '1,2\0' >binary.csv
: >void.csv
qc-synth -q --windows 5 -o ours.qcd
try ragged.csv
try nan.csv
try unequal.ts
try binary.csv
try void.csv
try -f csv ours.qcd
try absent.csv
try -f dsa ragged.csv
try -f dsa empty
try -g p9 tree
try -f fit ragged.csv
try empty
try --channels 0 ragged.csv
try --header maybe ragged.csv
try ragged.csv nan.csv
try --json -o - ragged.csv
printf '1,2\n3\n' >tree/a02/p1/s01.txt
try tree
printf '1,2\n' >tree/a02/p1/s01.txt
try tree
try </dev/null
ls out.qcd* 2>/dev/null
printf '1,2\n3,4\n' >tree/a02/p1/s01.txt
qc-import -o no-such-folder/out.qcd tree
echo "status $?"
qc-import tree >/dev/full
echo "status $?"
# numbers whose lowest 32 bits would be right
printf 'a,b,c,label\n1,2,3,x\n2,3,4,y\n' >t.csv
for option in --columns=4294967298-3 --columns=2-4294967299 --label-column=4294967300 --channels=4294967297 \
    --name-pattern='{label}_{group%4294967298}.csv'; do
    qc-import -f csv $option -o out.qcd $([ "${option#--name}" = "$option" ] && echo t.csv || echo tree)
    echo "status $?"
done
