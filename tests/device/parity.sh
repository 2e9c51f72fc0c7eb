# parity.sh - one calibration session gives the same model, coreset and run log on every set of kernels. It runs on
# every processor that is present or that QEMU emulates. A session has a model, a flip network, a coreset and ten
# batches, shuffled and one class after another, at 2, 4 and 8 bits. In the run log only times differ, and bytes, which
# count pointers.
set -eu
. tests/device/cross
export OMP_NUM_THREADS=1

(
    cd "$work"
    qc-synth -q --subjects 2 --activities 4 --windows 25 --channels 3 --length 24 -o people.qcd
    for p in p1 p2; do qc-split -q -g $p -t 0.2 --by block -o $p.train.qcd -O $p.test.qcd people.qcd >words 2>&1; done
    printf 'name: tiny\ninception:\n  filters: 4\n  depth: 3\n  kernels: [9, 5, 3]\n  bottleneck: 4\n  residual: 3\n' \
        >tiny.yaml
    qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.train.qcd -o fp.qcm
    qc-coreset -q -n 12 -d p1.train.qcd -o core.qcd
    for bits in 2 4 8; do
        qc-quantize --force -q -b $bits --epochs 1 --threads 1 -c core.qcd -o q$bits.qcm fp.qcm >words
        qc-quantize --force -q --std --last-bits 8 -b $bits --epochs 1 --threads 1 -c core.qcd -o s$bits.qcm fp.qcm \
            >words
        qc-bitflip-train -q --subjects 1 --test-subjects 1 --oracle-steps 3 --steps 20 --threads 1 -c core.qcd -d \
            p1.train.qcd -o f$bits.qcm q$bits.qcm >words
    done
    # a source of three activities: the fourth takes a spare row
    qc-synth -q --subjects 1 --activities 3 --windows 25 --channels 3 --length 24 -o three.qcd
    qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d three.qcd -o three.qcm
    qc-coreset -q -n 9 -d three.qcd -o three.core.qcd
    for bits in 2 8; do
        qc-quantize --force -q --spare-classes 2 --last-bits $bits -b $bits --epochs 1 --threads 1 -c three.core.qcd \
            -d three.qcd -o x$bits.qcm three.qcm >words
    done
)

# session NAME BITS PROGRAM...: leaves NAME-BITS.qcm, .qcd and .runlog
# BITS followed by c: one class after another; by n: without the flip network; by s: the same, and a last layer that
# reads standard deviations; by x: with a class that takes a spare row
session() {
    to=$work/$1-$2 bits=${2%[cnsx]} order=shuffled model=f core=core
    case $2 in *c) order=classes ;; *n) model=q ;; *s) model=s ;; *x) model=x core=three.core ;; esac
    shift 2
    "$@" -q --json --order $order -c "$work/$core.qcd" -s "$work/p2.train.qcd" --batches 10 -t "$work/p2.test.qcd" -C \
        "$to.qcd" -o "$to.qcm" "$work/$model$bits.qcm" >"$to.json"
    sed -E 's/, "(ms|predict_ms|bytes|model_bytes|working_bytes)": [0-9.]+//g' "$to.json" >"$to.runlog"
}

wrong=0
same() { # same NAME BITS...: as scalar on this machine
    name=$1
    shift
    for bits in "$@"; do
        for kind in qcm qcd runlog; do
            cmp "$work/scalar-$bits.$kind" "$work/$name-$bits.$kind" ||
                { echo "$name at $bits bits: another $kind"; wrong=1; }
        done
    done
}

for isa in scalar avx2 avx512vnni neon neondot; do
    if QC_ISA=$isa qc-eval --json -d "$work/p2.test.qcd" "$work/q2.qcm" >"$work/words" 2>&1; then
        for bits in 2 4 8 2c 4c 8c 2n 8n 2s 8s 2x 8x; do QC_ISA=$isa session $isa $bits qc-calibrate; done
        same $isa 2 4 8 2c 4c 8c 2n 8n 2s 8s 2x 8x
    fi
done
for bits in 2 4 8; do # the run log must have flips, or the comparison says nothing
    cmp -s "$work/f$bits.qcm" "$work/scalar-$bits.qcm" && { echo "at $bits bits nothing was flipped"; wrong=1; }
    [ "$(grep -c '"batch"' "$work/scalar-$bits.runlog")" -eq 10 ] ||
        { echo "at $bits bits there are not ten batches"; wrong=1; }
done

elsewhere() { # elsewhere NAME CC 'BITS' RUNNER...
    name=$1 cc=$2 widths=$3
    shift 3
    have "$cc" || { skipped "$name: there is no $cc"; return; }
    have "$1" || { skipped "$name: there is no $1"; return; }
    for_device "$cc"
    for bits in $widths; do session "$name" "$bits" "$@" "$device/bin/qc-calibrate"; done
    same "$name" $widths
}

grep -q '"solved": 1' "$work"/scalar-?c.runlog || { echo "no last layer was solved in class order"; wrong=1; }
grep -q '"solved": 1' "$work"/scalar-?.runlog || { echo "no last layer was solved"; wrong=1; }
grep -q '"flips_skipped": 1' "$work"/scalar-?.runlog || { echo "flips were never skipped"; wrong=1; }
grep -q '"solved": 1' "$work"/scalar-2x.runlog && qc-info "$work/scalar-2x.qcm" | grep -q '^classes: 4' ||
    { echo "no spare row was taken"; wrong=1; }
grep -q '"flips": [1-9]' "$work"/scalar-?.runlog || { echo "nothing was flipped"; wrong=1; }

elsewhere lean "${CC:-gcc}" '2 4 8 2c 2n 2s 2x' env
[ -z "${QC_AGAIN-}" ] || exit $wrong # sessions of other processors do not depend on the host's compiler, and have run
elsewhere aarch64 aarch64-linux-gnu-gcc '2 4 8 4c 8n 8s 8x' qemu-aarch64-static -cpu max
elsewhere cortex-a53 aarch64-linux-gnu-gcc '8' qemu-aarch64-static -cpu cortex-a53
elsewhere armv7 arm-linux-gnueabihf-gcc '2 4 8 2c 2n 2s 2x' qemu-arm-static -cpu cortex-a15
[ "$(uname -m)" != x86_64 ] || elsewhere core2 "${CC:-gcc}" '4 8c' qemu-x86_64-static -cpu Conroe
exit $wrong
