# An option that cannot change anything is refused, before any work: the user believed that it would. A flag that a
# configuration sets to false was not given.
printf 'mixed: false\n' >split.yaml
try() { # try PROGRAM ARGUMENTS: prints the exit status and the sentence
    "$@" >out 2>err
    echo "$? $(head -1 err)"
}
try qc-train -a fcn -d none.qcd -o m.qcm --miss-every 3
try qc-train -a fcn -d none.qcd -o m.qcm --miss-bits 2
try qc-train -a fcn -d none.qcd -o m.qcm --checkpoint-every 2
try qc-coreset -d none.qcd -L none.miss --epochs 2 -o c.qcd
try qc-coreset -d none.qcd -L none.miss --epochs 2 -o c.qcd none.qcm
try qc-coreset -d none.qcd --rate .1 -o c.qcd
try qc-eval -d none.qcd --dump-layers layers --json none.qcm
try qc-eval -d none.qcd --profile --threads 2 none.qcm
try qc-info -n 3 none.qcm
try qc-info -B 3 none.qcm
try qc-run -d none.qcd --every 3 none.qcm
try qc-synth -d none.qcd --activities 3 -o x.qcd
try qc-synth -d none.qcd --length 3 -o x.qcd
try qc-export -f c --tune update=0 -o x.c none.qcm
try qc-export -f csv --seed 2 -o x.csv none.qcd
try qc-split --batches 2 --mixed -o stream none.qcd
try qc-split --batches 2 --config split.yaml -o stream none.qcd
printf 'run\ta\tbefore\nx\t1\t.5\n' >runs.tsv
printf 'window\ttime\tclass\tconfidence\tdrift\talarm\tlabel\n' >log.tsv
try qc-report --plot batches --figures cost runs.tsv
try qc-report -f runs -g a runs.tsv
try qc-report -d runs runs.tsv
try qc-report -f md log.tsv
try qc-sweep --json none.yaml
ls
