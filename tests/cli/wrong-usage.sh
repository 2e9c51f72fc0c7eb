# One sentence on stderr, nothing on stdout, status 2.
try() { "$@" </dev/null; echo "status $?"; }
try qc-info --nothing
try qc-info -x
try qc-info a b
try qc-info --json=maybe
try qc-info --max-bytes
try qc-info --max-bytes 1x
try qc-info --max-bytes 0
try qc-synth --subjects
try qc-synth --subjects 0
try qc-synth --drift much
try qc-synth --drift nan
try qc-synth --seed 99999999999999999999
try qc-train --threads 257
try qc-train --decay -0.5
try qc-quantize --augment -.001
printf 'decay: -0.5\n' >decay.yaml
try qc-train --config decay.yaml
# two files or lists, of which one would count
try qc-train -d a.qcd -d b.qcd
try qc-train --miss-bits 4 --miss-bits 2
try qc-synth -d a.qcd --data b.qcd
try qc-synth -o a --output b operand # of outputs the last one counts, as of words and numbers
try qc-synth operand
try qc-run -c - --state none.state none.qcm
