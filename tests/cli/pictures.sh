# share/pictures/draw.sh draws the pictures of README. If the e-nose data is there, its figures are measured again.
mkdir drawn || exit
OUT=$PWD/drawn "$TOP/share/pictures/draw.sh" || exit
for name in drift pipeline; do cmp "drawn/$name.svg" "$TOP/share/pictures/$name.svg" && echo "$name.svg"; done
data=$QC_DATA/gas-drift/batches-1-6.tar.zst
if [ -f "$data" ]; then
    mkdir gas && tar -C gas --zstd -xf "$data" || exit
    OUT=$PWD/drawn "$TOP/share/pictures/draw.sh" "$(dirname "$(find "$PWD/gas" -name batch1.dat)")" || exit
    measured=drawn/drift.tsv
else
    measured=$TOP/share/pictures/drift.tsv
fi
awk -F '\t' '!/^#/ { n += $1; a += $1 * $2; b += $1 * $3 }
    END {
        repaired = n == 5488 && a / n < .7 && b / n > .9
        print (repaired ? "qcore repairs the drift" : n " windows: " a / n " and " b / n)
    }' "$measured"
