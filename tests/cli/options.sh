# How every program reads its command line, shown on qc-synth and qc-info.
# Letters and long options, joined and apart, mean the same.
qc-synth -q --subjects 1 --windows 2 --activities 2 -o a
qc-synth -q --subjects=1 --windows=2 --activities=2 -oa.2
cmp a a.2
printf 'subjects: 1\nwindows: 2\nactivities: 2\nquiet: true\n' >c.yaml
qc-synth --config c.yaml -o a.3
cmp a a.3
qc-synth --config c.yaml -o b --windows 3 # the command line wins
qc-info --json b | grep -o '"examples": [0-9]*'
qc-synth --config c.yaml | cmp - a        # a pipe and a file get the same bytes
qc-synth -q --windows 9 --subjects 2 --config c.yaml --windows 3 --subjects 1 | cmp - b # the last one counts
qc-info -- b | head -1
qc-info <a | head -1
qc-info - <a | head -1
qc-info --max-bytes 100 a && echo "a is larger than that"
echo $?
