# Memory that runs out: in address spaces from too small to large enough, programs that train or run float models end
# with 0, or with one sentence and status 1, never by a signal (oneDNN's code generators do not survive an allocation
# that fails).
case $BUILD in *san*) echo 'sanitizers need terabytes of address space' >&2; exit 77 ;; esac
qc-synth -q --subjects 1 --activities 3 --windows 12 --channels 3 --length 50 -o d.qcd &&
    qc-coreset -q -n 9 -d d.qcd -o core.qcd || exit
cat >tiny.yaml <<'END'
name: tiny
layers:
  - {conv: 8, kernel: 7}
  - batchnorm
  - relu
  - conv: 8
  - relu
  - gap
END
qc-train -q -a tiny.yaml --epochs 1 -d d.qcd -o f.qcm || exit
within() { # within KB PROGRAM...: its status is 0, or 1 and a sentence; 127: it could not even be loaded
    kb=$1
    shift
    (ulimit -c 0 && ulimit -v "$kb" && exec "$@" >out 2>said)
    status=$?
    case $status in
    0) whole=$((whole + 1)) ;;
    127) ;;
    1) [ "$(wc -l <said)" -eq 1 ] && refused=$((refused + 1)) || { echo "$kb KB, $1:"; cat said; } ;;
    *) echo "$kb KB, $1: status $status"; cat said ;;
    esac
}
whole=0 refused=0
for mb in $(seq 64 6 160) 1000; do
    within $((mb * 1024)) qc-train -q -a tiny.yaml --epochs 1 -d d.qcd -o m.qcm
    within $((mb * 1024)) qc-eval -q -d d.qcd f.qcm
    within $((mb * 1024)) qc-coreset -q -n 9 -d d.qcd -o c.qcd f.qcm
    within $((mb * 1024)) qc-quantize --force -q -b 4 --epochs 1 -c core.qcd -d d.qcd -o q.qcm f.qcm
done
[ $whole -ge 2 ] && [ $refused -ge 2 ] && echo 'done or refused' || echo "$whole done, $refused refused"
