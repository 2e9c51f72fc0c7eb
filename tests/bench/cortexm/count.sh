# count.sh - sourced by benches at the top of the tree, which go on in an empty folder, with $top and $here: programs on
# the host and on a core under QEMU, whose instructions counter.c counts.
top=$(pwd)
here=$top/tests/bench/cortexm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMP_NUM_THREADS=1
for tool in arm-none-eabi-gcc qemu-system-arm; do
    command -v $tool >/dev/null || { echo "this bench needs $tool: share/setup/install.sh --test installs it" >&2; \
        exit 1; }
done
. "$top/share/firmware/boards.sh"
firmware=$top/share/firmware
flags='-std=c11 -O3 -ffreestanding -ffp-contract=off -ffunction-sections -fdata-sections'
device=$(find "$top/lib/device" -name '*.c')

${CC:-cc} -O2 -shared -fPIC -o counter.so "$here/counter.c"

# program FOLDER SOURCES...: builds FOLDER/host, runs it and stores its output
host_program() {
    folder=$1
    shift
    mkdir -p "$folder" host
    [ -f host/scalar.o ] ||
        (cd host && "${CC:-cc}" -std=c11 -O2 -ffp-contract=off -c $device "$top"/lib/kernels/scalar.c)
    "${CC:-cc}" -std=c11 -O2 -ffp-contract=off -I "$top/lib" -I "$here" -I "$folder" -o "$folder/host" "$@" host/*.o
    "$folder/host" >"$folder/expected"
}

# on_core FOLDER SOURCES...: prints the output on the core, which must equal the output on the host, and writes the
# counts to the file counted
on_core() {
    folder=$1
    shift
    [ -d "$core" ] || {
        mkdir "$core"
        (cd "$core" && arm-none-eabi-gcc -mthumb $flags $cpu -I "$top/lib" -c $device "$top"/lib/kernels/scalar.c \
            "$top"/lib/kernels/cortexm_*.c &&
            arm-none-eabi-gcc -mthumb $flags $cpu -fno-tree-loop-distribute-patterns -I "$top/lib" -I "$firmware" -c \
                "$firmware/mem.c" "$firmware/board.c")
    }
    arm-none-eabi-gcc -mthumb $flags $cpu $places -DKERNELS=$table -DMODEL_KERNELS=$table -nostdlib -nostartfiles \
        -Wl,--gc-sections -T "$firmware/cortex-m.ld" \
        -I "$top/lib" -I "$firmware" -I "$here" -I "$folder" -o "$folder/$core.elf" "$@" "$core"/*.o -lgcc
    timeout 600 qemu-system-arm -machine $machine -display none -monitor none -serial none -kernel "$folder/$core.elf" \
        -plugin ./counter.so,out=counts \
        -chardev file,id=words,path=printed -semihosting-config enable=on,target=native,chardev=words </dev/null
    grep -v '^#' printed >results
    grep -v '^#' "$folder/expected" | cmp -s - results ||
        { echo "$core: the outputs of $folder differ from the host's" >&2; diff "$folder/expected" results >&2; exit \
        1; }
    paste results counts >counted
}
