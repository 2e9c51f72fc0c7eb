# qc-report on logs of qc-run: JSON and TSV, late labels, a restart, hostile names; Chromium renders the page.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 20 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o q.qcm fp.qcm >words || exit 1
qc-export -q -f csv -o p2.csv p2.qcd || exit 1
awk -F, 'NR == 1 {
             for (i = 1; i <= NF; i++)
                 if ($i ~ /^c[0-9]+_[0-9]+$/) { split(substr($i, 2), part, "_"); at[part[1], part[2]] = i }
             next
         }
         { for (t = 1; t <= 24; t++) print $at[1, t] "," $at[2, t] "," $at[3, t] }' p2.csv >frames
# Labels by number after the first 40 windows; then the process begins again.
mkfifo in out late
qc-run --json -c core.qcd --every 10 --labels late --state s q.qcm <in >out 2>err &
process=$!
exec 5>in 4<out 6>late
head -n 960 frames >&5
for _ in $(seq 0 40); do read -r line <&4 && echo "$line"; done >json
label=$(head -n 1 p2.csv | tr , '\n' | grep -n '^label$' | cut -d: -f1)
tail -n +2 p2.csv | head -n 40 | cut -d, -f"$label" | awk '{ print NR - 1, $1 }' >labels
cat labels >&6
exec 5>&- 6>&-
cat <&4 >>json
exec 4<&-
wait $process || exit 1
tail -n +961 frames | qc-run --json -c core.qcd --every 10 --state s q.qcm >>json 2>>err || exit 1
grep -c '^{"late"' json
head -n 1 json | cut -d, -f1-3

qc-report -o session.svg json && qc-report --html -o session.html json || exit 1
xmllint --noout session.svg || echo "this is no XML"
cat json | qc-report - | cmp - session.svg && gzip -c json | qc-report - | cmp - session.svg && mkfifo pipe || exit 1
cat json >pipe & qc-report pipe | cmp - session.svg && echo "the same from pipes"
wait
grep -o 'id="[a-z]*"' session.html | sort | uniq -c | sed 's/ *//'
grep -c 'class="adapt"' session.svg
grep -c 'class="start"' session.svg
grep -E '<script|src=|href=' session.html && echo "the page loads something"
right=$(awk -F'"' '/^{"window"/ { split($3, n, /[: ,]+/); class[n[2]] = $6 }
    /^{"late"/ { split($3, n, /[: ,]+/); right += class[n[2]] == $6 }
    END { print right }' json)
grep -q "<td>40<td>$right " session.html && echo "labelled and right windows as in the log"

echo '--- the same by TSV, with a line that is written just now'
cut -d, -f1-3 frames | qc-run q.qcm 2>words >tsv || exit 1
# The same labels by TSV, whose late labels are words of standard error.
awk -F'"' '/^{"late"/ { split($3, n, /[: ,]+/); print "qc-run: late label: window " n[2] " is " $6 }' json >said
cat tsv said >both
qc-report --html both | grep -q "<td>40<td>$right " && echo "late labels of standard error count"
echo 'late label: window x is walking' >>both && qc-report --html both 2>&1
printf '60\t\twalk' >>tsv
qc-report --html tsv | grep -A1 id=.session | tail -n 1 | cut -d'<' -f1-4
{ head -n 1 tsv; printf '7\t<b>\t<script>&"\t.5\t.5\t\t\t\t\t\n'; } >hostile
qc-report --html hostile | grep -c -E '<script|<b>'
qc-report hostile >hostile.svg && xmllint --noout hostile.svg

echo '--- a process was killed within a line, and the next one went on behind it'
head -n 61 tsv >rows
for log in json rows; do
    grep -v '^qc-run' $log >whole
    { head -n 20 whole; printf '{"window": 60, "ti'; cat whole; } >torn
    qc-report --html torn 2>&1 | grep -c -E '^qc-report: warning: 1 line is cut off|class="start"'
done

echo '--- what cannot be'
for wrong in 1=x 11=1 5=7 5=nan 6=1e; do
    awk -F'\t' -v OFS='\t' -v wrong="$wrong" \
        'NR == 5 { split(wrong, w, "="); $w[1] = w[2] } NR == 1 || NR == 5' tsv >bad
    qc-report bad 2>&1
    echo "status $?"
done
head -n 1 tsv >bad
qc-report bad 2>&1
echo "status $?"
echo '{"start": 0, "threshold": "high"}' >bad && qc-report bad 2>&1
echo '{"late": -1, "label": "a"}' >bad && qc-report bad 2>&1
qc-report -g method tsv 2>&1
echo "status $?"
qc-report --html "$TOP/share/experiments/people.yaml" 2>&1
echo "status $?"
# A long log, all of whose labels come late, and as many of windows before it.
awk 'BEGIN {
    for (i = 300000; i < 600000; i++) printf "{\"window\": %d, \"class\": \"a\", \"confidence\": 0.5}\n", i
    for (i = 0; i < 600000; i++) printf "{\"late\": %d, \"label\": \"%s\"}\n", i, i % 3 ? "b" : "a"
}' >long && qc-report --html long | grep -o '<td>300000<td>300000<td>100000 '
# A late label of a class with a long name
name=$(printf '%0500d' 0 | sed 's/0/\\x01/g')
{ printf 'window\ttime\tclass\tconfidence\tdrift\talarm\tlabel\n1\t\t%s\t.5\t\t0\t\n' "$name" &&
    echo "qc-run: late label: window 1 is $name"; } >named
qc-report --html named | grep -o '<td>1<td>1<td>1 (1.000)'
# A threshold that is no number of a drift
{ echo 'qc-run: warning: drift: far (figure 1, threshold 1e999)' && grep -v threshold said &&
    printf 'window\ttime\tclass\tconfidence\tdrift\talarm\tlabel\n1\t\ta\t.5\t1\t0\t\n'; } >far
qc-report far | grep -c -e nan -e inf
cp json kept; qc-report -o json json 2>&1
echo "status $?"
cmp json kept

echo '--- in a browser'
if command -v chromium >words; then
    mkdir home
    HOME=$PWD/home timeout 100 chromium --headless --no-sandbox --disable-gpu \
        --dump-dom "file://$PWD/session.html" >dom 2>words
    tr -d '\n' <dom | sed 's/<tr/\n<tr/g; s/<table/\n<table/g' >lines
    grep -o '<title>qcore live session</title>' dom
    sed -n '/id="adapts"/,/id="classes"/p' lines | grep -c '^<tr><td>'
    for curve in confidence accuracy drift; do
        grep -o "id=\"$curve\".* d=\"M[^\"]*\"" dom | tr L '\n' | wc -l
    done
else
    echo "skipped: chromium is not installed: the page is not opened" >&2
    printf '<title>qcore live session</title>\n4\n60\n60\n60\n'
fi
