# Impossible results are refused with their place in the file: logs of two runs in one file, and tables of runs that
# were cut or changed.
cat >e.yaml <<'END' || exit
name: results
axes: {method: [one], seed: [1, 2]}
steps: {run: "echo {method} {seed} > {out}"}
END
batch() { echo "{\"batch\": $1, \"test\": [$2, 1]}"; }
end='{"summary": true, "accuracy_before": 0.5, "test": [0.5, 1], "ms": 3}'
qc-sweep -q e.yaml | sh || exit
first=$(ls runs/run-*.done | head -n 1) second=$(ls runs/run-*.done | tail -n 1)
first=${first%.done} second=${second%.done}
{ batch 1 .25 && batch 2 .75 && echo "$end"; } >good
say() { qc-report "$@" e.yaml >out 2>err; echo "$? $(grep -v 'not done' err | sed "s,$first,FIRST,")"; }
cp good "$first" && cp good "$second" && say
echo '--- logs'
cat good good >"$first" && say
{ cat good && echo "$end"; } >"$first" && say
{ batch 1 .25 && batch 1 .75 && echo "$end"; } >"$first" && say
{ batch 2 .25 && batch 1 .75 && echo "$end"; } >"$first" && say
{ batch 7 .25 && batch 8 .75 && echo "$end"; } >"$first" && say # a session that went on
{ batch 1 .25 && echo '{"summary": false, "ms": 3}'; } >"$first" && say
sed 's/"ms": 3/"ms": 1e300/' good >"$first" && say # an interval that is no number of JSON
cp good "$first"
echo '--- figures'
qc-report --figures ms,cost,ms e.yaml | head -n 1
echo '--- outputs'
say -o "$first"; cmp "$first" good
echo '--- tables'
qc-report -f runs e.yaml >table || exit
change() { sed "$1" table >changed && ! cmp -s table changed && say -d nowhere --runs changed; }
say -d nowhere --runs table
change 's/,0.75$/,0.7/'
change '$s/,0.75$//'
change '$s/	0.25,0.75$//'
change '2s/	0.5	/	-5	/'
change '2s/	0.5	/	7	/'
change '2s/0.25,/25,/'
change '3s/	3	/	-3	/'
change '3s/	3	/	many	/'
LC_ALL=C change "2s/	0.5	/	$(printf '\344')	/"
