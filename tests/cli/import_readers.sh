# Readers of sound, raw, IDX, libsvm, WFDB, MATLAB and segments: values against NumPy's on files made here; then broken
# files, each refused in a sentence.
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
cat >make.py <<'EOF'
import gzip, os, struct, wave
import numpy as np
from foreign import *
rng = np.random.default_rng(3)
def idx(a, kind):
    shape = b''.join(struct.pack('>I', n) for n in a.shape)
    return bytes([0, 0, kind, a.ndim]) + shape + a.astype(a.dtype.newbyteorder('>')).tobytes()
def labels(path):
    rows = subprocess.run(['qc-export', '-q', '-f', 'csv', path], check=True, capture_output=True, text=True).stdout
    return [row.split(',')[-1] for row in rows.split()[1:]]
def write(path, data):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    open(path, 'wb').write(data)
def sound(path, frames, rate):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with wave.open(path, 'wb') as w:
        w.setnchannels(frames.shape[1]); w.setsampwidth(2); w.setframerate(rate)
        w.writeframes(frames.astype('<i2').tobytes())
def pack212(s):
    s = s.ravel() & 4095
    return np.stack([s[::2] & 255, s[::2] >> 8 | s[1::2] >> 8 << 4, s[1::2] & 255], 1).astype('u1').tobytes()
def annotations(beats):
    out, last = b'', 0
    for time, code in beats:
        step = time - last
        if step > 1023: out += struct.pack('<HHH', 59 << 10, step >> 16, step & 65535); step = 0
        out += struct.pack('<H', code << 10 | step)
        last = time
    return out + struct.pack('<H', 63 << 10 | 3) + b'abc\0' + struct.pack('<H', 0)
EOF
$python - <<'END_OF_PYTHON' || exit
import subprocess
exec(open('make.py').read())
def imported(shape, *options):
    subprocess.run(['qc-import', '-q', '-o', 'out.qcd', *options], check=True)
    return qcd_values('out.qcd', int(np.prod(shape))).reshape(shape)
def same(a, b): assert np.array_equal(a, np.asarray(b).astype('f4')), (a, b)

a, b = rng.integers(-30000, 30000, (40, 2)), rng.integers(-30000, 30000, (25, 2))
sound('snd/up_p1_1.wav', a, 8000), sound('snd/down_p2_1.wav', b, 8000)
pattern = ('--name-pattern', '{label}_{group}_{recording}.wav')
same(imported((3, 2, 16), '--window', '16', '-f', 'wav', *pattern, 'snd'),
     [b[:16].T / 32768, a[:16].T / 32768, a[16:32].T / 32768])
same(imported((2, 1, 40), '-f', 'wav', '--mono', '--unequal', 'pad', *pattern, 'snd'),
     [[np.pad(b.mean(1), (0, 15)) / 32768], [a.mean(1) / 32768]])
# a tone of 440 Hz stays one at another rate; one above the new Nyquist frequency goes
t = np.arange(8000) / 8000
sound('tone.wav', np.round(20000 * np.sin(2 * np.pi * 440 * t))[:, None], 8000)
x = imported((6000,), '--rate', '6000', 'tone.wav')
assert np.abs(x[100:-100] - (20000 / 32768 * np.sin(2 * np.pi * 440 * np.arange(6000) / 6000))[100:-100]).max() < 2e-3
sound('tone.wav', np.round(20000 * np.sin(2 * np.pi * 3600 * t))[:, None], 8000)
assert np.abs(imported((4000,), '--rate', '4000', 'tone.wav')[100:-100]).max() < 1e-3

for kind, dtype in (('i8', 'i1'), ('u8', 'u1'), ('i16', '<i2'), ('u16', '<u2'), ('i32', '<i4'), ('u32', '<u4'),
                    ('f32', '<f4'), ('f64', '<f8')):
    x = (np.abs(rng.normal(size=(20, 3))) * 50).astype(dtype)
    write('a.bin', x.tobytes()), write('planar.bin', x.T.tobytes())
    write('big.bin', x.astype(x.dtype.newbyteorder('>')).tobytes())
    common = ('-f', 'raw', '--type', kind, '--channels', '3', '--window', '10')
    for options in (('--interleaved', 'a.bin'), ('planar.bin',), ('--interleaved', '--big-endian', 'big.bin')):
        same(imported((2, 3, 10), *common, *options), x.reshape(2, 10, 3).transpose(0, 2, 1))

