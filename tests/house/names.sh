# File names are unique in the tree, so that a name says which file is meant.
twice=$(ls lib/*/*.[ch] src/*.c tests/unit/*.c tests/bench/*.c 2>/dev/null | sed 's|.*/||' | sort | uniq -d)
[ -z "$twice" ] || { echo "more than one file is called:" $twice; exit 1; }
