#!/bin/sh
# Prints an experiment with the best setting of grid.yaml for each method and bit width.
#   grid-best.sh [qc-report's options]
# The experiment is people.yaml with these settings. EXPERIMENT names another file, whose axes are used with the run
# of people.yaml. The best setting has the highest mean target accuracy over batches. If two settings are equal, the
# earlier in grid.yaml is printed, so a default stays unless another setting is better. Runs with default settings are
# already runs of people.yaml and are not repeated.
set -eu
here=$(cd "$(dirname "$0")" && pwd) experiment=${EXPERIMENT:-$here/people.yaml}
case $experiment in /*) ;; *) experiment=$PWD/$experiment ;; esac
[ -r "$experiment" ] || { echo "grid-best.sh: cannot read $experiment" >&2; exit 3; }
table=$(mktemp)
trap 'rm -f "$table"' EXIT
qc-report -g method -g bits -g one -g two --figures target_mean,source_last "$@" "$here/grid.yaml" >"$table"
awk -F '\t' -v experiment="$experiment" -v people="$here/people.yaml" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { key = $at["method"] "\t" $at["bits"]; line[NR] = $0; of[NR] = key }
    !(key in best) { order[++n] = key; best[key] = -1; plain[key] = "-" }
    $at["one"] == "default" && $at["two"] == "default" { plain[key] = $at["target_mean"] }
    $at["target_mean"] + 0 > best[key] {
        best[key] = $at["target_mean"]; one[key] = $at["one"]; two[key] = $at["two"]
        source[key] = $at["source_last"]
    }
    function list(name, values, seen, k, text) {
        for (k = 1; k <= n; k++) if (changed(order[k]) && !(values[order[k]] in seen)) {
            seen[values[order[k]]]
            text = text (text ? ", " : "") values[order[k]]
        }
        print "  " name ": [" text "]"
    }
    function changed(key) { return one[key] != "default" || two[key] != "default" }
    END {
        print "# From the grid (mean target accuracy over batches on synthetic subjects; with the defaults; source " \
            "accuracy at the end):"
        for (k = 1; k <= n; k++) {
            split(order[k], word, "\t")
            print "#   " word[1] ", " word[2] " bits: " \
                (changed(order[k]) ? one[order[k]] " " two[order[k]] : "defaults") " " \
                best[order[k]] " " plain[order[k]] " " source[order[k]]
            method[order[k]] = word[1]
            some += changed(order[k])
        }
        if (!some) { print "# Defaults are best everywhere: there is nothing to run."; exit }
        print "from: " experiment
        while ((getline text < experiment) > 0) {
            if (text ~ /^name:/) print "name: tuned-" substr(text, 7)
            if (text ~ /^[a-z]/) inside = text ~ /^axes:/
            if (text ~ /^  [a-z]/) methods = text ~ /^  method:/ # the list may continue on the next lines
            if (inside && !methods) print text
        }
        list("method", method); list("one", one); list("two", two)
        print "only:"
        for (k = 1; k <= n; k++) {
            split(order[k], word, "\t")
            if (changed(order[k])) print "  - {method: " word[1] ", bits: " word[2] ", one: " \
                one[order[k]] ", two: " two[order[k]] "}"
        }
        close(experiment) # both names may be of one file
        print "steps:"
        inside = 0
        while ((getline text < people) > 0) {
            if (text ~ /^ ? ?[a-z]+:/) inside = text ~ /^  run:/
            sub(/-m \{method\}/, "-m {method} {one} {two}", text)
            if (inside) print text
        }
    }' "$table"
