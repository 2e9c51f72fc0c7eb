# qc-run as a learner on FIFOs: killed at several moments, it ends in the bytes of an uninterrupted run. Late labels
# have the effect of labels in a column; SIGTERM saves the state; undo.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 20 --channels 3 --length 24 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm fp.qcm >words || exit 1
qc-export -q -f csv -o p2.csv p2.qcd || exit 1
# Windows to frames with a label; the three classes alternate.
awk -F, 'NR == 1 {
             for (i = 1; i <= NF; i++)
                 if ($i ~ /^c[0-9]+_[0-9]+$/) { split(substr($i, 2), part, "_"); at[part[1], part[2]] = i }
                 else if ($i == "label") label = i
             next
         }
         { row[(NR - 2) % 20 * 3 + int((NR - 2) / 20)] = $0 }
         END {
             for (r = 0; r < 60; r++) {
                 split(row[r], cell, ",")
                 for (t = 1; t <= 24; t++)
                     printf "%.2f,%s,%s,%s,%s\n", n++ * .04, cell[at[1, t]], cell[at[2, t]], cell[at[3, t]], cell[label]
             }
         }' p2.csv >frames
live='qc-run -c core.qcd --every 6 --time-column 1 --label-column 5'
$live --state whole q.qcm <frames >whole.tsv 2>whole.err || exit 1
wc -l <whole.tsv
grep -c '^qc-run: adapt .*: 6 labels' whole.err
grep -q 'a new last layer' whole.err || echo "nothing was learned"

# Killed after this number of lines: windows that were not learned by then are fed again.
mkfifo in out
next=0
for lines in 3 9 14; do
    $live --state kept q.qcm <in >out 2>err &
    process=$!
    exec 5>in 4<out # in the order in which the process opens them
    tail -n +$((next * 24 + 1)) frames | head -n $((lines * 24)) >&5
    for _ in $(seq 0 $lines); do read -r line <&4; done
    kill -9 $process
    wait $process 2>words
    exec 4<&- 5>&-
    echo "killed at $line" | cut -f1
    cp kept copy
    $live --state copy q.qcm </dev/null 2>&1 >nothing | tee words | cut -d: -f3
    next=$(sed -n 's/.* at window \([0-9]*\), .*/\1/p' words)
    : "${next:=0}"
done
tail -n +$((next * 24 + 1)) frames | $live --state kept q.qcm >rest.tsv 2>err || exit 1
answers() { tail -n +2 "$1"; }
answers rest.tsv >rest; answers whole.tsv | tail -n "$(wc -l <rest)" | cmp - rest && cmp whole kept &&
    echo "the same answers and state"

# The drift figure goes on in the next process.
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o known.qcm fp.qcm >words || exit 1
cut -d, -f1-4 frames >bare
follow() { qc-run -q -c core.qcd --time-column 1 --state "$1" known.qcm 2>words | sed 1d | cut -f1,3,6; }
follow one <bare >one.tsv
{ head -n 480 bare | follow two; tail -n +481 bare | follow two; } | cmp - one.tsv &&
    awk '$3 ^ 2 > 0' one.tsv | wc -l
# ... but not in a model that has learned: its next stream is another.
qc-calibrate -q -c core.qcd -s p2.qcd --batches 1 --json -o learned.qcm known.qcm 2>words |
    grep -o '"drift": [0-9.]*' | awk '{ print ($2 > .2) ? "far" : $2 }'
qc-run -q -d p1.qcd learned.qcm 2>words | awk 'NR == 2 { print ($6 ^ 2 < .1 ^ 2) ? "anew" : $6 }'

# Labels from their own file: all of them before the first frame, by time and by number.
awk -F, 'NR % 24 == 1 { n = int(NR / 24); from = $1; class = $5 }
         NR % 24 == 0 {
             if (n % 2) print n, class
             else printf "0:%02d:%05.2f-0:%02d:%05.2f %s\n", from / 60, from % 60, $1 / 60, $1 % 60, class
         }' frames >labels
cut -d, -f1-4 frames | qc-run -c core.qcd --every 6 --time-column 1 --labels labels --state late q.qcm >late.tsv 2>err \
    || exit 1
