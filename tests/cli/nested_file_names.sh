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
