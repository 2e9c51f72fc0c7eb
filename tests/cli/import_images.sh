# Pictures of every kind against Pillow's decoder, scaling against plain sums; then what is refused.
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
$python -c 'import PIL' 2>/dev/null || { echo "python3-pil is not installed" >&2; exit 77; }
$python - <<'END' || exit
import os, struct, subprocess, zlib
import numpy as np
from PIL import Image, features
from foreign import *

rng = np.random.default_rng(1)
smooth = np.kron(rng.integers(0, 256, (5, 6, 4)), np.ones((4, 4, 1))).astype('u1') # 20 x 24
rgb, rgba = Image.fromarray(smooth[..., :3].copy()), Image.fromarray(smooth, 'RGBA')
grey = Image.fromarray(smooth[..., 0].copy())

def imported(*options, path='set'):
    subprocess.run(['qc-import', '-q', *options, '-o', 'out.qcd', path], check=True)

def check(images, height, width, channels=3):
    values = qcd_values('out.qcd', len(images) * channels * height * width).reshape(-1, channels, height, width)
    for i, x in enumerate(images):
        worst = np.abs(values[i] - np.asarray(x, 'f8').reshape(height, width, channels).transpose(2, 0, 1)).max()
        assert worst < 2e-4, (i, worst)

def interlaced(path, a):
    """Adam7, which Pillow does not write."""
    h, w, _ = a.shape
    raw = b''
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
                           (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        part = a[y0::dy, x0::dx]
        raw += b''.join(b'\0' + row.tobytes() for row in part) if part.size else b''
    chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    open(path, 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 1))
                           + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b''))

# one file of each kind at its own size: imported pixels equal Pillow's
os.makedirs('set/kinds')
rgb.save('set/kinds/01.png')
grey.save('set/kinds/02.png')
rgba.save('set/kinds/03.png')
rgb.quantize(16).save('set/kinds/04.png')
rgb.convert('1').save('set/kinds/05.png')
Image.fromarray(smooth[..., 0].astype('u2') * 257).save('set/kinds/06.png')
interlaced('set/kinds/07.PNG', smooth[..., :3])
grey.convert('LA').save('set/kinds/08.png')
rgb.save('set/kinds/11.jpg', quality=90)
rgb.save('set/kinds/12.jpeg', quality=60, subsampling=2, progressive=True)
grey.save('set/kinds/13.JPG')
rgb.convert('CMYK').save('set/kinds/14.jpg', quality=95)
rgb.save('set/kinds/15.jpg', 'PNG')
if features.check('webp'):
    rgb.save('set/kinds/16.webp', lossless=True)
    rgba.save('set/kinds/17.webp', lossless=True, exact=True)
rgb.save('set/kinds/18.bmp')
grey.save('set/kinds/19.bmp')
rgb.convert('1').save('set/kinds/20.bmp')
rgb.save('set/kinds/21.ppm')
open('set/kinds/notes.txt', 'w').write('no picture')

