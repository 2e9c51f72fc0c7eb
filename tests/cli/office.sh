# The image experiment on synthetic pictures: source, stream and test parts do not overlap, and its commands run up to
# the first results. With the real pictures, the sizes of the parts are checked.
/usr/bin/python3 - <<'END' || exit
import os, random, struct, zlib

draw = random.Random(1)
chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
for camera, n in ('amazon', 10), ('dslr', 5), ('webcam', 5):
    for kind in 'mug', 'bike':
        os.makedirs(f'tree/{camera}/{kind}')
        for k in range(n):
            rows = b''.join(b'\0' + bytes(draw.randrange(128) + 127 * (kind == "bike") for _ in range(24))
                            for _ in range(8))
            header = chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 2, 0, 0, 0))
            body = chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
            open(f'tree/{camera}/{kind}/{k}.png', 'wb').write(b'\x89PNG\r\n\x1a\n' + header + body)
END
sizes() { for camera in amazon dslr webcam; do echo $camera $(for part in train test; do qc-info \
    "$1/$camera.$part.qcd" | sed -n 's/^examples: //p'; done); done; }
"$TOP/share/experiments/office-parts.sh" parts tree && sizes parts || exit
experiment=$TOP/share/experiments/office.yaml
qc-sweep -q --set data=parts "$experiment" | wc -l # 3 seeds of a float model, a coreset, 3 bit-widths, and 36 runs
# these, 3 bit-widths with a bit-flip network, and 12 runs
qc-sweep -q --set data=parts "${experiment%.yaml}-qcore.yaml" | wc -l
sweep() { qc-sweep -q --set data=parts --set width=.02 --set epochs=12 --set capacity=4 --set seed=1 --set bits=4 "$@" \
    "$experiment"; }
sweep --step float | sh && sweep --step core | sh && sweep --step quantized |
    sed "s|qc-quantize |qc-quantize --force |" | sh || exit
sweep --status 2>/dev/null
"$TOP/share/experiments/office-parts.sh" none . 2>&1 | sed 's/ in .*//'
[ -d "$QC_DATA/office-caltech" ] || { echo "skipped: $QC_DATA/office-caltech is not there" >&2; exit 0; }
"$TOP/share/experiments/office-parts.sh" real "$QC_DATA" && sizes real >real.sizes &&
    printf 'amazon 766 192\ndslr 94 63\nwebcam 177 118\n' | diff - real.sizes >&2
