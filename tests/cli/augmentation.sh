# qc-train --augment: a model that is trained under synthetic drifts is more accurate on another subject, also when
# quantized. qc-quantize calibrates as the float model was trained, unless an option says otherwise.
qc-synth -q --subjects 3 --activities 6 --channels 3 --length 50 --windows 24 --drift 1.5 -o all.qcd || exit
for p in p1 p2 p3; do qc-split -q -g $p -o $p.qcd all.qcd || exit; done
train() { # train NAME OPTIONS...
    name=$1
    shift
    qc-train -q -a inceptiontime-16x3 --width .5 --epochs 20 --threads 1 -d p1.qcd -L $name.miss -o $name.qcm "$@" &&
        qc-coreset -q -n 18 -L $name.miss -d p1.qcd -o $name.core
}
quantize() { # quantize OUT MODEL OPTIONS...
    out=$1 model=$2
    shift 2
    qc-quantize -b 2 --threads 1 -c $model.core -d p1.qcd -o $out.qcm "$@" $model.qcm 2>&1 >words | grep drifts
}
right() { # right MODEL: of 288 windows of the other subjects
    for p in p2 p3; do qc-eval -q -d $p.qcd $1.qcm | awk '$1 == "accuracy" { print int($2 * 144 + .5) }'; done |
        awk '{ n += $1 } END { print n }'
}
train plain && train more --augment 1 && train again --augment 1 --threads 2 || exit
cmp more.qcm again.qcm && cmp more.miss again.miss
quantize q0 plain
quantize q1 more
quantize as more --augment 1 --drift inertial
quantize without more --augment 0
quantize series more --augment 1 --drift series
for q in q1 as without series; do
    qc-eval -q -d p2.qcd --dump-layers $q.txt -n 4 $q.qcm >words && cmp -s q1.txt $q.txt && echo same || echo other
done
for q in plain more q0 q1; do right $q; done >counts
awk 'NR % 2 == 0 { print ($1 > before + 29 ? "better" : "no better") } { before = $1 }' counts
qc-info q1.qcm | grep 'name augment'
# A strength that is 0 as the file's number is none.
qc-train -q -a inceptiontime-16x3 --width .1 --epochs 1 --threads 1 --augment 1e-46 -d p1.qcd -o least.qcm || exit
qc-info least.qcm | grep -c 'name augment'
qc-quantize -q -c more.core -d p1.qcd --drift series -o no.qcm more.qcm
echo $?
qc-quantize -q -c more.core -d p1.qcd --augment 1 --drift image -o no.qcm more.qcm
echo $?
