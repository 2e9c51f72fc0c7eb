# File names are unique in the tree, so that a name identifies a file; names of types are unique, too.
twice=$(ls lib/*/*.[ch] src/*.c tests/unit/*.c tests/bench/*.c 2>/dev/null | sed 's|.*/||' | sort | uniq -d)
[ -z "$twice" ] || { echo "more than one file is called:" $twice; exit 1; }
# The top level has these files and folders. (A folder of programs was committed by mistake once.)
other=$(git ls-files 2>/dev/null | sed 's|/.*||' | sort -u |
    grep -vxE '\..*|Makefile|README\.md|LICENSE|lib|man|share|src|tests')
[ -z "$other" ] || { echo "these do not belong at the top level:" $other; exit 1; }
# "typedef struct QcName {", "struct QcName {", "} QcName;", "typedef int (*QcName)(": each file once
awk '
{
    name = ""
    if (match($0, /^(typedef )?(struct|enum|union) Qc[A-Za-z0-9]+ *\{/)) {
        name = substr($0, 1, RLENGTH); sub(/ *\{$/, "", name); sub(/.* /, "", name)
    } else if (match($0, /^\} Qc[A-Za-z0-9]+;/)) {
        name = substr($0, 3, RLENGTH - 3)
    } else if (match($0, /^typedef .*\(\*Qc[A-Za-z0-9]+\)/)) {
        name = $0; sub(/.*\(\*/, "", name); sub(/\).*/, "", name)
    }
    if (name == "") next
    if (name in home && home[name] != FILENAME) {
        print "two types are called " name ": in " home[name] " and " FILENAME
        wrong = 1
    }
    home[name] = FILENAME
}
END { exit wrong }' lib/*/*.[ch]
[ $? -eq 0 ] || exit 1
# The first word of a public function names its family, and a family is of one folder: qc_graph_... of lib/nn alone. The
# first word may also be a verb that says what is done to an object of any folder.
awk '
/^[A-Za-z].*[ *]qc_[a-z0-9]+_[a-z0-9_]+\(/ && !/^static|^typedef|^#/ {
    match($0, /qc_[a-z0-9]+_[a-z0-9_]+\(/)
    name = substr($0, RSTART, RLENGTH - 1)
    split(name, part, "_"); split(FILENAME, path, "/")
    family = part[2]
    if (family ~ /^(fit|import|is|need|put|read)$/) next
    if (family in folder && folder[family] != path[2]) {
        print "qc_" family "_ is a family of lib/" folder[family] " (" example[family] ") and of lib/" path[2] \
            " (" name ")"
        wrong = 1
    }
    folder[family] = path[2]; example[family] = name
}
END { exit wrong }' lib/*/*.h