x, y = rng.integers(0, 256, (5, 6, 8)).astype('u1'), np.array([3, 1, 3, 0, 1], 'u1')
write('t-images-idx3-ubyte', idx(x, 8)), write('t-labels-idx1-ubyte', idx(y, 8))
same(imported((5, 6, 8), 't-images-idx3-ubyte'), x)
write('z-images-idx3-ubyte.gz', gzip.compress(idx(x, 8))), write('z-labels-idx1-ubyte.gz', gzip.compress(idx(y, 8)))
same(imported((5, 6, 8), 'z-images-idx3-ubyte.gz'), x)
os.remove('t-images-idx3-ubyte'), os.remove('z-labels-idx1-ubyte.gz')
write('t-images-idx3-ubyte.gz', gzip.compress(idx(x, 8))) # labels beside it are not packed
same(imported((5, 6, 8), 't-images-idx3-ubyte.gz'), x)
os.rename('z-images-idx3-ubyte.gz', 'a.gz'), write('z-images-idx3-ubyte', idx(x, 8))
write('z-labels-idx1-ubyte.gz', gzip.compress(idx(y, 8))) # and the reverse
same(imported((5, 6, 8), 'z-images-idx3-ubyte'), x)
write('t-images-idx3-ubyte', idx(x, 8))
smaller = imported((5, 3, 4), '--size', '3x4', 't-images-idx3-ubyte')
assert np.abs(smaller - x.reshape(5, 3, 2, 4, 2).mean((2, 4))).max() < 1e-4
f = rng.normal(size=(4, 7)).astype('f4')
write('f.idx', idx(f, 13))
same(imported((4, 7), '--y', 'none', 'f.idx'), f)

write('a.libsvm', b'# words\n+1 1:0.5 3:2 # more\n-1.0 2:1e3\n\n1 qid:7 1:nan 4:1\n')
same(imported((3, 5), '--missing', 'drop', '--indices', '5', 'a.libsvm')[:2], [[.5, 0, 2, 0, 0], [0, 1000, 0, 0, 0]])
# No row of the second file has feature 0, which its indices count all the same.
write('svm/1.svm', b'1 0:5 1:6\n'), write('svm/2.svm', b'2 1:7\n2 2:8\n')
same(imported((3, 3), '-f', 'libsvm', '--indices', '3', 'svm'), [[5, 6, 0], [0, 7, 0], [0, 0, 8]])

s = rng.integers(-2048, 2048, (3000, 2)).astype('i4')
beats = [(50, 1), (200, 1), (201, 22), (1700, 5), (1800, 8), (2990, 1)]
write('ecg/r1.hea', b'r1 2 360 3000\nr1.dat 212 200 11 1024 0 0 0 MLII\nr1.dat 212 100(5)/mV 11 7 0 0 0 V1\n# words\n')
write('ecg/r1.dat', pack212(s)), write('ecg/r1.atr', annotations(beats))
w = lambda lead, zero, gain: np.array([(s[t - 64:t + 64, lead] - zero) / gain for t in (200, 1700, 1800)])
same(imported((3, 1, 128), '-f', 'wfdb', '--window', '128', '--lead', 'V1', 'ecg'), w(1, 5, 100)[:, None])
same(imported((3, 2, 128), '--window', '128', 'ecg/r1.hea'), np.stack([w(0, 1024, 200), w(1, 5, 100)], 1))
write('ecg/r1.hea', b'r1 1 360\nr1.dat 16 200\n'), write('ecg/r1.dat', s.astype('<i2').tobytes())
same(imported((4, 1, 128), '--window', '128', '--all-beats', 'ecg/r1.hea')[1], [s.ravel()[1700 - 64:1700 + 64] / 200])

# Leads go by their names; a lead that the first record lacks takes the place that is left.
three = rng.integers(-2000, 2000, (3, 400, 2)).astype('i4')
for k, names in enumerate(('MLII V1', 'V1 MLII', 'V5 MLII')):
    lines = ['r%d 2 360 400' % k] + ['r%d.dat 212 200 11 0 0 0 0 %s' % (k, name) for name in names.split()]
    write('leads/r%d.hea' % k, '\n'.join(lines).encode()), write('leads/r%d.dat' % k, pack212(three[k]))
    write('leads/r%d.atr' % k, annotations([(10, 1), (200, 1)]))
