# Files that are damaged or of the wrong kind: one sentence that names the file, status 3 (4: not readable or writable),
# the old output whole.
qc-synth -q --subjects 1 --activities 4 --windows 5 --channels 3 --length 40 -o data.qcd || exit 1
printf old >old.qcd

try() { # try FILE OPTION...: which file the sentence must name
    file=$1
    shift
    qc-coreset -q -n 3 -o old.qcd "$@" >out 2>err </dev/null
    status=$?
    [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] && grep -q "^qc-coreset: .*$file" err ||
        { echo "not one sentence about $file:"; cat out err; }
    echo "$file: $status"
}

flip() { # flip FILE OFFSET: one bit of one byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

head -c 3000 data.qcd >short.qcd
cp data.qcd flipped.qcd && flip flipped.qcd 4000
: >empty.qcd
echo "not one of ours, but long enough to hold a header of ours" >text.qcd
try none.qcd -d none.qcd
try empty.qcd -d empty.qcd
try text.qcd -d text.qcd
try short.qcd -d short.qcd
try flipped.qcd -d flipped.qcd
try data.qcd -d data.qcd -L data.qcd
try data.qcd -d data.qcd data.qcd
try text.qcd -d data.qcd -L text.qcd
try nowhere -d data.qcd -o nowhere/core.qcd
qc-coreset -q -n 3 -d data.qcd >/dev/full 2>err
echo "full disk: $?"
[ "$(cat old.qcd)" = old ] && echo "the old file is whole"
ls | grep tmp
true
