# Every end-to-end test fails if the calibrator does nothing: each is run with `qc-calibrate -m none` instead of
# qc-calibrate. QC_SLOW=1 runs it.
[ "${QC_SLOW:-}" ] || { echo "skipped: QC_SLOW=1 tests/run house/none runs it"; exit 0; }
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
mkdir "$place/bin"
printf '#!/bin/sh\nexec %s "$@" -m none\n' "$(command -v qc-calibrate)" >"$place/bin/qc-calibrate"
chmod +x "$place/bin/qc-calibrate"
wrong=0
for test in chain_as_written backbones onnx_chain quantize_std calibrate_closed; do
    mkdir "$place/$test"
    (cd "$place/$test" && PATH=$place/bin:$PATH sh "$TOP/tests/cli/$test.sh") >"$place/out" 2>"$place/err" </dev/null
    status=$? expected=0
    [ $status -ne 77 ] || continue
    [ -f "tests/cli/$test.exit" ] && expected=$(cat "tests/cli/$test.exit")
    [ $status -eq "$expected" ] && cmp -s "$place/out" "tests/cli/$test.out" || continue
    echo "cli/$test passes with a calibrator that does nothing"
    wrong=1
done
exit $wrong