same(imported((3, 2, 128), '-f', 'wfdb', '--window', '128', 'leads'),
     [three[0][136:264].T / 200, three[1][136:264, ::-1].T / 200, three[2][136:264, ::-1].T / 200])
words = subprocess.run(['qc-import', '-f', 'wfdb', '--window', '128', '-o', 'o.qcd', 'leads'], capture_output=True,
                       text=True).stderr
assert '3 beats were too near' in words and '1 record has not the leads of the first, such as r2 (V5 for V1)' in words
# The smallest sample means that none was measured.
gap = three[0].copy()
gap[200, 1] = -2048
write('ecg/r1.hea', b'r1 2 360 400\nr1.dat 212 200\nr1.dat 212 200\n'), write('ecg/r1.dat', pack212(gap))
write('ecg/r1.atr', annotations([(100, 1), (200, 1)]))
kept = gap[136:264] / 200
kept[64, 1] = (kept[63, 1] + kept[65, 1]) / 2
common = '--window', '128', '--missing'
same(imported((1, 2, 128), *common, 'drop', 'ecg/r1.hea'), [gap[36:164].T / 200])
assert np.abs(imported((2, 2, 128), *common, 'fill', 'ecg/r1.hea')[1] - kept.T).max() < 1e-5

x, y = rng.normal(size=(6, 4)), np.array([[1.], [2], [1], [2], [1], [2]])
for compress in (True, False):
    mat_write('a.mat', {'note': 'words', 'y': y, 'fea': x}, compress)
    same(imported((6, 4), 'a.mat'), x)
    same(imported((3, 4, 2), '--window', '2', '--variable', 'fea', '--y', 'none', 'a.mat'),
         x.reshape(3, 2, 4).transpose(0, 2, 1))
    same(imported((6, 4, 1), '--features', '--x', 'fea', 'a.mat')[:, :, 0], x)

words = ['walk', 'sit', 'walk', 'run', 'sit', 'sit']
inside = {'sets': {'acc': x, 'small': rng.integers(-9, 9, (6, 4)).astype('i2'), 'cells': words},
          'letters': np.array(words, 'S'), 'f': x.astype('f4'), 'mixed': ['walk', np.array([[2.]]), '', 'a', 'b', 'c']}
for compress in (True, False):
    for order in '<>':
        mat_write('s.mat', inside, compress, order)
        same(imported((6, 4), '--variable', 'sets.acc', '--y', 'sets.cells', 's.mat'), x)
        assert labels('out.qcd') == words
        same(imported((6, 4), '--variable', 'sets.small', '--y', 'letters', 's.mat'), inside['sets']['small'])
        assert labels('out.qcd') == words
        same(imported((6, 4), '--variable', 'f', '--y', 'mixed', 's.mat'), inside['f'])
        assert labels('out.qcd') == ['walk', '2', '', 'a', 'b', 'c']

# MATLAB 7.3: through libmatio
inside['letters'], cube = list(words), rng.normal(size=(3, 2, 5)).astype('f4')
mat73_write('7.mat', dict(inside, cube=cube))
same(imported((6, 4), '--variable', 'sets.acc', '--y', 'sets.cells', '7.mat'), x)
assert labels('out.qcd') == words
same(imported((6, 4), '--variable', 'sets.small', '--y', 'letters', '7.mat'), inside['sets']['small'])
assert labels('out.qcd') == words
same(imported((6, 4), '--variable', 'f', '--y', 'mixed', '7.mat'), inside['f'])
assert labels('out.qcd') == ['walk', '2', '', 'a', 'b', 'c']
same(imported((3, 2, 5), '--variable', 'cube', '--y', 'none', '7.mat'), cube)
same(imported((3, 4, 2), '--window', '2', '--variable', 'sets.acc', '--y', 'none', '7.mat'),
     x.reshape(3, 2, 4).transpose(0, 2, 1))

for e, u in ((1, 1), (2, 1), (3, 2)):
    for kind, columns in (('acc', 2), ('gyro', 1)):
        os.makedirs('seg', exist_ok=True)
        np.savetxt(f'seg/{kind}_exp{e:02}_user{u:02}.txt', rng.normal(size=(50, columns)), '%.17g')
