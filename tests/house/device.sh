# The device side needs only memcpy, memmove, memset and the like, which compilers call by themselves.
objects=$(ls "$BUILD"/lib/device/*.o "$BUILD"/lib/kernels/*.o 2>/dev/null | grep -v /dispatch.o)
[ -n "$objects" ] || { echo "nothing is built in $BUILD"; exit 1; }
nm -g $objects | awk '
    $1 == "U" { asked[$2] = 1 }
    NF == 3 && $2 != "U" { given[$3] = 1 }
    END {
        allowed = "^(memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_|__asan_.*|__ubsan_.*|__stack_chk_fail)$"
        for (name in asked)
            if (!(name in given) && name !~ allowed) {
                print "the device side calls " name; wrong = 1
            }
        exit wrong
    }'
