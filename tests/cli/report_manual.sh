# A program of the user in the tables of qc-report. The experiment and the lines of the program are the examples of
# qc-report(1), "PROGRAMS OF YOUR OWN".
block() { # block N: the N-th example of that section
    awk -v n="$1" '/^\.Sh/ { on = /PROGRAMS OF YOUR OWN/ }
        on && /^\.Bd/ { k++; inside = 1; next }
        /^\.Ed/ { inside = 0 }
        on && inside && k == n' "$TOP/man/qc-report.1"
}
block 1 | sed "s|/usr/local/share/qcore|$TOP/share|" >mine.yaml && mkdir runs || exit
block 2 | tr -d '\n' | sed 's/}{/}\n{/g; s/$/\n/' >lines || exit
wc -l <lines
printf '#!/bin/sh\necho "$@" | sed -E "s/-[0-9a-f]{16}/-X/g" >asked\ncat lines\n' >mine.py && chmod +x mine.py || exit
# The other steps are made elsewhere.
for job in $(qc-sweep -q --all mine.yaml | sed -E "s/.* : > '(.*)\.done'\$/\1/" | grep -v /run-); do
    : >"$job.done"
done
qc-sweep -q mine.yaml | sh || exit
cat asked
qc-report -g method --figures accuracy,ms,bytes,forwards mine.yaml

echo '--- lines that cannot be'
out=$(echo runs/run-*.done) && out=${out%.done}
for wrong in 's/0.81/1e999/' 's/0.81/-7/' 's/\[0.81, 0.99\]/"a"/' 's/12.5/-12/' 's/0.72/nan/' 's/batch/badge/'; do
    sed "$wrong" lines >"$out"
    qc-report -g method mine.yaml 2>&1 | sed -E 's/-[0-9a-f]{16}/-X/g'
done
