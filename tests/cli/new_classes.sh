# Classes that were not trained: they take spare rows by name, in qc-calibrate and in qc-run, are answered from then on,
# and every program knows them. Before, a spare row is no answer anywhere.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 1 --activities 6 --channels 3 --length 24 --windows 30 -o all.qcd || exit 1
qc-export -q -f csv all.qcd >all.csv
part() { # part NAME CLASSES FROM TO: windows of these classes, by their place in the class
    awk -F, -v classes=" $2 " -v from=$3 -v to=$4 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "label") c = i; print }
        NR > 1 && index(classes, " " $c " ") && ++n[$c] >= from && n[$c] <= to' all.csv >$1.csv
    qc-import -q -f csv --channels 3 -o $1.qcd $1.csv
}
column=$(head -1 all.csv | tr , '\n' | grep -n '^label$' | cut -d : -f 1)
names=$(sed 1d all.csv | cut -d , -f $column | sort -u)
old=$(echo $names | cut -d ' ' -f 1-4) new=$(echo $names | cut -d ' ' -f 5-6)
echo "old: $old; new: $new"
part train "$old" 1 20 && part others "$old" 21 30 && part two "$new" 1 2 && part tests "$new" 3 30 &&
    part mixed "$old $new" 1 4 || exit 1
{
    printf 'name: tiny\nlayers:\n  - conv: 12\n    kernel: 9\n  - relu\n'
    printf '  - conv: 12\n    kernel: 5\n  - relu\n  - gap\n'
} >tiny.yaml
quantize() { qc-quantize -q -b 2 --threads 1 -c core.qcd -d train.qcd "$@" float.qcm >words; }
qc-train -q --threads 1 --epochs 40 --batch-size 8 -a tiny.yaml -d train.qcd -o float.qcm &&
    qc-coreset -q -n 12 -d train.qcd -o core.qcd && quantize -o plain.qcm &&
    quantize --spare-classes 3 -o q.qcm || exit 1
recall() { qc-eval -q --json -d $1 $2 | grep -o '"recall_mean": [0-9.]*' | cut -d ' ' -f 2; }
enough() { awk -v x="$1" -v least=$2 'BEGIN { print (x >= least) ? "enough" : "only " x }'; }

echo '--- an untaken row changes nothing'
for model in plain q; do
    qc-eval -q --json -d others.qcd --logits $model.npy $model.qcm >$model.json
    qc-calibrate -q -c core.qcd -s others.qcd --batches 2 --json -o $model.2.qcm $model.qcm |
        sed -E 's/, "(ms|predict_ms|bytes|operations|model_bytes|working_bytes)": [0-9.e+]+//g' >$model.calibrated
    qc-run -q -d others.qcd --top 9 $model.qcm >$model.tsv
done
for kind in npy json calibrated tsv; do cmp plain.$kind q.$kind && echo "the same $kind"; done
quantize --no-std -o plain8.qcm && quantize --no-std --spare-classes 2 -o q8.qcm || exit 1
for model in plain8 q8; do qc-export -q -f tflite -o $model.tflite $model.qcm; done
cmp plain8.tflite q8.tflite && echo 'the same tflite'
qc-info q.qcm | sed -n '/^classes/p; /^spare/p'
qc-export -q -f c -c core.qcd -o net.c q.qcm && grep -E 'CLASSES [0-9]|_classes\(' net.h
qc-export -q -f c -o bare.c q.qcm && grep -E 'CLASSES [0-9]|_classes\(' bare.h

echo '--- two labels of each are enough'
qc-calibrate -c core.qcd -s two.qcd -C new.core.qcd -t tests.qcd -t others.qcd --batches 1 -o new.qcm q.qcm >tsv
enough "$(recall tests.qcd new.qcm)" 0.9
enough "$(recall others.qcd new.qcm)" 0.9
qc-info new.qcm | sed -n '/^classes/p; /^spare/p'
qc-run -q -d tests.qcd new.qcm | # without a learner, too, a class that was learned is known
    awk -F'\t' 'NR > 1 { n++; far += $NF } END { print (n && far <= n / 4) ? "known" : far " of " n " unknown" }'
qc-export -q -f c -o known.c new.qcm && grep -c known_distance known.h # what was learned is not in this code
qc-calibrate -q -c new.core.qcd -s mixed.qcd --batches 1 -t tests.qcd -o later.qcm new.qcm >tsv
enough "$(recall tests.qcd later.qcm)" 0.9
qc-calibrate -q -c core.qcd -s two.qcd --batches 1 -o new8.qcm q8.qcm >tsv
qc-export -q -f tflite -o new8.tflite new8.qcm && qc-import -q -o back.qcm new8.tflite &&
    qc-info back.qcm | sed -n '/^classes/p' && enough "$(recall tests.qcd back.qcm)" 0.9

