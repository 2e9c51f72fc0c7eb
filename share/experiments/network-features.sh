#!/bin/sh
# network-features.sh [qc-sweep's options]: how well the bit-flip networks of ablation-network.yaml name weights to
# step, with all or all but one feature: a row per network, after its training. precision_network: of the 5 % of weights
# that it ranks highest on simulated people it was not trained on, the share that back-propagation moves that way
# (qc-bitflip-train(1)); precision_hebb: of those with the largest |h|.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
printf 'bits\tablated\tseed\tprecision_network\tprecision_hebb\n'
for bits in 2 4 8; do
    qc-sweep -q --all --step partial "$@" --set bits=$bits "$here/ablation-network.yaml" | awk -v bits=$bits '
        function after(word, k) { for (k = 1; k <= NF; k++) if ($k == word) return $(k + 1) }
        function number(key) {
            if (!match(line, "\"" key "\": [0-9.]*")) return "-"
            return substr(line, RSTART + length(key) + 4, RLENGTH - length(key) - 4)
        }
        {
            file = $NF
            gsub(/\047/, "", file)
            sub(/done$/, "json", file)
            line = ""
            while ((getline text < file) > 0) line = line text
            close(file)
            if (line == "") next
            print bits "\t" after("[") "\t" after("--seed") "\t" \
                number("precision_network") "\t" number("precision_hebb")
        }'
done
