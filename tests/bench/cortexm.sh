# cortexm.sh - counts the instructions of the integer kernels of qcore on Cortex-M under QEMU. Counted are the layers
# of tests/bench/cortexm/layers.h, and the whole InceptionTime 16 x 3 (45 channels, 125 steps, 19 classes) at 8, 4 and
# 2 bits. The whole network includes the quantization of its input and one adapt after 30 labelled windows. Compares
# every output with the output on the host, and every count with the count of CMSIS-NN (cortexm/reference.tsv).
#   CORES='m4 m55'   only these cores
# Prints TSV: core, what, bits, instructions, ratio to CMSIS-NN s8, ratio to its s4. Then lines `bar NAME VALUE <= BAR
# ok`, and RAM, stack and code in bytes.
set -eu
. tests/bench/cortexm/count.sh

# The networks: counts do not depend on the weights, so a few epochs are enough.
qc-synth -q --subjects 2 --activities 19 --windows 4 --channels 45 --length 125 -o people.qcd
qc-split -q -g p1 -o data.qcd people.qcd
qc-split -q -g p2 -o other.qcd people.qcd
qc-train -q --threads 1 --epochs 6 -a "$top/share/arch/inceptiontime-16x3.yaml" -d data.qcd -o float.qcm
qc-coreset -q -n 19 -d data.qcd -o core.qcd
for bits in 8 4 2; do
    mkdir network$bits
    qc-quantize -q -b $bits --epochs 0 --threads 1 -c core.qcd -o q.qcm float.qcm >words
    qc-export -q -f c -o network$bits/model.c q.qcm
    mkdir learner$bits
    qc-export -q -f c -c core.qcd -B 30 -o learner$bits/model.c q.qcm
    "$BUILD/tests/pack_stream" q.qcm core.qcd other.qcd 2 1 shuffled >learner$bits/stream.c
done

host_program layers "$here/layers.c"
for bits in 8 4 2; do
    host_program network$bits "$here/network.c" network$bits/model.c
    host_program learner$bits -I "$top/tests/device/firmware" "$here/pack_windows.c" \
        learner$bits/model.c learner$bits/stream.c
    mv learner$bits/expected learner$bits/windows.c
    host_program learner$bits "$here/adapt.c" learner$bits/model.c learner$bits/windows.c
done

: >all
for core in ${CORES:-m0plus m3 m4 m7 m55}; do
    choose_core "$core" || { echo "there is no core $core; there are: $cores" >&2; exit 2; }
    on_core layers "$here/layers.c"
    awk -F'\t' -v OFS='\t' -v core="$core" '{ print core, $1, $2, $4 }' counted >>all
    for bits in 8 4 2; do
        on_core network$bits "$here/network.c" network$bits/model.c
        awk -F'\t' -v OFS='\t' -v core="$core" -v bits=$bits \
            '{ print core, ($1 == "predict" ? "" : "quantize ") "InceptionTime-16x3-45x125-19", bits, $3 }' counted \
            >>all
        on_core learner$bits "$here/adapt.c" learner$bits/model.c learner$bits/windows.c
        awk -F'\t' -v OFS='\t' -v core="$core" -v bits=$bits \
            '$1 == "adapt" { print core, "adapt InceptionTime-16x3-45x125-19", bits, $3 }' counted >>all
        sed -n 's/^# //p' printed | while read -r ram stack; do printf '%s\t%s\t%s\t%s\n' "$core" "$bits" \
            "$ram $stack" "$(arm-none-eabi-size "network$bits/$core.elf" | awk 'END { print $1 }')"; done >>sizes
    done
done

awk -F'\t' -v OFS='\t' '
function bar(name, value, most) {
    printf "bar %s %.3f <= %.2f %s\n", name, value, most, value <= most ? "ok" : "MISSED"
}
FNR == 1 { file++ }
file == 1 { if (!/^#/) theirs[$1, $2, $3] = $4; next }
file == 2 {
    s8 = theirs[$1, $2, "CMSIS-NN s8"]; s4 = theirs[$1, $2, "CMSIS-NN s4"]
    print $1, $2, $3, $4, s8 ? sprintf("%.3f", $4 / s8) : "", s4 ? sprintf("%.3f", $4 / s4) : ""
    ours[$1, $2, $3] = $4
    if (!($1 in seen)) { seen[$1] = 1; order[++n] = $1 }
    if (split($2, part, "/") == 2 && s8) { # a layer of MLPerf Tiny
        sum[$1, part[1], $3] += $4; sum8[$1, part[1], $3] += s8; sum4[$1, part[1], $3] += s4
    }
}
END {
    split("InceptionTime dscnn resnet8 mobilenet ae", nets, " ")
    split("m4 .55 .90 .58 .78 1.2|m7 .55 .90 .58 .78 1.2|m55 1.0 1.2 1.0 1.1 1.2|" \
        "m3 1.0 1.1 1.1 1.1 1.5|m0plus 1.0 1.1 1.1 1.1 1.5", rows, "|")
    for (i in rows) { split(rows[i], cell, " "); for (k = 1; k <= 5; k++) most8[cell[1], k] = cell[k + 1] }
    split(".33 .52 .34 .50 .8", most4, " ")
    whole = "InceptionTime-16x3-45x125-19"
    for (c = 1; c <= n; c++)
        for (k = 1; k <= 5; k++)
            for (bits = 8; bits >= 2; bits /= 2) {
                core = order[c]
                mine = k == 1 ? ours[core, whole, bits] : sum[core, nets[k], bits]
                s8 = k == 1 ? theirs[core, whole, "CMSIS-NN s8"] : sum8[core, nets[k], bits]
                s4 = k == 1 ? theirs[core, whole, "CMSIS-NN s4"] : sum4[core, nets[k], bits]
                eight = k == 1 ? ours[core, whole, 8] : sum[core, nets[k], 8]
                name = core "-" nets[k] "-" bits "bits"
                if (s8 && bits == 8) bar(name "/s8", mine / s8, most8[core, k])
                if (s4 && bits == 4 && (core == "m4" || core == "m7")) bar(name "/s4", mine / s4, most4[k])
                if (bits < 8 && eight) bar(name "/8bits", mine / eight, 1.08)
            }
    for (bits = 8; bits >= 2; bits /= 2)
        if (ours["m4", "adapt " whole, bits])
            bar("m4-adapt-millions-" bits "bits", ours["m4", "adapt " whole, bits] / 1e6, 60)
}' "$here/reference.tsv" all
printf 'core\tbits\tRAM and stack of a prediction\tcode and constants\n'
cat sizes