echo '--- a live stream: the state knows the names'
qc-run -c core.qcd --state s -d two.qcd q.qcm >tsv
qc-run -q -c core.qcd --state s -d tests.qcd q.qcm | awk -F'\t' 'NR > 1 { n++; right += $3 == $8 }
    END { print (right >= 0.9 * n) ? "enough" : "only " right " of " n }'
LC_ALL=C sed 's/standing/st-nding/' s >damaged
qc-run -c core.qcd --state damaged -d tests.qcd q.qcm 2>&1 >tsv | sed 's/.*: //'
awk -F, -v class="${new% *}" -v c=$column 'NR > 1 && $c == class && ++n <= 6 {
    for (t = 3; t < 27; t++) print $t "," $(24 + t) "," $(48 + t) }' tests.csv >frames.csv
printf '0-1 %s\n' "${new% *}" >labels
qc-run -c core.qcd --state fifo --labels labels --every 2 q.qcm <frames.csv >tsv
cut -f 3 tsv | tail -n 1
printf '0 Standing\n0 swim\n' >labels # a slip is no new class, and a window of an earlier session has no row
qc-run -c core.qcd --state fifo --labels labels q.qcm <frames.csv 2>&1 >tsv |
    grep -oE 'did you mean.*|no such window|new class'
awk 'NR == 1 { print "a,b,c,label" } { print $0 ",STANDING" }' frames.csv >slips.csv
qc-run -c core.qcd --state fifo q.qcm <slips.csv 2>&1 >tsv | grep -o 'did you mean.*'
awk 'NR == 1 { print "a,b,c,label" } { print $0 ",fly" }' frames.csv | qc-run -c core.qcd --state column q.qcm >tsv

# A session that ends before it has learned takes no row of the state.
part three "climbing ${new% *}" 1 2 && sed "s/${new% *}/flying/g" three.csv >flying.csv &&
    sed "s/${new% *}/crawling/g" three.csv >crawling.csv &&
    qc-import -q -f csv --channels 3 -o flying.qcd flying.csv &&
    qc-import -q -f csv --channels 3 -o crawling.qcd crawling.csv || exit 1
quantize --spare-classes 1 -o one.qcm
kept='qc-calibrate -q -c core.qcd --state one.state --batches 1'
$kept -s others.qcd --no-output one.qcm >tsv || exit 1
$kept -s flying.qcd -C no.qcd -o no.qcm one.qcm 2>&1 >tsv | grep -o 'cannot be written'
$kept -s crawling.qcd -o crawls.qcm one.qcm >tsv && qc-info crawls.qcm | grep '^classes'

echo '--- one class after another: the guard lets a new class in'
# shellcheck disable=SC2086
for class in $(echo $old | cut -d ' ' -f 1-3) $new $(echo $old | cut -d ' ' -f 4); do
    awk -F, -v class=$class -v c=$column 'NR > 1 && $c == class && ++n <= 16' all.csv
done >blocks
{ head -1 all.csv && cat blocks; } >blocks.csv
qc-import -q -f csv --channels 3 -o blocks.qcd blocks.csv
qc-run -q --every 8 -c core.qcd --state waves -d blocks.qcd q.qcm |
    awk -F'\t' 'NR > 1 { right += $3 == $8 } END { print right " of " NR - 1 }'

echo '--- without a learner, a class that the model does not know has no label'
qc-run -d blocks.qcd plain.qcm 2>words.txt | awk -F'\t' 'NR > 1 { n[$8 != ""]++ } END { print n[1], n[0] }'
grep -o 'blocks.*' words.txt

echo '--- what cannot be'
qc-calibrate -c core.qcd -s two.qcd --no-output one.qcm
echo "exit $?"
qc-calibrate -c core.qcd -s two.qcd --no-output plain.qcm
echo "exit $?"
quantize --spare-classes 125 -o no.qcm
echo "exit $?"
quantize --spare-classes -1 -o no.qcm
echo "exit $?"
qc-bitflip-train -q -c core.qcd -d train.qcd -o no.qcm q.qcm
echo "exit $?"
qc-rival -q -m er -c core.qcd -s others.qcd --no-output q.qcm
echo "exit $?"
test ! -e no.qcm
