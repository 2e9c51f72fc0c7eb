#!/bin/sh
# Runs the commands that a page shows and compares what they print with what the page says they print.
#   shown.sh PAGE          blocks between "```console" and "```" (Markdown), or of ".Bd -literal" or ".Dl" (mdoc); a
#                          block that begins with "/* NAME.c - " is written to that file
#   shown.sh --print PAGE  prints the blocks with what the commands print here
#   shown.sh --any PAGE    a command whose output is not shown may print anything, but must end with status 0
# A line "$ COMMAND" is run in the current folder, with the lines "> ..." that continue it; the lines after it are its
# output, stderr included. Accuracies may differ by .1, as float training does between processors. A number with a
# decimal point above 1 on either side is a time or a loss and may differ by any amount. A whole number above 1000 may
# differ by a twentieth, as bytes do from version to version. All else must be equal.
set -u
print= any=
[ "$1" != --print ] || { print=1; shift; }
[ "$1" != --any ] || { any=1; shift; }
page=$1 work=$(mktemp -d) wrong=0
trap 'rm -rf "$work"' EXIT
case $page in
*.md) awk '/^```/ { inside = /^```console/; next } inside' "$page" ;;
*) awk '
    /^\.Ed/ { inside = 0; file = "" }
    inside || /^\.Dl / {
        sub(/^\.Dl /, "")
        gsub(/\\e/, "\\"); gsub(/\\-/, "-"); gsub(/\\&/, "")
        if (/^\/\* [a-z]+\.c - /) file = $2
        if (file != "") print >file; else print
        next
    }
    { print "\001" } # ends what is shown
    /^\.Bd -literal/ { inside = 1 }' "$page" ;;
esac | awk -v work="$work" '
    /^\$ / { n++; file = sprintf("%s/%03d", work, n); print substr($0, 3) >(file ".command")
        printf "" >(file ".expected"); shown = 1; next }
    /^> / && shown { print substr($0, 3) >(file ".command"); next }
    /^\001/ { shown = 0; next }
    shown { print >(file ".expected") }'

same() { # same EXPECTED ACTUAL
    awk '
    function number(x) { return x ~ /^[-+]?[0-9]*\.?[0-9]+$/ }
    function equal(a, b) {
        if (a == b) return 1
        if (!number(a) || !number(b)) return 0
        if (a !~ /\./ && b !~ /\./) return a > 1000 && b > .95 * a && b < 1.05 * a
        return a > 1 || b > 1 || (a - b < .1 && b - a < .1)
    }
    FNR == NR { line[++n] = $0; next }
    {
        if (++m > n) exit 1
        k = split(line[m], want, /[ \t,;:()]+/)
        if (split($0, got, /[ \t,;:()]+/) != k) { bad = 1; exit 1 }
        for (i = 1; i <= k; i++) if (!equal(want[i], got[i])) { bad = 1; exit 1 }
    }
    END { exit bad || m != n }' "$1" "$2"
}

ran=0
for command in "$work"/*.command; do
    [ -f "$command" ] || { echo "$page shows no command"; exit 1; }
    expected=${command%.command}.expected actual=${command%.command}.actual
    ran=$((ran + 1))
    # shellcheck disable=SC1090 # what the page says
    . "$command" >"$actual" 2>&1 </dev/null
    status=$?
    if [ -n "$print" ]; then
        sed '1s/^/$ /; 2,$s/^/> /' "$command"
        cat "$actual"
    elif [ -n "$any" ] && [ ! -s "$expected" ]; then
        [ $status -eq 0 ] || { sed '1s/^/$ /; 2,$s/^/> /' "$command"; echo "status $status"; cat "$actual"; wrong=1; }
    elif ! same "$expected" "$actual"; then
        echo "$page: another output than it says:"
        sed '1s/^/$ /; 2,$s/^/> /' "$command"
        diff "$expected" "$actual"
        wrong=1
    fi
done
[ -n "$print" ] || [ $wrong -ne 0 ] || echo "$ran commands as shown"
exit $wrong
