# share/experiments/uschad-parts.sh on the real subjects: trial 5 of each activity is the test part, and in no training
# part.
[ -f "$QC_DATA/usc-had/Subject1.tar" ] || { echo "$QC_DATA/usc-had is not there" >&2; exit 77; }
"$TOP/share/experiments/uschad-parts.sh" parts "$QC_DATA" || exit
for part in train test; do
    echo "$(ls parts/s[1-6].$part.qcd | wc -l) parts; of subject 2:"
    qc-info parts/s2.$part.qcd | sed -n '/^examples/p; /^classes/p; /^recordings/p'
    qc-export -q -f csv -o $part.csv parts/s2.$part.qcd || exit
    sed '1d; s/^[^,]*,//; s/,.*//; s/.*t/trial /' $part.csv | sort | uniq -c
done
"$TOP/share/experiments/uschad-parts.sh" parts "$PWD" 2>&1 | grep -c 'neither a USC-HAD tree'
