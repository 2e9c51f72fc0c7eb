# What the device side asks of the outside world: memcpy and its kin, which compilers call by themselves, and nothing
# else.
objects=$(ls "$BUILD"/lib/device/*.o "$BUILD"/lib/kernels/*.o 2>/dev/null | grep -v /dispatch.o)
[ -n "$objects" ] || { echo "nothing is built in $BUILD"; exit 1; }
nm -g $objects | awk '
    $1 == "U" { asked[$2] = 1 }
    NF == 3 && $2 != "U" { given[$3] = 1 }
    END {
        for (name in asked)
            if (!(name in given) && name !~ /^(memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_|__asan_.*|__ubsan_.*|__stack_chk_fail)$/) {
                print "the device side calls " name; wrong = 1
            }
        exit wrong
    }'