both = lambda e, u: np.hstack([np.loadtxt(f'seg/{k}_exp{e:02}_user{u:02}.txt', ndmin=2) for k in ('acc', 'gyro')])
open('seg/labels.txt', 'w').write('1 1 5 1 20\n1 1 6 21 25\n3 2 5 11 30\n9 9 5 1 2\n')
open('names.txt', 'w').write('5 WALKING\n6 SIT DOWN\n')
segments = ('-f', 'segments', '--segments', 'seg/labels.txt', '--window', '10',
            '--name-pattern', '{channels}_exp{recording}_user{group}.txt', 'seg')
same(imported((4, 3, 10), *segments, '--label-names', 'names.txt'),
     [both(1, 1)[0:10].T, both(1, 1)[10:20].T, both(3, 2)[10:20].T, both(3, 2)[20:30].T])
same(imported((2, 3, 10), *segments, '-g', '02'), [both(3, 2)[10:20].T, both(3, 2)[20:30].T])

# --window of arrays
x, y = rng.normal(size=(30, 2)).astype('f4'), np.repeat(['a', 'b', 'a'], 10)
np.savez('r.npz', x=x, y=y)
same(imported((6, 2, 5), '--window', '5', 'r.npz'), x.reshape(6, 5, 2).transpose(0, 2, 1))
same(imported((3, 2, 8), '--window', '8', 'r.npz'), [x[k:k + 8].T for k in (0, 10, 20)])
np.savez('r.npz', x=x, y=y, time=np.r_[np.arange(15.), 20 + np.arange(15.)])
same(imported((6, 2, 4), '--window', '4', 'r.npz'), [x[k:k + 4].T for k in (0, 4, 10, 15, 20, 24)])

# pictures of other kinds
p = rng.integers(0, 256, (4, 5, 3)).astype('u1')
write('pics/c/a.ppm', b'P6 # words\n5 4\n255\n' + p.tobytes())
write('pics/c/b.ppm', b'P3\n5 4 255\n' + ' '.join(map(str, p.ravel())).encode())
write('pics/c/c.pgm', b'P5 5 4 65535\n' + (p[..., 0].astype('>u2') * 257).tobytes())
write('pics/c/d.pbm', b'P4 5 4\n' + np.packbits(p[..., 0] > 99, axis=1).tobytes())
row = lambda a: b''.join(r.tobytes() + b'\0' * (-r.nbytes % 4) for r in a)
head = lambda bits, offset, h=4: (b'BM' + struct.pack('<IHHI', 0, 0, 0, offset)
                                  + struct.pack('<IiiHHIIiiII', 40, 5, h, 1, bits, 0, 0, 0, 0, 0, 0))
write('pics/c/e.bmp', head(24, 54) + row(p[::-1, :, ::-1]))
write('pics/c/f.bmp', head(24, 54, -4) + row(p[:, :, ::-1]))
palette = np.arange(256)[:, None].repeat(4, 1).astype('u1')
write('pics/c/g.bmp', head(8, 54 + 1024) + palette.tobytes() + row(p[::-1, :, 0]))
grey = p[..., :1].repeat(3, 2)
x = imported((7, 3, 4, 5), '-f', 'images', '--size', '4x5', 'pics')
bits = np.where(p[..., :1] > 99, 0, 255).repeat(3, 2)
for k, expected in enumerate((p, p, grey, bits, p, p, grey)):
    assert np.abs(x[k] - expected.transpose(2, 0, 1)).max() < 1e-4, k
# each picture is a class
x = imported((7, 3, 4, 5), '-f', 'images', '--size', '4x5', '--name-pattern', '{group}/{label}.{}', 'pics')
info = subprocess.run(['qc-info', 'out.qcd'], capture_output=True, text=True).stdout
assert np.abs(x[0] - p.transpose(2, 0, 1)).max() < 1e-4 and '  g: 1' in info
END_OF_PYTHON
try() { # try WORDS-OF-PYTHON OPTIONS...
    rm -rf bad && mkdir bad
    $python -c "
exec(open('make.py').read())
$1" || exit
    printf '%s\n' "$1"
    shift
    qc-import -o out.qcd "$@" 2>&1
    echo "status $?"
}
head='r 1 360\nr.dat 16 200\n'
ecg="write('bad/r.hea', b'$head'); write('bad/r.dat', bytes(2000)); write('bad/r.atr', annotations([(500, 1)]))"
try "sound('bad/a.wav', np.zeros((50, 1)), 8000); os.truncate('bad/a.wav', 100)" bad/a.wav
try "write('bad/a.wav', b'RIFF')" bad/a.wav
try "sound('bad/a_1.wav', np.zeros((50, 1)), 8000); sound('bad/a_2.wav', np.zeros((50, 1)), 16000)" -f wav \
    --name-pattern '{label}_{}.wav' bad
