# The label of a tsv is its first column, or it is asked for; a label that is named is taken, up to 255 classes.
try() { # try FILE OPTIONS...: the table is on standard input
    file=$1
    shift
    cat >"$file"
    echo "\$ $file $*"
    qc-import -o out.qcd "$@" "$file" 2>&1
    echo "status $?"
}
rows() { awk -v n="$1" -v of="$2" -v from="${3:-0}" -v word="$4" -v tab="${5:-	}" \
    'BEGIN { for (k = 0; k < n; k++) print word (k % of + from) tab k % 7 tab k % 3 + .5 }'; }
headed() { printf "$1\n"; rows 9 3; }
echo '--- the first column of a tsv'
rows 40 2 1 | try ucr.tsv -f tsv
rows 40 4 0 w | try words.tsv -f tsv
rows 7 7 1 | try few.tsv -f tsv
rows 40 40 | try counted.tsv -f tsv
rows 40 40 | try counted.tsv -f tsv --label-column 2
rows 40 40 | try counted.tsv -f tsv --ignore 1
rows 40 2 1 | try ucr.tsv -f tsv --columns 1,2
headed 'time\tb\tc' | try time.tsv -f tsv
headed 'user\tb\tc' | try user.tsv -f tsv
headed 'a\tb\tlabel' | try last.tsv -f tsv
headed 'label\tb\tc' | try first.tsv -f tsv
rows 40 40 0 '' , | try counted.csv -f csv
echo '--- many classes'
rows 18 18 1 | try each.tsv -f tsv --label-column 1
rows 18 18 3 | try each.tsv -f tsv
rows 18 18 3 w | try each.csv
rows 18 18 3 w | try each.csv --label-column 1
rows 1020 255 0 w | try most.csv --label-column 1
rows 1200 300 0 w | try over.csv --label-column 1
rows 1200 300 0 w | try over.csv
rows 1200 300 | try over.tsv -f tsv --label-column 1
rows 1200 300 | try over.tsv -f tsv
# a folder of sounds: a note says what finds their labels
mkdir -p sounds/no sounds/yes
for name in no/1 yes/2; do
    printf 'RIFF\44\0\0\0WAVEfmt \20\0\0\0\1\0\1\0\100\37\0\0\200\76\0\0\2\0\20\0data\10\0\0\0%s' \
        abcdefgh >sounds/$name.wav
done
qc-import -f wav -o sounds.qcd sounds 2>&1
qc-import -f wav --name-pattern '{label}/{recording}.wav' -o sounds.qcd sounds 2>&1
# what the names of files say is not said to be missing, and a column of the same role does not count
mkdir tables
printf 'x,person\n1,anna\n2,anna\n3,anna\n' >tables/walk_p1.csv
printf 'x,person\n3,anna\n2,anna\n1,anna\n' >tables/run_p2.csv
qc-import --name-pattern '{label}_{}.csv' --features -o tables.qcd tables 2>&1
qc-import --name-pattern '{label}_{group}.csv' --features -o tables.qcd tables 2>&1
