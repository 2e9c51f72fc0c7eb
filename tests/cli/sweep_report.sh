# An experiment of invented results: shared steps run once, a failed command runs again, and qc-report's means and
# intervals are NumPy's.
cat >result <<'END' || exit
#!/bin/sh
# result SEED METHOD: what qc-calibrate --json would print
[ "$2" = good ] && a=0.9 || a=0.5
printf '{"batch": 1, "test": [0.25, 1]}\n{"batch": 2, "test": [%s%s, 0.75]}\n' $a "$1"
printf '{"summary": true, "accuracy_before": %s%s, "test": [0.5, 1], "flips": 3, ' $a "$1"
printf '"ms": 1%s, "working_bytes": 100}\n' "$1"
END
chmod +x result
cat >e.yaml <<'END' || exit
name: made up
paths: {tools: "."}
let: {word: "it's"}
axes:
  method: [good, bad, other]
  person: [p1, p2]
  seed: [1, 2, 4]
without:
  - {method: other}
  - {method: bad, person: p2}
steps:
  float: echo "{word}" {person} >> {out}
  run: test -e {out}.may || test {method} = good && {tools}/result {seed} {method} > {out} && cat {float} > {out}.seen
END
qc-sweep --status e.yaml || exit
qc-sweep e.yaml >all 2>words || exit
cat words
grep -c float- all >/dev/null || exit
sh all # commands of method bad fail
qc-sweep --status --json e.yaml
qc-report e.yaml >table || exit
qc-sweep -q e.yaml >again || exit
wc -l <again
for out in $(sed -n 's/.*result . bad > \([^ ]*\) .*/\1/p' again); do : >"$out.may"; done
qc-sweep -q --ready --step run e.yaml | sh || exit
qc-sweep e.yaml
cat runs/float-*[0-9a-f] | sort # each step once
qc-report -g method --figures before,target_mean,target_last,source_last,ms -f md e.yaml
qc-report -g method -f json --figures before,working_bytes e.yaml >table.json
/usr/bin/python3 - <<'END' || exit
import json, statistics as s
x = [0.91, 0.92, 0.94] * 2
t = 2.5705818 # of 5 degrees of freedom
row = json.loads(open("table.json").readline())
assert row["method"] == "good" and row["runs"] == 6, row
assert abs(row["before"] - s.mean(x)) < 1e-6 and abs(row["before_ci95"] - t * s.stdev(x) / 6 ** .5) < 1e-4, row
assert row["working_bytes"] == 100 and row["working_bytes_ci95"] == 0
print("as computed elsewhere")
END
qc-report -g method --plot batches e.yaml | gnuplot >a.svg && grep -c '<svg' a.svg
qc-report -g method --plot ms,target_last e.yaml | gnuplot >b.svg && grep -c '<svg' b.svg
qc-report -g method --plot seed,before e.yaml | tee c.gp | gnuplot >c.svg && grep -c '<svg' c.svg
sed -n '/^.row/,/^END/p' c.gp | cut -c 1-6 # a curve per method; the seeds are the x values
qc-report -g method --plot person,before e.yaml | grep -e xtics -e plot # words are evenly spaced
# the bands around the curves are the intervals of the means
qc-report -g method --plot batches e.yaml | sed -n '/^.row0/,/^END/p' | sed '1d;$d' >bands || exit
/usr/bin/python3 - <<'END' || exit
import statistics as s
x = [0.91, 0.92, 0.94] * 2
half = 2.5705818 * s.stdev(x) / 6 ** .5
rows = [[float(v) for v in line.split()] for line in open("bands")]
assert rows[0] == [1, .25, 0], rows
assert abs(rows[1][1] - s.mean(x)) < 1e-8 and abs(rows[1][2] - half) < 1e-4, rows
print("bands as computed elsewhere")
END
# too many curves: the first eight are drawn, and a warning names the omitted curves
cat >many.yaml <<'END' || exit
name: many
axes: {method: [m1, m2, m3, m4, m5], size: [1, 2]}
steps:
  run: >-
    { echo '{"batch": 1, "test": [0.5, 1]}'; echo '{"batch": 2, "test": [0.6, 1]}';
    echo '{"summary": true, "ms": {size}}'; } > {out}; : {method}