try "sound('bad/a_1.wav', np.zeros((50, 1)), 8000); sound('bad/a_2.wav', np.zeros((50, 2)), 8000)" -f wav \
    --name-pattern '{label}_{}.wav' bad
try "sound('bad/a_1.wav', np.zeros((50, 1)), 8000); write('bad/a_2.wav', b'RIFF')" -f wav --skip-bad --name-pattern \
    '{label}_{}.wav' bad
try "write('bad/a.bin', bytes(7))" -f raw --type i16 --channels 2 --window 1 bad/a.bin
try "write('bad/a.bin', bytes(8))" -f raw --window 1 bad/a.bin
try "write('bad/a.bin', struct.pack('<f', np.nan) * 2)" -f raw --type f32 --window 1 bad/a.bin
try "write('bad/a.bin', b'')" -f raw --type f32 --window 1 bad/a.bin
try "write('bad/a.idx', idx(np.zeros((3, 4), 'u1'), 8)[:-1])" --y none bad/a.idx
try "write('bad/a.idx', b'\0\0\7\1\0\0\0\1\0')" --y none bad/a.idx
try "write('bad/a.idx', b'\0\0\10\4' + b'\xff' * 16)" --y none bad/a.idx
try "write('bad/a.idx', idx(np.zeros((3, 4), 'u1'), 8))" bad/a.idx
try "write('bad/a.idx', idx(np.zeros((3, 4), 'u1'), 8)); write('bad/y', idx(np.zeros(2, 'u1'), 8))" --y bad/y bad/a.idx
try "write('bad/a.idx.gz', gzip.compress(idx(np.zeros((3, 4), 'u1'), 8))[:-9])" --y none bad/a.idx.gz
try "write('bad/a.svm', b'1 1:2 1:3\n')" bad/a.svm
try "write('bad/a.svm', b'1 2\n')" bad/a.svm
try "write('bad/a.svm', b'1:2\n')" bad/a.svm
try "write('bad/a.svm', b'1,2 1:2\n')" bad/a.svm
try "write('bad/a.svm', b'1 1:x\n')" bad/a.svm
try "write('bad/a.svm', b'1 1:?\n')" bad/a.svm
try "write('bad/a.svm', b'1.5 1:2\n')" bad/a.svm
try "write('bad/a.svm', b'1 99999999:2\n')" bad/a.svm
try "write('bad/a.svm', b'1 9999999:2\n' * 1000)" bad/a.svm
try "write('bad/a.svm', b'')" bad/a.svm
try "write('bad/a1.svm', b'1 1:2\n'); write('bad/a2.svm', b'2 0:2\n')" -f libsvm --indices 2 bad
try "$ecg" -q bad/r.hea
try "$ecg; os.truncate('bad/r.atr', 3)" bad/r.hea
try "$ecg; write('bad/r.atr', annotations([(500, 22)]))" bad/r.hea
try "$ecg; os.remove('bad/r.atr')" bad/r.hea
try "$ecg; os.remove('bad/r.dat')" bad/r.hea
try "$ecg; write('bad/r.hea', b'r 2 360\nr.dat 16 200\n')" bad/r.hea
try "$ecg; write('bad/r.hea', b'r 1 360\nr.dat 80 200\n')" bad/r.hea
try "$ecg; write('bad/r.hea', b'r 1 360 1001\nr.dat 16 200\n')" bad/r.hea
try "$ecg; write('bad/r.dat', b'\0\x80' * 1000)" bad/r.hea
try "$ecg; write('bad/r.hea', b'r/3 1 360\nr.dat 16 200\n')" bad/r.hea
try "$ecg; write('bad/r.hea', b'r 1 360\n../r.dat 16 200\n')" bad/r.hea
try "$ecg" --lead MLII bad/r.hea
try "$ecg" --stride 5 bad/r.hea
try "mat_write('bad/a.mat', {'a': np.ones((3, 2)), 'b': np.ones((3, 2))})" bad/a.mat
try "mat_write('bad/a.mat', {'a': np.ones((3, 2))})" --variable z bad/a.mat
try "mat_write('bad/a.mat', {'x': np.ones((3, 2)), 'y': np.ones((2, 1))})" bad/a.mat
try "mat_write('bad/a.mat', {'x': np.ones((3, 2)), 'y': np.full((3, 1), .5)})" bad/a.mat
try "mat_write('bad/a.mat', {'note': 'words'})" bad/a.mat
two="mat_write('bad/a.mat', {'s': {'x': np.ones((3, 2)), 'z': np.ones((3, 2)), 'w': 'word'}, 'c': ['a', 'b', 'c']})"
try "$two" bad/a.mat
try "$two" --variable s bad/a.mat
try "$two" --variable c bad/a.mat
try "$two" --variable s.w bad/a.mat
try "$two" --variable s.x --y s bad/a.mat
try "$two; write('bad/a.mat', open('bad/a.mat', 'rb').read()[:-40])" --variable s.x bad/a.mat
try "write('bad/a.mat', b'MATLAB 7.3'.ljust(124) + b'\0\x02IM' + bytes(512))" bad/a.mat
seven="mat73_write('bad/a.mat', {'s': {'x': np.ones((3, 2)), 'z': np.ones((3, 2)), 'w': 'word'}, 'c': ['a', 'b']})"
try "$seven" bad/a.mat
try "$seven" --variable s bad/a.mat
try "$seven" --variable s.w bad/a.mat
try "mat73_write('bad/a.mat', {'s': {'x': np.ones((3, 2)), 'z': np.ones((3, 2))}}, False)" --variable s.x bad/a.mat
try "$seven; os.truncate('bad/a.mat', 3000)" --variable s.x bad/a.mat
seg="write('bad/r1.txt', b'1 2\n3 4\n5 6\n')"
segment() { words=$1 line=$2; shift 2; try "$words; write('labels', b'$line')" -f segments --segments labels --window \
    1 "$@"; }
