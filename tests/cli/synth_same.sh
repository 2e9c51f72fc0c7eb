# The same options give the same bytes, another seed gives others, and more people leave the first people unchanged.
qc-synth -q --windows 4 >a.qcd || exit
qc-synth -q --windows 4 -o b.qcd || exit
cmp a.qcd b.qcd || exit
qc-synth -q --windows 4 --seed 2 -o c.qcd || exit
cmp -s c.qcd a.qcd && exit 1
qc-synth -q --windows 4 --subjects 5 -o more.qcd || exit
for people in a more; do
    qc-split -q -g p2 -o $people.p2.qcd $people.qcd || exit
done
cmp -i 320 -n 100000 a.p2.qcd more.p2.qcd || exit
qc-synth --windows 0
echo "status $?"
qc-synth --subjects 999 --activities 999 --windows 999999
echo "status $?"
qc-synth -o no/such/place.qcd
echo "status $?"
qc-synth operand
echo "status $?"
