#!/bin/sh
# Prints RESULTS.md with its tables generated from results/*.tsv, so that the page and the tables cannot disagree.
#   results.sh RESULTS.md > new
# A table stands between "<!-- table NAME KEY... -->" and "<!-- end -->". KEY...: the first columns of NAME.tsv, which
# name a row; its figures follow. The first line of NAME.tsv (command, commit, date) stands above the table.
cd "$(dirname "$0")" || exit 1
table() { # table NAME KEY...
    awk -F '\t' -v wanted="$*" '
    function wrap(text,    n, words, i, line) {
        n = split(text, words, " "); line = ">"
        for (i = 1; i <= n; i++) {
            if (length(line) + 1 + length(words[i]) > 110) { print line; line = ">" }
            line = line " " words[i]
        }
        print line
    }
    function number(x, digits) { x = sprintf("%." digits "f", x); sub(/^0\./, ".", x); sub(/^-0\./, "-.", x); return x }
    function mean(x, margin, digits) {
        return " " number(x, digits) ($at["runs"] > 1 ? " ± " number(margin, digits) : "") " |"
    }
    function cell(name,    x, margin) {
        if (!(name in at)) return ""
        x = $at[name]; margin = $at[name "_ci95"]
        if (x == "") return " |"
        if (name == "ms") return mean(x, margin, x < 100 ? 1 : 0)
        if (name == "bytes" || name == "working_bytes") return " " number(x / 1000, 0) " |"
        if (name == "forwards" || name == "backwards") return " " number(x, 0) " |"
        return mean(x, margin, 3)
    }
    BEGIN {
        n = split(wanted, key, " ")
        m = split("before target_mean target_last source_last acc bwt ms forwards backwards " \
                  "bytes working_bytes", figure, " ")
        title["before"] = "before"; title["target_mean"] = "target, mean"; title["target_last"] = "target, last"
        title["source_last"] = "source, last"; title["acc"] = "ACC"; title["bwt"] = "BWT"; title["ms"] = "ms"
        title["forwards"] = "forward"; title["backwards"] = "backward"; title["bytes"] = "KB"
        title["working_bytes"] = "working KB"
    }
    NR == 1 { sub(/^# /, ""); gsub(/</, "\\&lt;"); wrap($0); print ">"; next }
    NR == 2 {
        for (i = 1; i <= NF; i++) at[$i] = i
        printf "\n|"
        for (i = 2; i <= n; i++) printf " %s |", key[i]
        for (i = 1; i <= m; i++) if (figure[i] in at) printf " %s |", title[figure[i]]
        printf " runs |\n|"
        for (i = 2; i <= n; i++) printf "---|"
        for (i = 1; i <= m; i++) if (figure[i] in at) printf "---|"
        print "---|"
        next
    }
    {
        printf "|"
        for (i = 2; i <= n; i++) printf " %s |", $at[key[i]]
        for (i = 1; i <= m; i++) printf "%s", cell(figure[i])
        printf " %s |\n", $at["runs"]
    }' "results/$1.tsv"
}
while IFS= read -r line; do
    case $line in
    '<!-- table '*' -->')
        printf '%s\n' "$line"
        line=${line#<!-- table } line=${line% -->}
        # shellcheck disable=SC2086 # a name and keys
        table $line || exit 1
        while IFS= read -r line && [ "$line" != '<!-- end -->' ]; do :; done ;;
    esac
    printf '%s\n' "$line"
done <"${1:-RESULTS.md}"
