# firmware.sh - a bare Cortex-M (M3 without floating point, M4F, M7, M33, M55) runs a calibration session to the same
# codes, last layer and coreset as the host and qc-calibrate, straight through and with power cuts. Run from the top of
# the tree; BUILD has pack_stream, PATH the programs.
set -eu
. tests/device/cross
for tool in arm-none-eabi-gcc qemu-system-arm; do have $tool || { skipped "there is no $tool"; exit 77; }; done
. tests/device/firmware/make.sh
. share/firmware/boards.sh
cd "$work"

flags='-mthumb -std=c11 -O2 -ffreestanding -ffp-contract=off -ffunction-sections -fdata-sections -Wall -Wextra -Werror'

# run_firmware BOARD FLAGS CORE SESSION
run_firmware() {
    arm-none-eabi-gcc $flags $2 -nostdlib -nostartfiles -Wl,--gc-sections -T "$board/cortex-m.ld" -I "$top/lib" -I \
        "$board" -I "$firmware" -I "$4" -o "$4/$1.elf" \
        "$board/board.c" "$firmware/firmware.c" "$firmware/session.c" "$4/model.c" "$4/stream.c" "$3.mem.o" \
        "$top/build/bare-$3/libqcore.a" -lgcc
    timeout 120 qemu-system-arm -machine "$1" -display none -monitor none -serial none -kernel "$4/$1.elf" \
        -chardev "file,id=words,path=$4/$1.out" -semihosting-config enable=on,target=native,chardev=words \
        2>"$4/$1.err" </dev/null || { echo "$1: status $?"; tail -n 30 "$4/$1.out"; cat "$4/$1.err"; exit 1; }
    grep '^# ' "$4/$1.out" | grep -E 'static|boots' | sed "s/^#/$1, $4:/"
    grep -v '^# ' "$4/$1.out" | diff "$4/expected" - || { echo "$1: the device differs from the host"; exit 1; }
}

make_people
on_host() { # on_host BITS FOLDER ORDER
    make_session $1 $2 $3 && compile_host $2 || exit 1
    $2/host logits >$2/host.out || { cat $2/host.out; exit 1; }
    { cat $2/host.out; tail -1 $2/host.out; } >$2/expected # the session with power cuts has the same digest
}
on_host 2 bits2 shuffled
on_host 8 bits8 shuffled
on_host 2 solved classes # one class after another: the last layer comes in closed form
grep -q 'solved 1' solved/host.out || { echo "no batch's last layer was solved"; exit 1; }

try_core() { # try_core CORE
    choose_core $1
    (cd "$top" && for_bare bare-$1 "arm-none-eabi-gcc -mthumb $cpu")
    arm-none-eabi-gcc $flags $cpu -fno-tree-loop-distribute-patterns -I "$top/lib" -c -o "$1.mem.o" "$board/mem.c"
    for session in bits2 bits8 solved; do run_firmware $machine "$cpu $places" "$1" $session; done
}
for core in m3 m4 m7 m33 m55; do try_core $core; done
