# No file of lib outside lib/cli prints: no object calls printf and the like or names a standard stream. Only
# lib/base/output.c gives standard output to functions that write files.
objects=$(for source in lib/*/*.c; do
    case $source in lib/cli/* | lib/base/output.c) continue ;; esac
    [ ! -f "$BUILD/${source%.c}.o" ] || echo "$BUILD/${source%.c}.o"
done)
[ -n "$objects" ] || { echo "nothing is built in $BUILD"; exit 1; }
nm -A -u $objects | awk '
    $NF ~ /^(__)?(printf|vprintf|puts|putchar|perror|stdout|stderr)(_chk|_unlocked)?(@.*)?$/ {
        print $1 " uses " $NF
        wrong = 1
    }
    END { exit wrong }'
