# oldcpu.sh - kernels on older processors that QEMU emulates: a Conroe of 2006 gets the scalar set, a Haswell of 2013
# the AVX2 set. Neither executes an instruction that it lacks; both refuse a better set that is asked for.
set -eu
. tests/device/cross

qemu=qemu-x86_64-static
[ "$(uname -m)" = x86_64 ] || { skipped "no x86-64"; exit 77; }
have $qemu || { skipped "there is no $qemu"; exit 77; }
if nm "$BUILD/tests/test_kernels" | grep -q __asan_init; then skipped \
    "qemu does not play what sanitizers do to memory"; exit 77; fi

passes() { # passes CPU TEST
    CK_FORK=no $qemu -cpu "$1" "$BUILD/tests/test_$2" >"$work/words" 2>&1 && return
    echo "test_$2 fails on a $1:"
    cat "$work/words"
    exit 1
}
passes Conroe qgraph # its only set is scalar, and tests of kernels would compare scalar with itself
for test in kernels qgraph; do passes Haswell $test; done

refused() { # refused CPU ISA
    ! QC_ISA=$2 $qemu -cpu "$1" "$BIN/qc-eval" -d "$work/d.qcd" "$work/q.qcm" >"$work/words" 2>&1 &&
        grep -q "$2" "$work/words" && return
    echo "a $1 took the kernels $2:"
    cat "$work/words"
    exit 1
}
qc-synth -q --subjects 1 --activities 2 --windows 4 --channels 3 --length 16 -o "$work/d.qcd"
printf 'name: tiny\ninception:\n  filters: 2\n  depth: 3\n  kernels: [5, 3, 3]\n  bottleneck: 2\n  residual: 3\n' \
    >"$work/tiny.yaml"
qc-train -q --threads 1 --epochs 1 -a "$work/tiny.yaml" -d "$work/d.qcd" -o "$work/f.qcm"
qc-coreset -q -n 4 -d "$work/d.qcd" -o "$work/core.qcd"
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c "$work/core.qcd" -o "$work/q.qcm" "$work/f.qcm" >"$work/words"
refused Conroe avx2
refused Haswell avx512vnni
QC_ISA=avx2 $qemu -cpu Haswell "$BIN/qc-eval" -d "$work/d.qcd" "$work/q.qcm" >"$work/avx2" 2>"$work/words" ||
    { cat "$work/words"; exit 1; }
QC_ISA=scalar qc-eval -d "$work/d.qcd" "$work/q.qcm" >"$work/scalar"
cmp "$work/avx2" "$work/scalar"
