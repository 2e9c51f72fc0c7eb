# An output that cannot be written: status 4, and an old file stays unchanged.
try() { "$@" >out; echo "status $?"; }
small='-q --subjects 1 --windows 2 --activities 2'
qc-synth $small -o old
cp old kept
(trap '' XFSZ; ulimit -f 1; qc-synth $small --windows 40 -o old; echo "status $?") 2>&1
cmp old kept
ls | grep tmp
try qc-synth $small -o /dev/full
try qc-synth $small -o none/out
try qc-synth $small -o .
qc-synth $small >/dev/full
echo "status $?"
qc-info old >/dev/full
echo "status $?"
qc-info old >&-
echo "status $?"
# a pipe that nobody reads any more
/usr/bin/python3 -c 'import os, subprocess
r, w = os.pipe()
os.close(r)
print("status", subprocess.call(["qc-info", "old"], stdout=w))'
# help and the table of parameters end in the same way
for program in qc-calibrate qc-run qc-export; do
    $program --tune help >/dev/full
    echo "status $?"
done
/usr/bin/python3 -c 'import os, subprocess
r, w = os.pipe()
os.close(r)
for option in ["-h"], ["--tune", "help"]: print("status", subprocess.call(["qc-run", *option], stdout=w))'
