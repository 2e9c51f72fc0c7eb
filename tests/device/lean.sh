# lean.sh - `make device`: four programs that need only a C compiler and libc. They give the results of the full
# programs, and refuse in one sentence what they do not support.
set -eu
. tests/device/cross
wrong=0
report() { echo "$*"; wrong=1; }

for_device "${CC:-gcc}"
bin=$device/bin

# The linker gets the objects and libm only: a dynamic program needs no other library, a static program contains no
# other library.
for name in qc-calibrate qc-eval qc-info qc-run; do
    needed=$(readelf -d "$bin/$name" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libm|libpthread|ld-.*)\.so' || true)
    [ -z "$needed" ] || report "$name needs" $needed
    foreign=$(nm "$bin/$name" | grep -iE ' (dnnl|GOMP|omp|yaml|cblas|xnn)_' | head -3)
    [ -z "$foreign" ] || report "$name has in it" $foreign
done
asked=$(nm -u "$device/libqcore.a" | grep -iE ' (dnnl|GOMP|omp|yaml|cblas|xnn)_' | sort -u | head -3)
[ -z "$asked" ] || report "the library asks for" $asked

(
    cd "$work"
    qc-synth -q --subjects 1 --activities 3 --windows 8 --channels 2 --length 16 -o d.qcd
    printf 'name: tiny\nlayers:\n  - conv: 4\n    kernel: 3\n  - relu\n  - gap\n' >tiny.yaml
    qc-train -q --threads 1 --epochs 2 -a tiny.yaml -d d.qcd -o fp.qcm
    qc-coreset -q -n 6 -d d.qcd -o core.qcd
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm fp.qcm >words
    printf 'json: true\n' >config.yaml
)
for file in d.qcd core.qcd fp.qcm q.qcm; do
    qc-info --json "$work/$file" >"$work/full.json"
    "$bin/qc-info" --json "$work/$file" | cmp - "$work/full.json" || report "qc-info $file: another result"
done
qc-eval --json --confusion -d "$work/d.qcd" --logits "$work/full.npy" "$work/q.qcm" >"$work/full.json"
"$bin/qc-eval" --json --confusion -d "$work/d.qcd" --logits "$work/lean.npy" "$work/q.qcm" |
    cmp - "$work/full.json" || report "qc-eval: another result"
cmp "$work/full.npy" "$work/lean.npy" || report "qc-eval: other logits"

for turn in 1 2 3 4; do seq 1 16 | sed 's/\(.*\)/\1,-\1/'; done >"$work/frames.csv"
qc-run --stride 4 --rate 10 "$work/q.qcm" <"$work/frames.csv" >"$work/full.tsv"
"$bin/qc-run" --stride 4 --rate 10 "$work/q.qcm" <"$work/frames.csv" | cmp - "$work/full.tsv" ||
    report "qc-run: another result"

refused() { # refused STATUS WORDS PROGRAM...
    expected=$1 words=$2 status=0
    shift 2
    "$bin/$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ $status -eq "$expected" ] || report "$*: status $status, not $expected"
    [ ! -s "$work/out" ] || report "$*: refused, and yet something on stdout"
    [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "$words" "$work/err" || report "$*: $(cat "$work/err")"
}
refused 5 'float models' qc-eval -d "$work/d.qcd" "$work/fp.qcm"
refused 2 'config.yaml.*no YAML' qc-eval --config "$work/config.yaml" -d "$work/d.qcd" "$work/q.qcm"
refused 2 'config.yaml.*no YAML' qc-info --config "$work/config.yaml" "$work/q.qcm"
refused 2 "there is no method 'er'" qc-calibrate -m er -c "$work/core.qcd" -s "$work/d.qcd" -o "$work/out.qcm" \
    "$work/q.qcm"
exit $wrong
