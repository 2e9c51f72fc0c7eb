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
try qc-synth operand
try qc-run -c - --state none.state none.qcm
