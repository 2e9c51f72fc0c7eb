# Every command that README shows prints what README says, and README fits its page.
"$TOP/tests/shown.sh" "$TOP/README.md" || exit
awk 'END { if (NR > 120) print "README.md has " NR " lines, more than 120" }' "$TOP/README.md"
