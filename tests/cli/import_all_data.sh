# Every set of the shared data, as it unpacks, with one command each: counts and values equal the results of independent
# readers in Python.
[ -d "$QC_DATA/gas-drift" ] || { echo "$QC_DATA/gas-drift is not there" >&2; exit 77; }
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
unpack() { mkdir -p "$1" && zstd -dcq "$QC_DATA/$2" | tar -xf - -C "$1" || exit; }
get() { echo "$1:"; shift; qc-import -q --json "$@" || exit; }
unpack gas gas-drift/batches-1-6.tar.zst
get gas -f libsvm --name-pattern 'batch{group}.dat' -o gas.qcd gas
mkdir fsdd && tar -xf "$QC_DATA/fsdd/recordings.tar" -C fsdd || exit
get fsdd -f wav --name-pattern '{label}_{group}_{recording}.wav' --unequal pad -o fsdd.qcd fsdd
unpack myo myo/people.tar.zst
get myo -f raw --type i16 --channels 8 --interleaved --window 52 --stride 5 --name-pattern \
    '{group}/{recording}/classe_{label%7}.dat' -o myo.qcd myo
unpack ecg mit-bih/records.tar.zst
get ecg -f wfdb --lead MLII -o ecg.qcd ecg
# the archive starts after 63 other bytes
mkdir hapt && zstd -dcq "$QC_DATA/hapt/hapt-users-1-9.tar.zst" | tail -c +64 | tar -xf - -C hapt || exit
get hapt -f segments --segments hapt/Raw-Data/labels.txt --name-pattern '{channels}_exp{recording}_user{group}.txt' \
    --label-names hapt/activity_labels.txt \
    --window 128 --stride 64 -o hapt.qcd hapt/Raw-Data
unpack digits digits/usps-mnist.tar.zst
get usps -f csv --image 16x16 -o usps.qcd digits/zip.train
get mnist -o mnist.qcd digits/t10k-images-idx3-ubyte.gz
mkdir office && for domain in amazon webcam dslr; do tar -xf "$QC_DATA/office-caltech/$domain.tar" -C office ||
    exit; done
get office --size 16 -o office.qcd office
mkdir usc && for k in 1 2 3 4 5 6; do tar -xf "$QC_DATA/usc-had/Subject$k.tar" -C usc || exit; done
get usc -o usc.qcd usc
unpack dsa dsa/p1.tar.zst
get dsa -o dsa.qcd dsa
for name in ArrowHead_TRAIN.ts BasicMotions_TRAIN.arff BasicMotions_TRAIN.ts GunPoint_TRAIN.tsv \
    ItalyPowerDemand_TEST.ts; do get $name -o ucr.qcd "$QC_DATA/ucr/$name"; done
get JapaneseVowels_TRAIN.ts --unequal pad -o ucr.qcd "$QC_DATA/ucr/JapaneseVowels_TRAIN.ts"
$python - <<'END' >&2
import glob, gzip, os, re, struct, wave
import numpy as np
from foreign import *
from collections import Counter

def imported(name, *shape): return qcd_values(name + '.qcd', int(np.prod(shape))).reshape(shape)
def same(a, b): assert np.array_equal(a, np.asarray(b).astype('f4')), (a.shape, np.asarray(b).shape)
def number(path): return [int(n) for n in re.findall(r'\d+', path)]

rows = [line.split()[1:] for b in range(1, 7) for line in open(f'gas/batch{b}.dat')]
same(imported('gas', len(rows), 128), np.array([[float(p.split(':')[1]) for p in row] for row in rows]))

def sound(path):
    with wave.open(path) as w: return np.frombuffer(w.readframes(w.getnframes()), '<i2') / 32768
def natural(path): return [int(t) if t.isdigit() else t for t in re.findall(r'\d+|\D+', path)]
sounds = [sound(p) for p in sorted(glob.glob('fsdd/*.wav'), key=natural)]
longest = max(map(len, sounds))
same(imported('fsdd', len(sounds), longest), np.array([np.pad(s, (0, longest - len(s))) for s in sounds]))

windows = 0
for path in glob.glob('myo/*/*/*.dat'): windows += (os.path.getsize(path) // 16 - 52) // 5 + 1
first = np.fromfile('myo/Female0/Test0/classe_0.dat', '<i2').reshape(-1, 8)
x = imported('myo', windows, 8, 52)
for k in (0, 1, 20): same(x[k], first[5 * k:5 * k + 52].T)

def record(name):
    raw = np.fromfile(f'ecg/{name}.dat', 'u1').reshape(-1, 3).astype('i4')
    a, b = raw[:, 0] | (raw[:, 1] & 15) << 8, raw[:, 2] | (raw[:, 1] & 240) << 4
    s = np.stack([a, b], 1)
    s = np.where(s > 2047, s - 4096, s)
    lead = 0 if 'MLII' in open(f'ecg/{name}.hea').read().splitlines()[1] else 1
    words, at, time, beats = np.fromfile(f'ecg/{name}.atr', '<u2'), 0, 0, []
    while words[at]:
        code, value = int(words[at]) >> 10, int(words[at]) & 1023
        at += 1
        if code == 59: time += int(words[at]) << 16 | int(words[at + 1]); at += 2
        elif code == 63: at += (value + 1) // 2
        elif code < 60:
            time += value
            if code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 30, 34, 35, 38, 41): beats.append(time)
    return [(s[t - 128:t + 128, lead] - 1024) / 200 for t in beats if t >= 128 and t + 128 <= len(s)]
names = sorted(os.path.basename(p)[:-4] for p in glob.glob('ecg/*.hea'))
expected = np.array([w for name in names for w in record(name)])
assert np.abs(imported('ecg', *expected.shape) - expected).max() < 1e-6

expected = []
for exp, user, label, first, last in (map(int, line.split()) for line in open('hapt/Raw-Data/labels.txt')):
    names = [f'hapt/Raw-Data/{kind}_exp{exp:02}_user{user:02}.txt' for kind in ('acc', 'gyro')]
    if not os.path.exists(names[0]): continue
    x = record.__dict__.setdefault(names[0], None)
    if x is None: x = record.__dict__[names[0]] = np.hstack([np.loadtxt(n) for n in names])
    expected += [x[k:k + 128].T for k in range(first - 1, last - 127, 64)]
same(imported('hapt', len(expected), 6, 128), np.array(expected))

x = np.loadtxt('digits/zip.train')
same(imported('usps', len(x), 256), x[:, 1:])
x = np.frombuffer(gzip.open('digits/t10k-images-idx3-ubyte.gz').read(), 'u1')[16:]
same(imported('mnist', len(x)), x)
x = np.array([np.loadtxt(f'dsa/a{a:02}/p1/s{s:02}.txt', delimiter=',').T for a in (1, 19) for s in (1, 60)])
y = imported('dsa', 1140, 45, 125)
same(y[[0, 59, 1080, 1139]], x)
