#!/bin/sh
# Measures how well the bit-flip networks of ablation-network.yaml select weights, with all features or without one.
#   network-features.sh [qc-sweep's options]
# Prints a row per trained network. precision_network: of the 5 % of weights that the network ranks highest, the share
# that back-propagation moves in the same direction (qc-bitflip-train(1)). The weights are of synthetic subjects outside
# the network's training. precision_hebb: the same share of the weights with the largest |h|.
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
