# What qc-split refuses: files that are no data, and options that cannot be met. An old output stays unchanged.
qc-synth -q --subjects 2 --windows 5 -o data.qcd || exit
echo old >train.qcd
qc-split -q -g p1 -o p1.qcd data.qcd
try() {
    echo "\$ qc-split $*"
    qc-split "$@" 2>&1
    echo "status $?"
}
two="-o train.qcd -O test.qcd"
printf 'hello' >text.qcd
: >void.qcd
head -c 5000 data.qcd >cut.qcd
{ head -c 9000 data.qcd; printf 'X'; tail -c +9002 data.qcd; } >flipped.qcd
try -t 0.2 $two text.qcd
try -t 0.2 $two void.qcd
try -t 0.2 $two cut.qcd
try -t 0.2 $two flipped.qcd
try -t 0.2 $two absent.qcd
try -t 0 $two data.qcd
try -t 1 $two data.qcd
try -t 2 $two data.qcd
try -t 0.2 --by luck $two data.qcd
try -t 0.01 --by block $two data.qcd
try -t 0.2 -o train.qcd data.qcd
try $two data.qcd
try -g p3 -o train.qcd data.qcd
try --batches 5 data.qcd
try --batches 500 -o stream data.qcd
try -t 0.2 --batches 5 $two data.qcd
try -t 0.2 -o train.qcd -O no/test.qcd data.qcd
try -t 0.2 --json -O test.qcd data.qcd
try data.qcd data.qcd
try -t 0.2 --by block -o one.qcd -O one.qcd data.qcd
try -t 0.2 --by block -o one.qcd -O ./one.qcd data.qcd
try -t 0.2 -O - data.qcd
try -t 0.2 --by recording $two p1.qcd
try -t 0.2 --leave '*' $two p1.qcd
try --leave 'p9/*' $two p1.qcd
try --leave '*' $two p1.qcd
try --leave p1/lying $two p1.qcd
try --order abc -t 0.2 $two data.qcd
try --order classes -t 0.2 $two data.qcd
try --by abc --batches 2 -o stream data.qcd
try --by group --batches 2 -o stream data.qcd
try --mixed --batches 2 -o stream data.qcd
try -t 0.2 --mixed $two data.qcd
try -t 0.2 --mixed --by group $two data.qcd
# a second part that cannot be written leaves the first as it was
try -q -t 0.2 -o train.qcd -O /dev/full data.qcd
head -c 4 train.qcd
echo
ls *.tmp* stream* 2>/dev/null
exit 0
