# make.sh - sourced by tests: a small session in a fresh folder, on synthetic subjects.
#   make_people                  data, a float model, a coreset
#   make_session BITS FOLDER [ORDER [OPTION]]  OPTION: of qc-quantize; $device: options of the device's step;
#   FOLDER/model.c, after.c (what qc-calibrate makes of it), stream.c, logits (of qc-eval), and the files they come from
top=$(pwd)
firmware=$top/tests/device/firmware board=$top/share/firmware
case $BUILD in /*) build=$BUILD ;; *) build=$top/$BUILD ;; esac
export OMP_NUM_THREADS=1

make_people() {
    qc-synth -q --subjects 2 --activities 4 --windows 12 --channels 3 --length 24 -o people.qcd || return 1
    for p in p1 p2; do qc-split -q -g $p -o $p.qcd people.qcd || return 1; done
    printf 'name: tiny\ninception:\n  filters: 4\n  depth: 3\n  kernels: [9, 5, 3]\n  bottleneck: 4\n  residual: 3\n' \
        >tiny.yaml
    qc-train -q --threads 1 --epochs 8 -a tiny.yaml -d p1.qcd -o fp.qcm || return 1
    qc-coreset -q -n 8 -d p1.qcd -o core.qcd
}

make_session() {
    mkdir "$2"
    qc-quantize ${4:-} -b "$1" --epochs 3 --threads 1 -c core.qcd -d p1.qcd -o "$2/q.qcm" fp.qcm >"$2/words" || return 1
    qc-bitflip-train -q --subjects 1 --test-subjects 0 --oracle-steps 8 --steps 50 --threads 1 -c core.qcd -d p1.qcd \
        -o "$2/before.qcm" "$2/q.qcm" >"$2/words" || return 1
    qc-calibrate -q -c core.qcd -C "$2/after.qcd" -s p2.qcd --batches 3 --order "${3:-shuffled}" --seed 5 --tune \
        rounds=4 ${device:-} -o "$2/after.qcm" "$2/before.qcm" >"$2/words" || return 1
    qc-eval -d p2.qcd --logits "$2/logits.npy" "$2/before.qcm" >"$2/words" &&
        tail -c +129 "$2/logits.npy" >"$2/logits" || return 1
    qc-export -q -f c -c core.qcd -B 16 --seed 5 --tune rounds=4 ${device:-} -o "$2/model.c" "$2/before.qcm" || return 1
    qc-export -q -f c -c "$2/after.qcd" -B 16 -o "$2/after.c" "$2/after.qcm" || return 1
    "$build/tests/pack_stream" "$2/before.qcm" core.qcd p2.qcd 3 5 "${3:-shuffled}" >"$2/stream.c"
}

# compile_host FOLDER: FOLDER/host, run as FOLDER/host LOGITS
compile_host() {
    (cd "$top" && for_bare "bare-${CC:-gcc}" "${CC:-gcc}") || return 1
    "${CC:-gcc}" -std=c11 -O2 -Wall -Wextra -Wshadow -pedantic -Werror -ffp-contract=off -I "$top/lib" -I "$firmware" \
        -I "$1" -c -o "$1/model.o" "$1/model.c" &&
        "${CC:-gcc}" -std=c11 -O2 -ffp-contract=off -I "$top/lib" -I "$firmware" -I "$1" -o "$1/host" \
            "$firmware/host.c" "$firmware/session.c" "$1/model.o" "$1/after.c" "$1/stream.c" \
            "$top/build/bare-${CC:-gcc}/libqcore.a"
}