def seen(path):
    image = Image.open(path)
    if image.mode == 'I': return np.repeat((np.asarray(image) // 257)[..., None], 3, 2)
    if image.mode == 'CMYK':
        ink = np.asarray(image).astype('i4')
        return ((255 - ink[..., :3]) * (255 - ink[..., 3:]) + 127) // 255
    if image.mode in ('RGBA', 'LA'):
        a = np.asarray(image.convert('RGBA')).astype('i4')
        return (a[..., :3] * a[..., 3:] + 255 * (255 - a[..., 3:]) + 127) // 255
    return np.asarray(image.convert('RGB'))

names = sorted(n for n in os.listdir('set/kinds') if n != 'notes.txt')
imported('--size', '20x24')
check([seen('set/kinds/' + n) for n in names], 20, 24)
for name in names: os.remove('set/kinds/' + name)

# a second, plain implementation of scaling
def line(n_in, n_out, how):
    w, step = np.zeros((n_out, n_in)), n_in / n_out
    for i in range(n_out):
        if how == 'area' and step > 1:
            for k in range(n_in): w[i, k] = max(0, min((i + 1) * step, k + 1) - max(i * step, k)) / step
        else:
            at = min(max((i + .5) * step - .5, 0), n_in - 1)
            k = int(at)
            w[i, k] += 1 - (at - k)
            if k + 1 < n_in: w[i, k + 1] += at - k
    return w

def scaled(a, height, width, how):
    rows, columns = line(a.shape[0], height, how), line(a.shape[1], width, how)
    return np.einsum('yj,xk,jkc->yxc', rows, columns, a.astype('f8'))

noise = rng.integers(0, 256, (37, 53, 3)).astype('u1')
Image.fromarray(noise).save('set/kinds/a.png')
for how in ('area', 'bilinear'):
    for height, width in ((16, 16), (37, 53), (10, 53), (60, 20), (1, 1), (111, 159)):
        imported('--size', f'{height}x{width}', '--resize', how)
        check([scaled(noise, height, width, how)], height, width)
imported('--size', '16', '--grey')
check([scaled(noise, 16, 16, 'area') @ [.299, .587, .114]], 16, 16, 1)
imported('--size', '16', '--crop')
check([scaled(noise[:, 8:45], 16, 16, 'area')], 16, 16)
imported('--size', '10x40', '--crop')
check([scaled(noise[12:25], 10, 40, 'area')], 10, 40)

# groups; ids do not depend on the folder in the command line
for group, n in (('office', 2), ('home', 3)):
    for kind in ('mug', 'bike'):
        os.makedirs(f'both/{group}/{kind}')
        for k in range(n):
            pixels = rng.integers(0, 256, (9, 9, 3)).astype('u1')
            Image.fromarray(pixels).save(f'both/{group}/{kind}/{k}.png')
END
for jobs in 1 4; do qc-import -f images --size 8 --threads $jobs --json -o $jobs.qcd both || exit; done
cmp 1.qcd 4.qcd || exit
qc-import -f images --size 8 -g home -o home.qcd both && (cd both/home &&
    qc-import -f images --size 8 -o ../../dot.qcd .) || exit
qc-info 1.qcd | sed -n '/^labels/,/^recordings/p'
# values, labels, ids, groups, recordings
for file in home dot; do dd if=$file.qcd of=$file.part bs=1 skip=320 count=4728 status=none; done
cmp home.part dot.part || exit
try() { # try PYTHON OPTIONS...: imports bad/mug/a.jpg, which PYTHON writes
    rm -rf bad && mkdir -p bad/mug
    $python -c "
import numpy as np, zlib, struct, os
from PIL import Image
p = 'bad/mug/a.jpg'
x = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3)).astype('u1'))
def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def png(w, h, data):
    header = chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0))
    open(p, 'wb').write(b'\x89PNG\r\n\x1a\n' + header + chunk(b'IDAT', data) + chunk(b'IEND', b''))
$1" || exit
    echo "$1"
    shift
    qc-import -f images -o out.qcd "$@" bad 2>&1
    echo "status $?"
}
try "x.save(p); os.truncate(p, os.path.getsize(p) // 2)"
try "x.save(p, 'PNG'); os.truncate(p, os.path.getsize(p) // 2)"
try "x.save(p, progressive=True); os.truncate(p, os.path.getsize(p) // 2)"
try "x.save(p, 'PNG'); d = bytearray(open(p, 'rb').read()); d[100] ^= 1; open(p, 'wb').write(d)"
try "x.save(p, 'GIF')"
try "open(p, 'w')"
try "open(p, 'wb').write(b'\xff\xd8\xff\xe0')"
try "png(30000, 30000, zlib.compress(bytes(1000)))"
try "png(2000000000, 2000000000, b'')"
try "png(0, 5, b'')"
try "png(40, 40, zlib.compress(bytes(100)))"
# decompression bombs: a few hundred KB inflate to 100 MB and 3 GB
try "png(6000, 6000, zlib.compress(bytes(6000 * 18001)))"
try "x.save(p); d = open(p, 'rb').read(); k = d.index(b'\xff\xc0'); "\
"open(p, 'wb').write(d[:k + 5] + b'\x7f\xff\x7f\xff' + d[k + 9:])"
try "x.save(p)" --size 0
try "x.save(p)" --size 64x
try "x.save(p)" --size big
try "x.save(p)" --resize cubic
try "x.save(p)" --unequal pad
try "os.remove(p) if os.path.exists(p) else None"
rm -rf bad && mkdir -p bad/mug && mkfifo bad/mug/a.jpg && qc-import -f images bad
echo "status $?"
[ -f "$QC_DATA/office-caltech/dslr.tar" ] || { echo "skipped: $QC_DATA/office-caltech is not there" >&2; exit 0; }
mkdir real && tar -xf "$QC_DATA/office-caltech/dslr.tar" -C real --wildcards '*_0001.jpg' || exit
qc-import --size 64 --json -o real.qcd real/dslr >&2 || exit
$python - <<'END' >&2
import glob
import numpy as np
from PIL import Image
from foreign import *
for i, path in enumerate(sorted(glob.glob('real/dslr/*/*.jpg'))):
    image = np.asarray(Image.open(path).convert('RGB')).astype('f8')
    if image.shape[:2] != (1000, 1000): continue # 64 pixels are 125 / 8 each
    rows = np.add.reduceat(image.repeat(8, 0), np.arange(64) * 125, 0) / 125
    expected = (np.add.reduceat(rows.repeat(8, 1), np.arange(64) * 125, 1) / 125).transpose(2, 0, 1)
    stored = qcd_values('real.qcd', 10 * expected.size).reshape(10, *expected.shape)[i]
    assert np.abs(stored - expected).max() < 1e-3, path
END
