# The session and the pipe of qc.7, word for word, with less data and smaller networks.
mkdir -p short share/arch
printf 'name: small\ninception:\n  filters: 3\n  depth: 3\n  kernels: [5, 3]\n  bottleneck: 3\n  residual: 3\n' \
    >share/arch/inceptiontime-16x3.yaml
shorten() { # shorten PROGRAM OPTION...: the words stay as they are
    program=$1
    shift
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$(command -v "$program")" "$*" >"short/$program"
    chmod +x "short/$program"
}
shorten qc-synth --activities 3 --windows 15 --channels 3 --length 20
shorten qc-bitflip-train --subjects 1 --test-subjects 1 --oracle-steps 4 --steps 30
PATH=$PWD/short:$PATH QC_SHARE=$PWD/share
export PATH QC_SHARE
# the literal blocks from A SESSION on; of the first block, the recordings are synthesised as the second says
awk '/^\.Sh / { wanted = /A SESSION|PIPES/ } /^\.Ed/ { inside = 0 } inside { sub(/\\e$/, "\\"); print > ("block" n) } wanted && /^\.Bd/ { inside = 1; n++ }' "$TOP/man/qc.7"
{ cat block2; grep -v '^qc-import\|^qc-split' block1; cat block3 block4 block5 block6; } >session
grep -c '^qc-' session
sh -e session >out 2>err || { cat out err; exit 1; }
grep '^accuracy' out | wc -l
accuracy() { qc-eval -q --json -d p2.test.qcd "$1" | sed 's/.*"accuracy": \([0-9.]*\).*/\1/'; }
awk -v before="$(accuracy q4f.qcm)" -v after="$(accuracy q4n.qcm)" \
    'BEGIN { print (after >= before + .3 ? "person 2 is learned" : "person 2: " before " before, " after " after") }'
