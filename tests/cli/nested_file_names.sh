# Files that other files name: a pipe, a device, or a name with a zero byte is refused in one sentence. No program waits
# for them.
status() { timeout 20 "$@" >out 2>err; echo "status $?"; sed "s|$TOP/||; s/run-[0-9a-f]*/run-N/" err out; }
model=$TOP/tests/fuzz/seeds/onnx/r-outside.onnx
mkdir folder
mkfifo folder/w.bin pipe
status qc-import -f onnx -q --external-data folder -o m.qcm "$model"
rm folder/w.bin; mkdir folder/w.bin
status qc-import -f onnx -q --external-data folder -o m.qcm "$model"
rmdir folder/w.bin; ln -s /dev/zero folder/w.bin
status qc-import -f onnx -q --external-data folder -o m.qcm "$model"
echo '--- w, a zero byte, in: not w'
perl -pe 's/w\.bin/w\0bin/' "$model" >zero.onnx
head -c 100 /dev/zero >folder/w
status qc-import -f onnx -q --external-data folder -o m.qcm zero.onnx
echo '--- a pipe under from, and instead of a result'
printf 'from: pipe\n' >from.yaml
status qc-sweep -o runs from.yaml
printf 'name: one\naxes:\n  seed: [1]\nsteps:\n  run: "true > {out}"\nreport: run\n' >one.yaml
out=$(qc-sweep -q -o runs one.yaml | sed "s/.*'\(.*\)\.done'.*/\1/")
mkdir -p runs
mkfifo "$out" && : >"$out.done"
status qc-report -q -d runs one.yaml
echo '--- the samples of a WFDB header: a pipe, standard input, a name with a zero byte'
mkdir record
mkfifo record/r.dat
printf 'r 1 100 50\nr.dat 16 200 16 0 0 0 0 I\n' >record/r.hea
status qc-import -f wfdb -q -o x.qcd record
rm record/r.dat
head -c 100 /dev/zero >record/r.dat
(cd record && printf 'r 1 100 50\n- 16 200 16 0 0 0 0 I\n' >r.hea && status qc-import -f wfdb -q -o x.qcd r.hea)
printf 'r 1 100 50\nr.dat\0x 16 200 16 0 0 0 0 I\n' >record/r.hea
status qc-import -f wfdb -q -o x.qcd record
echo '--- a pipe instead of a state'
qc-synth -q --subjects 1 --activities 2 --windows 6 --channels 2 --length 16 -o d.qcd && qc-coreset -q -n 4 -d d.qcd \
    -o core.qcd && qc-train -q --threads 1 --epochs 1 -a mlp -d d.qcd -o f.qcm &&
    qc-quantize -q --force -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm f.qcm >quantized || exit
status qc-calibrate -q -c core.qcd -s d.qcd --state pipe -o n.qcm q.qcm
status qc-run -q -c core.qcd -d d.qcd --state pipe q.qcm