segment "$seg" '1 7 1 3\n' -q --name-pattern 'r{recording}.txt' bad
segment "$seg" '1 7 1 4\n' --name-pattern 'r{recording}.txt' bad
segment "$seg" '1 7 0 3\n' --name-pattern 'r{recording}.txt' bad
segment "$seg" '2 7 1 3\n' --name-pattern 'r{recording}.txt' bad
segment "$seg" '7 3\n' --name-pattern 'r{recording}.txt' bad
segment "$seg" '1 7 1 3\n' bad
two_groups="$seg; write('bad/r1_2.txt', b'1 2\n3 4\n5 6\n'); os.rename('bad/r1.txt', 'bad/r1_1.txt')"
segment "$two_groups" '1 7 1 3\n' --name-pattern 'r{recording}_{group}.txt' bad
segment "$seg; write('bad/r01.txt', b'1 2\n')" '1 7 1 1\n' --name-pattern 'r{recording}.txt' bad
segment "$seg" '1 7 1 3\n' --name-pattern 'r{recording}_{label}.txt' bad
segment "$seg; write('bad/s1.txt', b'1 2\n')" '1 7 1 3\n' --name-pattern '{channels:d}{recording}.txt' bad
segment "write('bad/a1.txt', b'1 2\n3 4\n'); write('bad/b1.txt', b'1\n')" '1 7 1 2\n' --name-pattern \
    '{channels}{recording:d}.txt' bad
try "write('bad/c/a.ppm', b'P6 5 4 255\n')" -f images bad
try "write('bad/c/a.ppm', b'P6 99999 99999 255\n')" -f images bad
try "write('bad/c/a.bmp', b'BM' + bytes(30))" -f images bad
try "write('bad/c/a.bmp', b'BM' + struct.pack('<IHHI', 0, 0, 0, 54) + "\
"struct.pack('<IiiHHIIiiII', 40, 5, 5, 1, 24, 0, 0, 0, 0, 0, 0))" -f images bad
try "write('bad/c/a.webp', b'RIFF\\1\\0\\0\\0WEBPVP8 ')" -f images bad
try "write('bad/c/a.gif', b'GIF89a'); write('bad/c/b.ppm', b'P6 1 1 255\nabc')" -f images bad
try "write('bad/c/a.gif', b'GIF89a'); write('bad/c/b.ppm', b'P6 1 1 255\nabc'); write('bad/c/c.png', b'x')" -f images \
    --skip-bad --size 1 bad
