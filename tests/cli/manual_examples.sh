# Every command in EXAMPLES of the manual pages, and the session of qc.7, works as it stands there, on small files of
# the names that the pages use, and prints the output that a page shows. Architectures are smaller, flip training is
# shorter. Elsewhere: qc-firmware.7 (cli/export_manual), qc-tutorial.7 (cli/tutorial), PROGRAMS OF YOUR OWN in
# qc-report.1 (cli/report_manual), labels of qc-stream.5 (unit/test_latelabels).
export OMP_NUM_THREADS=1
mkdir files short arches arches/arch && cd files || exit
/usr/bin/python3 "$TOP/tests/examplefiles.py" || exit
for name in inceptiontime inceptiontime-16x3 fcn vgg16; do
    printf 'name: %s\nlayers:\n  - conv: 8\n    kernel: 5\n  - batchnorm\n  - relu\n  - gap\n' $name \
        >../arches/arch/$name.yaml
done
shorten() { # shorten PROGRAM OPTION...
    program=$1
    shift
    printf '#!/bin/sh\nexec %s "$@" %s\n' "$(command -v "$program")" "$*" >"../short/$program"
    chmod +x "../short/$program"
}
shorten qc-train -B 6 --rate .01
shorten qc-bitflip-train --subjects 1 --test-subjects 1 --oracle-steps 4 --steps 20
PATH=$PWD/../short:$PATH QC_SHARE=$PWD/../arches
export PATH QC_SHARE

{
    qc-import --channels 3 --group-column person -o people.qcd walks.csv
    for p in p1 p2 p3; do
        qc-split -g $p -o $p.qcd people.qcd
        qc-split -t 0.25 --by block -o $p.train.qcd -O $p.test.qcd $p.qcd
    done
    qc-import --size 8 -o amazon.train.qcd amazon
    qc-import --channels 3 -o s2.qcd s2.csv
    qc-train -q --epochs 60 -a fcn -d p1.train.qcd -L p1.miss -o float.qcm
    qc-coreset -n 12 -L p1.miss -d p1.train.qcd -o core.qcd && cp core.qcd core2.qcd
    for b in 2 4; do
        qc-quantize -q -b $b --epochs 2 -c core.qcd -d p1.train.qcd -o q$b.qcm float.qcm
        qc-bitflip-train -q -c core.qcd -d p1.train.qcd -o q${b}f.qcm q$b.qcm
    done
    cp q4f.qcm q4n.qcm
    qc-export -f onnx -o net.onnx float.qcm
} >log 2>&1
[ -s net.onnx ] && [ -s q4n.qcm ] || { cat log; exit 1; }

# Experiments of invented results, instead of days of work.
mkdir -p share/experiments/results there
experiment() { # experiment FILE AXES: the step `run` prints what a program of a method would print
    cat >"share/experiments/$1" <<END
name: ${1%.yaml}
axes: {seed: [1, 2], bits: [2, 8], $2}
steps:
  run: >-
    printf '{"batch": 1, "test": [0.%s, 0.9]}\n{"batch": 2, "test": [0.9%s, 0.9]}\n{"summary": true,
    "accuracy_before": 0.5, "test": [0.8, 0.9], "acc": 0.9, "bwt": 0, "fwt": 0, "forgetting": 0, "ms": 1%s,
    "working_bytes": 900}\n' {bits} {seed} {seed} > {out} && : $3
END
    ln -s "share/experiments/$1" "$1"
}
experiment people.yaml 'method: [qcore, er]' '{method}'
experiment sequence.yaml 'method: [qcore, er]' '{method}'
experiment ablation-coreset.yaml 'size: [10, 30], misses: [all, "4"], rule: [pmf, random]' '{size} {misses} {rule}'
for e in people sequence ablation-coreset; do qc-sweep -q share/experiments/$e.yaml | sh || exit; done
qc-report -f runs -o people.runs.tsv people.yaml && cp people.runs.tsv there.tsv || exit
cp people.runs.tsv share/experiments/results
ln -s "$TOP/share/experiments/parallel.sh" share/experiments
cd ..

# Not run unchanged: a serial port (a file here), real recordings, and a cluster (cli/slurm tests it).
page() { sed -e 's|/dev/ttyACM0|frames.i16|' -e '/parts\.sh parts$/d' -e '/slurm\.sh/d' "$TOP/man/$1"; }
pages=$(cd "$TOP/man" && grep -lE '^(\.Dl )?\$ ' ./*.[157] | grep -vE 'qc-(firmware|tutorial)\.7')
for name in $pages; do
    cp -R files place && cd place || exit
    page "$name" >page.1
    feed=
    if [ "$name" = ./qc-run.1 ]; then # frames until the labels were read
        mkfifo frames finish ended
        { cat frames.csv; read -r _ <finish; } >frames &
        feed=1
        printf '#!/bin/sh\n"%s" "$@" \nstatus=$?\n[ ! -p labels ] || echo $status >ended\n' \
            "$(command -v qc-run)" >qc-run
        chmod +x qc-run
    fi
    PATH=$PWD:$PATH "$TOP/tests/shown.sh" --any page.1 | sed "s|page.1|$name|"
    if [ "$feed" ]; then
        echo >finish
        read -r status <ended
        echo "qc-run ended with $status"
    fi
    cd .. && rm -r place
done

# The architecture of qc-arch(5) and the experiments of qc-sweep(1).
block() { awk -v n="$2" '/^\.Bd -literal/ { k++; inside = 1; next } /^\.Ed/ { inside = 0 } inside && k == n' \
    "$TOP/man/$1"; }
mkdir last && cd last && block qc-arch.5 1 >small.yaml || exit
qc-train -q -a ./small.yaml --epochs 1 -d ../files/p1.train.qcd -o small.qcm && qc-info small.qcm | grep "^name"
block qc-sweep.1 2 >mine.yaml && QC_SHARE=$TOP/share qc-sweep --status mine.yaml
block qc-sweep.1 1 >people.yaml && qc-sweep --status people.yaml
