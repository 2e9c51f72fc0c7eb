# A terminal gets at most nine aligned columns, a pipe all of them as TSV, with the same figures.
command -v script >/dev/null || { echo "script (bsdutils) is missing" >&2; exit 77; }
export OMP_NUM_THREADS=1
qc-synth -q --subjects 3 --activities 3 --channels 3 --length 24 --windows 10 -o all.qcd &&
    for p in p1 p2 p3; do qc-split -q -g $p -t .4 -o $p.qcd -O $p.test.qcd all.qcd || exit; done
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 5 -a tiny.yaml -d p1.qcd -o float.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd ||
    exit
qc-quantize --force -q --epochs 0 --threads 1 -c core.qcd -o q.qcm float.qcm >words || exit
streams='-s p2.qcd -s p3.qcd --batches 2'
run="qc-calibrate -q -c core.qcd $streams -t p2.test.qcd -t p3.test.qcd -t p1.qcd -t all.qcd --no-output q.qcm"
$run >piped || exit
script -qec "$run" /dev/null </dev/null | tr -d '\r' >shown || exit
sed -n 1p shown | awk '{ print NF " columns" }'
awk 'NR <= 6 { print length($0) }' shown | uniq | wc -l # aligned: all lines have the same length
sed -n 1p piped | awk -F '\t' '{ print NF }'
awk 'NR > 1 && NR < 7 && $1 != "mean" { print $1, $2, $3, $4, $5, $6, $7 }' shown >a &&
    awk -F '\t' 'NR > 1 && NR < 7 && $1 != "mean" { print $1, $2, $3, $4, $5, $6, $7 }' piped | cmp - a &&
    echo 'the same figures'
grep -c '^R[012] ' shown
