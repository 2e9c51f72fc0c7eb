# The tables of share/experiments/RESULTS.md equal the files of results/, and every file is in RESULTS.md.
page=share/experiments/RESULTS.md
share/experiments/results.sh RESULTS.md | cmp - "$page" ||
    { echo "$page: make it anew with share/experiments/results.sh"; exit 1; }
wrong=0
for file in share/experiments/results/*.tsv; do
    name=$(basename "$file" .tsv)
    case $name in *.runs) continue ;; esac
    grep -q "<!-- table $name \|$name\.tsv" "$page" || { echo "$page does not name $file"; wrong=1; }
done
exit $wrong
