# A file that is damaged or of the wrong kind: one sentence that names the file, status 3, nothing on stdout.
try() { qc-info "$@" >out; echo "status $?"; test ! -s out || cat out; }
qc-synth -q --subjects 1 --windows 2 --activities 2 -o good
: >empty
try empty
echo hello >text
try text
head -c 100 good >short
qc-info short 2>&1 | sed 's/of [0-9]*$/of N/'
head -c 3 good >shorter
try shorter
head -c 10 good >header
try header
{ cat good; echo; } >longer
try longer
{ head -c 1000 good; printf '\377\377\377\377'; tail -c +1005 good; } >flipped
try flipped
try none
try .
qc-info </dev/null
echo "status $?"
qc-info <&-
echo "status $?"