cmp whole.tsv late.tsv && cmp whole late && echo "labels apart: the same answers and state"
# ... and by a FIFO, after their windows.
mkfifo later
cut -d, -f1-4 frames | head -n 264 >some
qc-run -c core.qcd --every 4 --time-column 1 --labels later --state fifo q.qcm <in >out 2>err &
process=$!
exec 5>in 4<out 6>later
cat some >&5
for _ in 0 1 2 3 4 5 6 7 8 9 10 11; do read -r line <&4; done
{ head -n 4 labels; echo "99 lying"; echo "3-1 lying"; echo "1 lying"; echo "5 flying"; echo "8 sitting"; } >&6
exec 5>&- # at the end of the stream, labels that have come are learned
wait $process || echo "status $?"
exec 4<&- 6>&-
sed 's/\(adapt [0-9]*\):.*labels, .*/\1: N labels/' err

# SIGTERM: waiting labels are learned, the state is saved, and the status is 0; SIGUSR1 and SIGHUP.
$live --state term q.qcm <in >out 2>err &
process=$!
exec 5>in 4<out
head -n 48 frames >&5
for _ in 0 1 2; do read -r line <&4; done
kill -USR1 $process
kill -HUP $process
kill -TERM $process
wait $process
echo "status $?"
exec 4<&- 5>&-
cut -d';' -f1 err | sed 's/, [0-9]* right.*wait//; s/adapt 1: 2 labels.*/adapt 1: 2 labels/'
$live --state term q.qcm </dev/null 2>&1 >nothing
# The model file changes during the run.
qc-quantize --force -q -b 8 --epochs 1 --threads 1 -c core.qcd -o q8.qcm fp.qcm >words || exit 1
cp q.qcm now.qcm
qc-run --label-column 5 --time-column 1 now.qcm <in >out 2>err &
process=$!
exec 5>in 4<out
head -n 24 frames >&5
for _ in 0 1; do read -r line <&4; done
cp q8.qcm now.qcm
kill -HUP $process
tail -n +25 frames | head -n 24 >&5
read -r line <&4
echo "$line" | cut -f1
echo "$line" | cut -f3,4 >one
qc-run --label-column 5 --time-column 1 q8.qcm <frames | sed -n 3p | cut -f3,4 | cmp - one &&
    echo "answers are of the other model"
exec 5>&-
wait $process
exec 4<&-
cat err

# A data file is not a stream: its model stays, and SIGHUP says so. More lines than a pipe holds: the process is there.
qc-synth -q --subjects 1 --activities 3 --windows 800 --channels 3 --length 24 -o many.qcd || exit 1
qc-run --top 3 -d many.qcd q.qcm >out 2>err &
process=$!
exec 4<out
for _ in 0 1; do read -r line <&4; done
kill -HUP $process
cat <&4 >lines
wait $process || echo "status $?"
exec 4<&-
wc -l <lines
cat err

# A reader that has stopped does not keep SIGTERM from saving the state.
/usr/bin/python3 - <<'END'
import fcntl, signal, struct, subprocess, termios
command = 'qc-run -q --json --every 1000 -c core.qcd --state stuck -d many.qcd q.qcm'.split()
process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
while struct.unpack('i', fcntl.ioctl(process.stdout, termios.FIONREAD, b'0000'))[0] < 60000: pass
process.send_signal(signal.SIGTERM)
print('status', process.wait(60))
END
qc-run -c core.qcd --state stuck -d people.qcd q.qcm 2>&1 >nothing | sed 's/window [0-9]*/window N/' | head -n 1

# More labels than can wait. Labels of a file count as not matched at its end; one label of a FIFO is named.
seq 1000 1299 | sed 's/$/ lying/' >many
head -n 48 bare | qc-run -q -c core.qcd --time-column 1 --state many.file --labels many q.qcm 2>&1 >words
mkfifo quick
exec 7<>quick
cat many >&7
head -n 48 bare | qc-run -q -c core.qcd --time-column 1 --state many.fifo --labels quick q.qcm 2>&1 >words
exec 7>&-

# The status line on a terminal is cut at the terminal's width; the last adapt prints it.
command -v script >words || { echo "script (bsdutils) is missing" >&2; exit 77; }
live="$live --state line q.qcm"
script -qec "stty cols 34; $live --status <frames >shown" /dev/null </dev/null >line.out || exit 1
cmp shown whole.tsv && tr '\r' '\n' <line.out | grep -a ' windows ' | tail -n 1 |
    sed 's/^.*\[K//; s/accuracy [0-9.]*/accuracy X/'
$live --status </dev/null 2>&1
echo "status $?"
