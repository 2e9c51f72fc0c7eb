# Nothing below lib/cli prints: no object calls printf and its kin or names a standard stream. lib/base/output.c alone
# hands standard output to those who write files.
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
