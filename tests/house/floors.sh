# A file includes its own folder or a folder of a lower floor, never of a higher floor. The device side includes only
# headers that a freestanding compiler has.
awk '
BEGIN {
    # Folders of one floor do not include each other. A folder with a fraction may include the folders just below it.
    n = split("base 0 kernels 0 device 1 format 2 data 3 nn 3.5 onnx 3.7 lean 3.7 " \
        "quant 4 coreset 5 bitflip 5 export 6 live 6 lab 7 cli 8", words, " ")
    for (i = 1; i < n; i += 2) floor[words[i]] = words[i + 1]
}
/^[ \t]*#[ \t]*include/ {
    split(FILENAME, part, "/")
    room = part[2]
    if (match($0, /"\.\.\/[a-z]+\//)) {
        other = substr($0, RSTART + 4, RLENGTH - 5)
        if (!(other in floor) || (other != room && floor[other] >= floor[room])) {
            print FILENAME ":" FNR ": " room " must not include " other; wrong = 1
        }
    } else if ($0 ~ /"[^"]*\//) { print FILENAME ":" FNR ": include \"../room/file.h\" or \"file.h\""; wrong = 1 }
    if ((room == "device" || room == "kernels") && FILENAME !~ /\/dispatch\.c$/ && match($0, /<[^>]*>/)) {
        header = substr($0, RSTART + 1, RLENGTH - 2)
        if (header !~ /^(stddef|stdint|string|immintrin|arm_neon|arm_mve)\.h$/) {
            print FILENAME ":" FNR ": the device side must not include <" header ">"
            wrong = 1
        }
    }
}
END { exit wrong }
' lib/*/*.c lib/*/*.h
