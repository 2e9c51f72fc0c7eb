# share/experiments/parallel.sh, killed in the middle and started again: finished results are kept, unfinished ones are
# made again, and no command runs before its inputs exist.
command -v parallel >/dev/null || { echo "there is no GNU parallel: share/setup/install.sh --test" >&2; exit 77; }
mkfifo pipe || exit
cat >e.yaml <<'EXPERIMENT'
name: parallel
axes: {seed: [1, 2, 3, 4, 5, 6], kind: [a, b]}
steps:
  first: >-
    echo $$ >> pids; echo begun >> {out}.log; echo half >> {out};
    [ {seed} -lt 3 ] || [ -e open ] || read word < pipe; echo whole {seed} > {out}
  second: grep whole {first} > {out} && echo {kind} >> {out}
EXPERIMENT
script=$TOP/share/experiments/parallel.sh
JOBS=2 timeout -k 1 100 sh "$script" e.yaml >words 2>&1 &
limit=$!
tries=0
# two commands have ended, two are running
until [ "$(cat pids 2>/dev/null | wc -l)" -eq 4 ] && [ "$(ls runs/*.done | wc -l)" -eq 2 ]; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { cat words >&2; exit 1; }
    sleep 0.1
done 2>/dev/null
children() { ps -o pid= --ppid "$1" | tr -d " "; }
shell=$(children $limit)
kill -KILL $shell $(children "$shell") $(tail -n 2 pids)
wait $limit 2>/dev/null
qc-sweep --status e.yaml
grep -l half runs/first-*[0-9a-f] | wc -l
: >open
JOBS=3 timeout -k 1 100 sh "$script" e.yaml || exit
qc-sweep --status e.yaml
cat runs/first-*.log | wc -l # 6 commands, and 2 of them twice
cat runs/second-*[0-9a-f] | sort | uniq -c
timeout 60 sh "$script" e.yaml && echo 'nothing is left'
# a command that fails ends the run
sed -i 's/seed: .*\]/seed: [7], kind: [a]/; s/grep whole/grep never/' e.yaml
timeout 60 sh "$script" e.yaml
echo $?
