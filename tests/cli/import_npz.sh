# NumPy's arrays against NumPy itself: every kind of number, both byte orders, both memory orders, all versions; then
# what is refused.
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
$python - <<'END' || exit
import io, subprocess, zipfile
import numpy as np
from foreign import *

def imported(path, *options):
    subprocess.run(['qc-import', '-q', *options, '-o', 'out.qcd', path], check=True)
    return open('out.qcd', 'rb').read()

rng = np.random.default_rng(1)
y = np.array(['sit', 'walk', 'sit', 'Läufer'])
for kind in ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'):
    for order in '<>':
        for fortran in (False, True):
            for version in ((1, 0), (2, 0), (3, 0)) if kind == 'f4' else ((1, 0),):
                x = (rng.normal(size=(4, 3, 5)) * 50).astype('i8' if kind[0] in 'ib' else 'f8')
                x = (np.abs(x) if kind[0] == 'u' else x).astype(order + kind)
                x = np.asfortranarray(x) if fortran else x
                with open('x.npy', 'wb') as f:
                    np.lib.format.write_array(f, x, version)
                imported('x.npy')
                stored = qcd_values('out.qcd', 60).reshape(4, 3, 5)
                assert np.array_equal(stored, x.astype('f4')), (kind, order, fortran, version)
x = rng.normal(size=(4, 3, 5)).astype('f4')
for save in (np.savez, np.savez_compressed):
    for labels in (y, y.astype('S') if y.astype('U4').tolist() == y.tolist() else y,
                   np.array([3, -1, 3, 10], '>i2'), np.array([1., 2, 1, 10])):
        save('a.npz', x=x, y=labels)
        whole = imported('a.npz')
        assert np.array_equal(qcd_values('out.qcd', 60).reshape(x.shape), x)
        info = subprocess.run(['qc-info', 'out.qcd'], capture_output=True, text=True).stdout
        for name in set(labels.tolist()):
            text = int(name) if isinstance(name, float) else name
            assert f"  {text}: {labels.tolist().count(name)}\n" in info, (name, info)
# files so large that memory is returned while they are read: from a file, a pipe, deflated; the labels come first
x, y = rng.normal(size=(700, 10, 100)).astype('f4'), np.arange(700) % 7
for save in (np.savez, np.savez_compressed):
    save('large.npz', y=y, x=x)
    for source in ('large.npz', '-'):
        with open('large.npz') as f:
            subprocess.run(['qc-import', '-q', '-f', 'npz', '-o', 'out.qcd', source], check=True, stdin=f)
        subprocess.run(['qc-export', '-q', '-f', 'npz', '-o', 'back.npz', 'out.qcd'], check=True)
        back = np.load('back.npz')
        assert np.array_equal(back['x'], x) and back['label_names'][back['y']].tolist() == list(map(str, y)), source
y = np.array(['sit', 'walk', 'sit', 'Läufer'])
x = rng.normal(size=(4, 3, 5)).astype('f4')
# a pipe, other names, other layouts; zip members made by streaming have their lengths behind them
with open('piped.npz', 'wb') as f:
    class Pipe(io.RawIOBase):
        def writable(self): return True
        def write(self, data): return f.write(data)
    with zipfile.ZipFile(Pipe(), 'w', zipfile.ZIP_DEFLATED) as z:
        with z.open('signals.npy', 'w', force_zip64=True) as member:
            np.lib.format.write_array(member, x.transpose(0, 2, 1))
        for name, values in (('who.npy', np.array(['p1', 'p2', 'p1', 'p2'])), ('y.npy', y)):
            member = io.BytesIO()
            np.save(member, values)
            z.writestr(name, member.getvalue())
