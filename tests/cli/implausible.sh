# qc-run and qc-calibrate warn once of a stream in another unit, and once of a fall of source accuracy. A test set that
# is the stream is refused. Drift and alarm of qc-calibrate are the figures of qc-run.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 2 --activities 3 --windows 40 --channels 3 --length 24 --drift 2 -o people.qcd || exit 1
for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || exit 1; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 8 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit 1
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o q.qcm fp.qcm >words || exit 1

# Channel 2 of person 2, times 1000: as a data file, and as frames.
qc-export -q -f csv -o p2.csv p2.qcd || exit 1
awk -F, -v OFS=, '
    NR == 1 {
        for (i = 1; i <= NF; i++) {
            wrong[i] = $i ~ /^c2_/
            if ($i ~ /^c[0-9]+_[0-9]+$/) { split(substr($i, 2), part, "_"); at[part[1], part[2]] = i }
        }
        print
        next
    }
    {
        for (i in wrong) if (wrong[i]) $i *= 1000
        print
        for (t = 1; t <= 24; t++) printf "%s,%s,%s\n", $at[1, t], $at[2, t], $at[3, t] >"frames"
    }' p2.csv >mg.csv
qc-import -q --channels 3 -o mg.qcd mg.csv || exit 1
said() { "$@" 2>&1 >out | grep -v '^qc-run: warning: drift: '; }
said qc-run q.qcm <frames
said qc-run -d mg.qcd q.qcm
said qc-calibrate -q -c core.qcd -s mg.qcd -t p2.qcd --no-output q.qcm
said qc-calibrate -q -c core.qcd -s p2.qcd -t mg.qcd --no-output q.qcm
said qc-run -d p2.qcd q.qcm
qc-run -q -d p2.qcd q.qcm >run.tsv 2>words || exit 1

# The same file, and its content under another name.
cp p2.qcd again.qcd
for test in p2.qcd again.qcd; do
    qc-calibrate -q -c core.qcd -s p2.qcd -t $test --no-output q.qcm && echo "$test was taken"
    echo "status $?"
done

# One batch: the figures of qc-run, which learns nothing.
qc-calibrate -q --order recorded --batches 1 -c core.qcd -s p2.qcd --no-output q.qcm >one.tsv || exit 1
head -1 one.tsv | cut -f 18-19
sed -n 2p one.tsv | cut -f 18-19 >figures
awk -F'\t' 'NR > 1 { drift = $6; alarms += $7 } END { print drift "\t" alarms }' run.tsv | cmp - figures &&
    echo "drift and alarm of qc-run"
qc-calibrate -q --json --order recorded --batches 1 -c core.qcd -s p2.qcd --no-output q.qcm | head -1 |
    sed 's/.*"drift": \([-0-9.]*\), "alarm": \([0-9]*\).*/\1 \2/' | awk '{ printf "%.3f\t%d\n", $1, $2 }' |
    cmp - figures && echo "... as JSON"
qc-rival -m bn --json -c core.qcd -s p2.qcd --no-output q.qcm | grep -c '"drift": null, "alarm": null' |
    sed 's/^[1-9].*/none of a rival/'

# Labels of the next class for all windows: the guard lets it pass, or refuses it; the source's accuracy is followed.
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "label") at = i; print; next }
     { $at = $at == "sitting" ? "lying" : $at == "lying" ? "standing" : "sitting"; print }' p2.csv >turned.csv
qc-import -q --channels 3 -o turned.qcd turned.csv || exit 1
qc-calibrate --tune guard=1 -c core.qcd -s turned.qcd -t p1.qcd --no-output q.qcm 2>&1 >out | cut -d' ' -f1-4
qc-run -c core.qcd --state s --tune guard=1 -d turned.qcd q.qcm 2>&1 >out | grep source.accuracy | cut -d' ' -f1-6
