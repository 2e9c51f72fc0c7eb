# A configuration that is wrong is reported with file, line and column; status 3, or 4 if it cannot be read.
try() { printf '%b' "$1" >c.yaml; qc-synth --config c.yaml </dev/null >out; echo "status $?"; test ! -s out; }
try 'subjects: 1\nno-such: 2\n'
try 'subjects: many\n'
try 'subjects: 1\n  windows: 2\n'
try 'subjects: [1, 2]\n'
try 'subjects: 0\n'
try 'subjects: 1\nsubjects: 2\n'
try '- people\n'
try 'help: true\n'
try 'config: c.yaml\n'
try 'quiet: perhaps\n'
try 'subjects: &a 1\n'
qc-synth --config none.yaml
echo "status $?"
# What is read is not written over, under whatever name.
echo 'seed: 3' >c.yaml
for output in c.yaml ./c.yaml; do
    qc-synth -q --config c.yaml -o $output
    echo "status $?"
done
cat c.yaml
