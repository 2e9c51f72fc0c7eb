#!/bin/sh
# Draws the two pictures of README beside this file: pipeline.svg, and drift.svg from drift.tsv.
#   draw.sh            draws both
#   draw.sh GASDRIFT   measures drift.tsv first, on a folder with batch1.dat to batch6.dat (UCI 224, unpacked)
# Programs are taken from PATH; OUT names another folder for what is written.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here}
LC_ALL=C
export LC_ALL

# ---- measure: a model of batch 1, 4 bits; batches 2 to 6 one after another, each shuffled, since its file
# lists one gas after another; every window is predicted before it is learned

measure() {
    data=$(cd "$1" && pwd) work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    qc-import -q -f libsvm --name-pattern 'batch{group}.dat' -o gas.qcd "$data"
    for batch in 1 2 3 4 5 6; do qc-split -q -g $batch -o $batch.qcd gas.qcd; done
    qc-train -q -a mlp -d 1.qcd -L misses -o float.qcm
    qc-coreset -q -L misses -d 1.qcd -o core.qcd
    qc-quantize -q -b 4 -c core.qcd -d 1.qcd -o q4.qcm float.qcm >quantized
    for method in none closed; do
        qc-calibrate -q -m $method -c core.qcd -s 2.qcd -s 3.qcd -s 4.qcd -s 5.qcd -s 6.qcd --no-output q4.qcm |
            awk -F '\t' '$1 ~ /^[0-9]+$/ { print $2 "\t" $3 }' >$method
    done
    { printf \
        '# share/pictures/draw.sh GASDRIFT: windows of each batch, accuracy of the model as quantized, accuracy of the '
      printf 'same model with qcore; test-then-train\n'
      paste none closed | awk -F '\t' '{ print $1 "\t" $2 "\t" $4 }'; } >"$out/drift.tsv"
    cd "$here"
}

# ---- accuracy over time: means over the windows of each of 24 parts of the stream

drift() {
    awk -F '\t' '
    function text(x, y, size, anchor, colour, words) {
        printf "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y, size,
               anchor, colour, words
    }
    function curve(a, colour,    i) {
        printf "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" points=\"", colour
        for (i = 1; i <= parts; i++) printf "%s%.1f,%.1f", (i > 1 ? " " : ""), left + (i - .5) * wide / parts, y(a[i])
        print "\"/>"
    }
    function y(accuracy) { return bottom - accuracy * high }
    /^#/ { next }
    { n[++rows] = $1; frozen[rows] = $2; qcore[rows] = $3; total += $1; sum[1] += $1 * $2; sum[2] += $1 * $3 }
    END {
        parts = 24; left = 60; wide = 520; bottom = 260; high = 200
        for (i = 1; i <= rows; i++) {
            p = int((done + n[i] / 2) * parts / total) + 1; done += n[i]
            w[p] += n[i]; f[p] += n[i] * frozen[i]; q[p] += n[i] * qcore[i]
        }
        for (p = 1; p <= parts; p++) { f[p] /= w[p]; q[p] /= w[p] }
        printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 320\""
        print " font-family=\"Helvetica, Arial, sans-serif\">"
        print "<rect width=\"760\" height=\"320\" fill=\"#ffffff\"/>"
        text(left, 28, 16, "start", "#333333",
             "An e-nose drifts for 18 months: 6 gases, 4-bit model of the first two months")
        for (a = 0; a <= 1.001; a += .2) {
            printf "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#e4e4e4\"/>\n",
                left, y(a), left + wide, y(a)
            text(left - 8, y(a) + 4, 12, "end", "#333333", sprintf("%.1f", a))
        }
        split("445 1244 1586 161 197 2300", of, " ");
        x = left
        for (b = 2; b <= 6; b++) {
            next_x = x + of[b] * wide / 5488
            printf "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#888888\"/>\n", x, bottom, x, bottom + 6
            if (b == 2) text((x + next_x) / 2, bottom + 20, 12, "middle", "#333333", "months 3-10")
            if (b == 3) text((x + next_x) / 2, bottom + 20, 12, "middle", "#333333", "11-13")
            if (b == 4) text(x + 17, bottom + 20, 12, "middle", "#333333", "14-16")
            if (b == 6) text((x + next_x) / 2, bottom + 20, 12, "middle", "#333333", "17-20")
            x = next_x
        }
        text(left + wide / 2, bottom + 42, 13, "middle", "#333333", "5488 measurements, month after month")
        curve(f, "#b4531f"); curve(q, "#1f6fb4")
        text(left + wide + 12, y(q[parts]) + 4, 13, "start", "#1f6fb4",
             sprintf("with qcore (mean %.2f)", sum[2] / total))
        text(left + wide + 12, y(f[parts]) + 4, 13, "start", "#b4531f",
             sprintf("frozen (mean %.2f)", sum[1] / total))
        text(18, 48, 12, "start", "#333333", "accuracy before the label is learned")
        print "</svg>"
    }' "$1"
}

