# --runs: the runs of two folders become one table. qc-sweep runs no job that only finished runs need; means are over
# the runs of both folders.
cat >e.yaml <<'END' || exit
name: halves
axes:
  seed: [1, 2, 3]
  person: [p1, p2]
  method: [good, bad]
steps:
  model: echo {person} > {out}
  flipnet: cat {model} > {out}; echo {seed} >> {out}
  run: >-
    {
    echo '{"batch": 1, "test": [0.{seed}25, 1]}';
    echo '{"batch": 2, "test": [0.9, 0.{seed}5]}';
    echo '{"summary": true, "accuracy_before": 0.1{seed}3456789, "test": [0.5, 1], "flips": 3, "ms": 1{seed},
    "model_bytes": 7, "working_bytes": 100}';
    } > {out} && test -s {flipnet} && : {method}
END
qc-sweep -q -o all e.yaml | sh || exit
qc-sweep -q -o a --set seed=1 e.yaml | sh || exit
qc-sweep -q -o b --set seed=2,3 --set person=p1 e.yaml | sh || exit
qc-report -q -d a --set seed=1 -f runs e.yaml >a.tsv || exit
qc-report -q -d b -f runs -o b.tsv e.yaml || exit
cut -f 1-5,8,9,14-16,22,23 a.tsv | sed 's/run-[0-9a-f]*/run-X/'
echo '--- what is left'
qc-sweep --status -o none --runs a.tsv --runs b.tsv e.yaml
qc-sweep -o none --runs a.tsv --runs b.tsv e.yaml |
    sed 's/.*\(model\|flipnet\|run\)-[0-9a-f]*.done.*/\1/' | sort | uniq -c
qc-sweep -o none -q --runs a.tsv --runs b.tsv --all e.yaml | wc -l
qc-sweep -o none -q --runs a.tsv --runs b.tsv e.yaml | sh || exit
qc-sweep -o none --runs a.tsv --runs b.tsv e.yaml
echo '--- means'
qc-report -d all -f runs e.yaml >all.tsv || exit
qc-report -d none --runs a.tsv --runs b.tsv -f runs e.yaml | cmp - all.tsv && echo "the table of all"
sed '1i # made by hand' all.tsv | qc-report -d nowhere --runs - -f runs e.yaml | cmp - all.tsv &&
    echo "a table of a table"
for format in tsv md latex json; do
    qc-report -d all -f $format -g method --figures accuracy,cost,target_ece e.yaml >want || exit
    qc-report -d nowhere -f $format -g method --figures accuracy,cost,target_ece --runs all.tsv e.yaml |
        cmp - want && echo "$format is the same"
done
qc-report -d all -g method --plot batches e.yaml >want
qc-report -d nowhere --runs all.tsv -g method --plot batches e.yaml | cmp - want && echo "curves are the same"
# the table alone, without its description
for alone in "all.tsv" "--runs all.tsv" "--runs b.tsv all.tsv"; do
    qc-report $alone -f runs | cmp - all.tsv && echo "alone: the same table"
done
qc-report -d all -g method -g seed --figures accuracy,cost e.yaml >want
qc-report -g method -g seed --figures accuracy,cost all.tsv | cmp - want && echo "alone: the same means"
gzip -c all.tsv >packed.runs.tsv.gz && qc-report -g method --plot batches packed.runs.tsv.gz | grep 'set title'
qc-report -g person --figures before --set seed=3,1 --set method=good all.tsv
# columns in another order: each table is read by the names of its columns
awk -F'\t' -v OFS='\t' '{ x = $2; $2 = $3; $3 = x; print }' all.tsv >turned.tsv
qc-report -g seed --figures before --runs turned.tsv all.tsv >words || exit
qc-report -g seed --figures before all.tsv | cmp - words && echo "columns in another order"
echo '--- wrong alone'
alone() { qc-report "$@" >out; echo $?; }
alone --set seed=9 all.tsv
alone --set sead=1 all.tsv
alone --set seed=1 --set model=x all.tsv
alone --set seed=1 --set method=bad --set person=p2,p1,p3 all.tsv
alone -g height all.tsv
alone -o all.tsv all.tsv
alone -o all.tsv --runs all.tsv
sed 's/\tseed\t/\tsize\t/' all.tsv >other.tsv && alone --runs a.tsv other.tsv
sed 's/^run-[0-9a-f]*\t/other-&/' all.tsv >twice.tsv
alone --runs twice.tsv all.tsv 2>&1 | sed 's/run-[0-9a-f]*/run-X/g'
sed 's/\tgood\t/\tgo od\t/' all.tsv >word2.tsv && alone word2.tsv
sed 's/\tperson\t/\tper-son\t/' all.tsv >word3.tsv && alone word3.tsv
sed 's/\tperson\t/\tseed\t/' all.tsv >word4.tsv && alone word4.tsv
sed 's,^run-,../run-,' all.tsv >word5.tsv && alone word5.tsv 2>&1 | sed 's/run-[0-9a-f]*/run-X/g'
head -n 1 all.tsv >header.tsv && alone header.tsv
cut -f 1,5- all.tsv >no-axis.tsv && alone no-axis.tsv
# a result in the folder has precedence over a table, and a later table over an earlier one
sed 's/\t0\.1\([123]\)3456789/\t0.75/' all.tsv >changed.tsv
qc-report -d all --runs changed.tsv --figures before -g seed e.yaml
qc-report -d nowhere --runs all.tsv --runs changed.tsv --figures before -g seed e.yaml
# runs of other experiments are ignored
qc-report -d nowhere --runs all.tsv --set seed=4 e.yaml
echo "$?"
echo '--- wrong'
wrong() {
    qc-report -d all --runs "$1" e.yaml
    echo $?
    qc-sweep -q -o all --runs "$1" e.yaml
    echo $?
}
wrong nowhere.tsv
: >empty.tsv && wrong empty.tsv
qc-report -q -d all e.yaml >means.tsv && wrong means.tsv
cut -f 1-6 all.tsv >cut.tsv && wrong cut.tsv
sed '3s/\t[^\t]*$//' all.tsv >short.tsv && wrong short.tsv
sed '3s/\t7\t/\tseven\t/' all.tsv >word.tsv && wrong word.tsv
sed '3s/,0.9$/,0.9,/' all.tsv >comma.tsv && wrong comma.tsv
head -c 300 /dev/zero >zero.tsv && wrong zero.tsv
yes 'run' | head -n 60 | paste -s - >wide.tsv && wrong wide.tsv
echo '--- an axis with the name of a column'
for name in runs ms ms_ci95 targets; do
    printf 'name: n\naxes: {%s: [1]}\nsteps: {run: "echo {%s} > {out}"}\n' $name $name >column.yaml
    qc-sweep -q -o all column.yaml
done
sed 's/\tperson\t/\truns\t/' all.tsv >word6.tsv && alone word6.tsv
