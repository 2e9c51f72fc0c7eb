# qc-run on frames: the windows, classes and probabilities of qc-run -d on the same windows, and the answers of qc-eval;
# breaks are said; wrong usage is refused.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 12 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 10 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm fp.qcm >words || exit 1
qc-export -q -f csv -o p2.csv p2.qcd || exit 1
# Windows, a row each, to frames: one after another, 25 per second.
awk -F, 'NR == 1 {
             for (i = 1; i <= NF; i++)
                 if ($i ~ /^c[0-9]+_[0-9]+$/) { split(substr($i, 2), part, "_"); at[part[1], part[2]] = i }
                 else if ($i == "label") label = i
             print "t,c1,c2,c3,label"; next
         }
         {
             for (t = 1; t <= 24; t++)
                 printf "%.2f,%s,%s,%s,%s\n", n++ * .04, $at[1, t], $at[2, t], $at[3, t], $label
         }' p2.csv >frames.csv
qc-run -d p2.qcd --top 3 q.qcm >data.tsv || exit 1
columns() { tail -n +2 "$1" | cut -f3-; }
columns data.tsv >wanted
wc -l <wanted
qc-run --top 3 q.qcm <frames.csv >frames.tsv || exit 1
columns frames.tsv | cmp - wanted && echo "the same windows"
cut -d, -f2-4 frames.csv | tail -n +2 | tr , ' ' | qc-run --top 3 --rate 25 q.qcm >blanks.tsv
cut -f3-7,9- blanks.tsv >without; cut -f3-7,9- data.tsv | cmp - without && echo "... without a header, times and labels"
cut -f2 frames.tsv | sed -n '2p;13p'; cut -f2 blanks.tsv | sed -n '2p;13p'
qc-run --json q.qcm <frames.csv >frames.json || exit 1
sed 's/.*"class": "\([^"]*\)", "probability": \([0-9.]*\).*/\1/; 1d' frames.json >classes
cut -f3 data.tsv | tail -n +2 | cmp - classes && echo "... as JSON"
right=$(awk -F'\t' 'NR > 1 && $3 == $8' data.tsv | wc -l)
# counted by another program
qc-eval --json -d p2.qcd q.qcm | grep -c "\"accuracy\": $(awk "BEGIN { printf \"%.6f\", $right / 36 }")"
awk -F'\t' 'NR > 1 {
    if ($4 < $10 || $10 < $12 || ($4 + $10 + $12 - 1) ^ 2 > 1e-7 || ($4 - $10 - $5) ^ 2 > 1e-7)
        print "no distribution: " $0
}' data.tsv

# Overlapping windows: each fourth of stride 6 is one of stride 24.
qc-run --stride 6 --top 3 q.qcm <frames.csv >over.tsv || exit 1
tail -n +2 over.tsv | wc -l
awk 'NR > 1 && (NR - 2) % 4 == 0' over.tsv | cut -f3-5 >fourth; cut -f1-3 wanted | cmp - fourth &&
    echo "overlapping windows"

# Breaks: a row is short, a value is no number, a second is lost. Windows start anew after each.
awk -F, -v OFS=, 'NR == 30 { print $1, $2; next } NR == 60 { $2 = "x" } NR > 100 { $1 += 1 } { print }' frames.csv |
    qc-run q.qcm 2>&1 >broken.tsv | cut -d' ' -f1-14
tail -n +2 broken.tsv | cut -f1,2 | head -4

# Frames that come ten at once, with the times at which they came: never a window, which is said.
awk -F, -v OFS=, 'NR > 1 { $1 = sprintf("%.6f", int(NR / 10) * .4 + NR % 10 * 1e-6) } { print }' frames.csv |
    qc-run q.qcm 2>&1 >out | grep -o '50 breaks.*'

# A night without dates: a clock passes midnight, labels too.
awk -F, -v OFS=, 'NR > 1 { s = 86400 - 10 + (NR - 2) * .04; s -= s >= 86400 ? 86400 : 0
        $1 = sprintf("%02d:%02d:%05.2f", s / 3600, s / 60 % 60, s % 60) } { print }' frames.csv |
    cut -d, -f1-4 >night.csv
echo "23:59:58-00:00:02 $(qc-info q.qcm | sed -n 's/^  - //p' | head -1)" >night.labels
qc-run -c core.qcd --state night --labels night.labels q.qcm <night.csv 2>&1 >night.tsv |
    grep -oE 'adapt 1: [0-9]* labels|goes back.*'
cut -f3 frames.tsv >three
cut -f3 night.tsv | cmp - three && echo "no break at midnight"

# A file of more labels than can wait for windows: as if the frames had them, from a file or a pipe.
qc-run --stride 2 q.qcm <frames.csv | awk -F'\t' 'NR > 1 && $8 != "" { print $1, $8 }' >many.labels
[ "$(wc -l <many.labels)" -gt 256 ] && echo "more than 256 labels"
cut -d, -f1-4 frames.csv >bare.csv
qc-run -q --stride 2 -c core.qcd --state own q.qcm <frames.csv >out
qc-run -q --stride 2 -c core.qcd --state file --labels many.labels q.qcm <bare.csv >out
head -c 2500 bare.csv >part
{ cat part; tail -c +2501 bare.csv; } | qc-run -q --stride 2 -c core.qcd --state pipe --labels many.labels \
    q.qcm >out
cmp own file && cmp own pipe && echo "none is lost"

echo "--- decimal commas"
tr ',.' ';,' <frames.csv | qc-run --decimal , --top 3 q.qcm >comma.tsv || exit 1
columns comma.tsv | cmp - wanted && echo "the same windows"
cut -f2 comma.tsv | sed -n '2p;13p'

refuse() { # refuse STATUS WORDS...: what it says
    wanted=$1
    shift
    "$@" >out 2>err
    status=$?
    [ $status -eq "$wanted" ] || echo "status $status: $*"
    [ ! -s out ] || echo "words on stdout: $*"
    head -1 err
}
refuse 2 qc-run -d p2.qcd --stride 3 q.qcm
refuse 2 qc-run -c core.qcd q.qcm
refuse 2 qc-run --labels x q.qcm
refuse 2 qc-run --rate 50 q.qcm <frames.csv
refuse 2 qc-run --raw f64 q.qcm
refuse 2 qc-run --decimal ';' q.qcm
refuse 2 qc-run --decimal , --raw f32 q.qcm
refuse 2 qc-run -
refuse 2 qc-run -c core.qcd --state core.qcd q.qcm
refuse 3 qc-run fp.qcm
refuse 3 qc-run core.qcd
cut -d, -f2-3 frames.csv | qc-run q.qcm 2>&1 >out | cut -d: -f1-3

# No heading before an error.
printf "1,2\n3,4\n" | qc-run q.qcm 2>words | wc -c