options = ('-f', 'npz', '--x', 'signals', '--channels-last', '--group-column', 'who')
whole = imported('piped.npz', *options)
assert np.array_equal(qcd_values('out.qcd', 60).reshape(x.shape), x)
assert subprocess.run(['qc-import', *options], stdin=open('piped.npz', 'rb'), capture_output=True).stdout == whole
imported('piped.npz', *options, '-g', 'p2')
assert np.array_equal(qcd_values('out.qcd', 30).reshape(2, 3, 5), x[1::2])
np.save('rows.npy', x.reshape(4, 15)), np.save('y.npy', y)
imported('rows.npy', '--channels', '3', '--y', 'y.npy')
assert np.array_equal(qcd_values('out.qcd', 60).reshape(x.shape), x)
images = rng.integers(0, 256, (4, 6, 7, 3)).astype('u1')
np.savez('images.npz', images)
imported('images.npz', '--channels-last')
assert np.array_equal(qcd_values('out.qcd', images.size).reshape(4, 3, 6, 7), images.transpose(0, 3, 1, 2).astype('f4'))
END
qc-info out.qcd | sed -n '/^window/,/^classes/p'
try() { # try WORDS-OF-PYTHON OPTIONS...: what they save as x.npy or a.npz
    rm -f x.npy a.npz
    $python -c "
import numpy as np, struct, zipfile, io
x = np.ones((4, 3, 5), 'f4')
def head(text, version=1):
    length = struct.pack('<H' if version == 1 else '<I', len(text))
    return b'\x93NUMPY' + bytes([version, 0]) + length + text.encode()
def raw(text, data=b'', version=1): open('x.npy', 'wb').write(head(text, version) + data)
def change(at, byte, name='a.npz'): d = bytearray(open(name, 'rb').read()); d[at] = byte; open(name, 'wb').write(d)
$1" || exit
    echo "$1"
    shift
    qc-import -o out.qcd "$@" [ax].np[yz] 2>&1
    echo "status $?"
}
try "np.save('x.npy', np.array([[1, 'a']], dtype=object))"
try "np.save('x.npy', np.zeros(3, dtype=[('a', 'f4')]))"
try "np.save('x.npy', x.astype('c8'))"
try "np.save('x.npy', np.ones(4))"
try "np.save('x.npy', np.ones((4, 0)))"
try "x[2, 1, 3] = np.nan; np.save('x.npy', x)"
try "np.save('x.npy', x.astype('f8') * 1e31)"
try "np.save('x.npy', x); open('x.npy', 'r+b').truncate(300)"
try "open('x.npy', 'wb').write(b'no array')"
try "raw(\"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000, 1000000), }\")"
try "raw(\"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2)}\", bytes(31))"
try "raw(\"{'descr': '<f4', 'shape': (4, 2)}\", bytes(32))"
try "raw(\"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), 'shape': (2, 4)}\", bytes(32))"
try "raw(\"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2)} + 1\", bytes(32), 2)"
try "raw('{}', b'', 4)"
try "np.savez('a.npz', z=x, w=x)"
try "np.savez('a.npz', x=x)" --y labels
try "np.savez('a.npz', x=x, y=np.arange(3))"
try "np.savez('a.npz', x=x, y=np.array([.5] * 4))"
try "np.savez('a.npz', x=x, y=np.arange(4), label_names=np.array(['a', 'b', 'c']))"
try "np.savez('a.npz', x=x, id=np.array([1, 2, 3, 1]))"
try "np.savez('a.npz', x=x); open('a.npz', 'r+b').truncate(200)"
try "np.savez('a.npz', x=x); change(200, 7)"
try "np.savez_compressed('a.npz', x=np.arange(60.).reshape(4, 15)); change(60, 7)"
try "np.savez('a.npz', x=x); change(0, 0)"
# a bomb: 300 KB that inflate to 300 MB
try "np.savez_compressed('a.npz', x=np.zeros((300, 250000), 'f4'))"
try "np.savez('a.npz', x=x)" --window-column 1
try "np.savez('a.npz', x=x)" --unequal pad
try "np.savez('a.npz', x=x)" -g p1
try "np.savez('a.npz', x=x, activity=np.arange(4))"
