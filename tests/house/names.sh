# File names are unique in the tree, so that a name says which file is meant; and so are the names of types.
twice=$(ls lib/*/*.[ch] src/*.c tests/unit/*.c tests/bench/*.c 2>/dev/null | sed 's|.*/||' | sort | uniq -d)
[ -z "$twice" ] || { echo "more than one file is called:" $twice; exit 1; }
# "typedef struct QcName {", "struct QcName {", "} QcName;", "typedef int (*QcName)(": each file once
awk '
{
    name = ""
    if (match($0, /^(typedef )?(struct|enum|union) Qc[A-Za-z0-9]+ *\{/)) { name = substr($0, 1, RLENGTH); sub(/ *\{$/, "", name); sub(/.* /, "", name) }
    else if (match($0, /^\} Qc[A-Za-z0-9]+;/)) name = substr($0, 3, RLENGTH - 3)
    else if (match($0, /^typedef .*\(\*Qc[A-Za-z0-9]+\)/)) { name = $0; sub(/.*\(\*/, "", name); sub(/\).*/, "", name) }
    if (name == "") next
    if (name in home && home[name] != FILENAME) { print "two types are called " name ": in " home[name] " and " FILENAME; wrong = 1 }
    home[name] = FILENAME
}
END { exit wrong }' lib/*/*.[ch]