END
qc-sweep -q -o many many.yaml | sh || exit
qc-report -d many --plot batches many.yaml >many.gp
grep -c '^.row[0-9]* <<' many.gp; grep -o 'title "[^"]*"' many.gp
gnuplot many.gp >many.svg && grep -c '<svg' many.svg
qc-report -d many --plot size,ms -g method --set method=m1,m2 many.yaml | grep -o 'title "[^"]*"\|label "[^"]*"'
# two streams: the target is the subject of the stream; the source is the last test set
cat >streams.yaml <<'END'
name: streams
axes: {seed: [1], method: [a, b, c], size: [1, 2]}
without: [{method: [b, c], size: ["2"]}]
steps:
  run: >-
    {
    echo '{"batch": 1, "stream": 1, "test": [0.5, 0.1, 0.9], "ece": [0.2, 0.7, 0.7]}';
    echo '{"batch": 2, "stream": 2, "test": [0.2, 0.75, 0.8], "ece": [0.7, 0.4, 0.7]}';
    echo '{"summary": true, "accuracy_before": {seed}, "test": [0.35, 0.4, 0.85], "ece": [0.5, 0.5, 0.7],
    "model_bytes": 30, "working_bytes": 12, "acc": 0.6, "bwt": -0.2}';
    } > {out}; : {method} {size}
END
qc-sweep -q -o streams streams.yaml | sh || exit
qc-report -d streams --figures accuracy,target_ece,transfer,bytes -f md -g method streams.yaml
# combinations that `only` lists, without combinations that `without` lists
echo 'only: [{method: a}, {method: [b, c], size: [1, 2]}]' | cat streams.yaml - | qc-sweep --status -
echo 'only: [{method: [a, c], size: 2}]' | cat streams.yaml - | qc-sweep -q - | sed 's/.*: \(. .\) ;.*/\1/'
sed 's/\["2"\]/{a: 2}/' streams.yaml | qc-sweep -
echo $?
echo 'only: {method: a}' | cat streams.yaml - | qc-sweep -
echo $?
qc-sweep --set seed=1,2,1 streams.yaml
echo $?
echo 'only: [{method: [a, d]}]' | cat streams.yaml - | qc-sweep -
echo $?
echo 'only: [{method: a}]' | cat streams.yaml - | qc-sweep --set method=b,d -
echo $?
# other values: other results; a changed command: other names; moved paths: the same
qc-sweep -q --set seed=9 --set person=p1 e.yaml | grep -c result
qc-sweep -q --set word=other e.yaml | wc -l
qc-sweep -q --set tools=elsewhere e.yaml | wc -l
echo '--- wrong'
for change in 's/{seed}/{sead}/' 's/{method: other}/{methid: other}/' 's/^axes:/axis:/' 's/\[p1, p2\]/[p1, "p 2"]/' \
    's/run: test/float: test/' 's/\[1, 2, 4\]/[]/' 's/cat {float}/cat {run}/' 's/word: /out: /'; do
    sed "$change" e.yaml >w.yaml
    qc-sweep w.yaml
    echo $?
done
printf 'axes: {a: [1]\n' | qc-sweep -
echo $?
qc-sweep --set sead=1 e.yaml
echo $?
qc-sweep --step walk e.yaml
echo $?
qc-sweep
echo $?
qc-sweep -o e.yaml/x e.yaml
echo $?
qc-report -d nowhere e.yaml
echo $?
qc-report --figures before,after e.yaml
echo $?
qc-report -g height e.yaml
echo $?
qc-report -f html e.yaml
echo $?
qc-report --plot ms e.yaml
echo $?
one=$(ls runs/run-*.done | head -n 1)
echo 'not json' >"${one%.done}"
qc-report e.yaml 2>&1 | sed 's/run-[0-9a-f]*/run-X/'
{ cat "$(ls runs/run-*.done | tail -n 1 | sed 's/.done//')" && echo '{"batch": '; } >"${one%.done}"
qc-report e.yaml 2>&1 | sed 's/run-[0-9a-f]*/run-X/'
head -n 1 "$(ls runs/run-*.done | tail -n 1 | sed 's/.done//')" >cut && cp cut "${one%.done}"
qc-report e.yaml 2>&1 | sed 's/run-[0-9a-f]*/run-X/'