# ---- the pipeline: what runs where, and what is carried over

pipeline() {
    awk '
    function text(x, y, size, colour, words) {
        printf "<text x=\"%d\" y=\"%d\" font-size=\"%d\" text-anchor=\"middle\" fill=\"%s\">%s</text>\n",
            x, y, size, colour, words
    }
    function box(x, y, w, h, colour, first, second) {
        printf "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\" fill=\"#ffffff\" stroke=\"%s\" ",
            x, y, w, h, colour
        print "stroke-width=\"1.5\"/>"
        text(x + w / 2, y + h / 2 - 3, 13, "#333333", first); text(x + w / 2, y + h / 2 + 14, 11, "#666666", second)
    }
    function arrow(path) {
        printf "<path d=\"%s\" fill=\"none\" stroke=\"#555555\" stroke-width=\"1.5\" marker-end=\"url(#tip)\"/>\n", path
    }
    BEGIN {
        printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 250\""
        print " font-family=\"Helvetica, Arial, sans-serif\">"
        print "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\""
        print " orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#555555\"/></marker></defs>"
        print "<rect width=\"860\" height=\"250\" fill=\"#ffffff\"/>"
        print "<rect x=\"8\" y=\"8\" width=\"528\" height=\"234\" rx=\"8\" fill=\"#f3f7fb\"/>"
        print "<rect x=\"548\" y=\"8\" width=\"304\" height=\"234\" rx=\"8\" fill=\"#f4faf6\"/>"
        text(272, 30, 14, "#1f6fb4", "workstation"); text(700, 30, 14, "#2f8b58", "device: forward passes, integers")
        box(20, 50, 110, 50, "#1f6fb4", "qc-import", "CSV, WAV, NumPy")
        box(150, 50, 110, 50, "#1f6fb4", "qc-train", "a float model")
        box(280, 50, 110, 50, "#1f6fb4", "qc-coreset", "30 examples")
        box(410, 50, 110, 50, "#1f6fb4", "qc-quantize", "2, 4 or 8 bits")
        box(150, 170, 110, 50, "#1f6fb4", "qc-import", "or an ONNX model")
        box(280, 170, 110, 50, "#8a8a8a", "qc-bitflip-train", "optional: QCore")
        box(410, 170, 110, 50, "#1f6fb4", "qc-export -f c", "for a firmware")
        box(562, 110, 84, 50, "#2f8b58", "predict", "each window")
        box(662, 110, 84, 50, "#2f8b58", "label", "now or later")
        box(762, 110, 84, 50, "#2f8b58", "adapt", "last layer")
        arrow("M130,75 H148"); arrow("M260,75 H278"); arrow("M390,75 H408"); arrow("M205,170 V102")
        arrow("M440,100 C440,140 335,130 335,168"); arrow("M390,195 H408"); arrow("M480,100 V168")
        arrow("M520,75 C550,75 600,80 600,108"); arrow("M520,195 C550,195 600,195 600,162")
        arrow("M646,135 H660"); arrow("M746,135 H760"); arrow("M804,110 C804,60 620,60 614,108")
        text(706, 66, 11, "#666666", "a new last layer, or the old one if it is better")
        text(706, 200, 11, "#666666", "qc-calibrate runs this loop on Linux")
        print "</svg>"
    }'
}

[ $# -eq 0 ] || measure "$1"
drift "${DRIFT:-$here/drift.tsv}" >"$out/drift.svg"
pipeline >"$out/pipeline.svg"
