# share/examples/enose.sh on the shared e-nose: the learner is ahead of the frozen model in each batch; there is a page.
[ -d "$QC_DATA/gas-drift" ] || { echo "$QC_DATA/gas-drift is not there" >&2; exit 77; }
export OMP_NUM_THREADS=1
sh "$TOP/share/examples/enose.sh" "$QC_DATA/gas-drift/batches-1-6.tar.zst" out >table || exit 1
awk -F'\t' 'NR > 1 { n++; ahead += $4 > $3; sum += $4 }
    END { print ahead " of " n " batches"; print (sum / n > .85 ? "above .85" : sum / n) }' table
grep -c '<svg' out/session.html
