# narrow.sh - on a processor of 32 bits, sizes that need 64 bits are refused in a sentence. No size wraps to a small
# number, whose buffer would then overflow.
set -eu
. tests/device/cross
export OMP_NUM_THREADS=1
cc=arm-linux-gnueabihf-gcc
have $cc || { skipped "there is no $cc"; exit 77; }
have qemu-arm-static || { skipped "there is no qemu-arm-static"; exit 77; }
for_device $cc
(
    cd "$work"
    qc-synth -q --subjects 1 --activities 2 --windows 3 --channels 64 --length 1024 -o d.qcd
    printf 'name: tiny\nlayers:\n  - conv: 4\n    kernel: 3\n  - relu\n  - gap\n' >tiny.yaml
    qc-train -q --threads 1 --epochs 1 -a tiny.yaml -d d.qcd -o fp.qcm
    qc-coreset -q -n 4 -d d.qcd -o core.qcd
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd fp.qcm 2>words |
        qc-bitflip-train -q --subjects 1 --test-subjects 1 --oracle-steps 2 --steps 2 --threads 1 -c core.qcd -d d.qcd \
            -o f.qcm >words
    python3 - <<'END'
# The coreset with other capacities and correct checksums (man/qc-formats.5).
import hashlib, struct, zlib
whole = open("core.qcd", "rb").read()
for capacity in (2**16, 2**16 + 1, 2**31, 2**32 - 1):  # a window is 2^16 bytes
    file = bytearray(whole)
    entry = next(at for at in range(24, 24 + 40 * 16, 40) if file[at:at + 16].rstrip(b"\0") == b"shape")
    offset, length = struct.unpack_from("<QQ", file, entry + 24)
    struct.pack_into("<I", file, offset + 16, capacity)
    struct.pack_into("<I", file, entry + 20, zlib.crc32(file[offset:offset + length]))
    file[-40:-8] = hashlib.sha256(file[:-40]).digest()
    open("huge-%d.qcd" % capacity, "wb").write(file)
END
)
wrong=0
for coreset in "$work"/huge-*.qcd; do
    status=0
    qemu-arm-static "$device/bin/qc-calibrate" -q -c "$coreset" -s "$work/d.qcd" -B 3 -o \
        "$work/out.qcm" "$work/f.qcm" >"$work/words" 2>"$work/err" || status=$?
    case $status in 1 | 5) ;; *) echo "$(basename "$coreset"): status $status"; wrong=1 ;; esac
    [ "$(wc -l <"$work/err")" -eq 1 ] && grep -qE 'bytes|memory' "$work/err" ||
        { echo "$(basename "$coreset"):"; cat "$work/err"; wrong=1; }
    [ ! -f "$work/out.qcm" ] || { echo "$(basename "$coreset"): a model all the same"; wrong=1; }
done
exit $wrong
