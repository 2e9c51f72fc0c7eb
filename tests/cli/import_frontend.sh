# --front-end: features against librosa's published definitions in NumPy; data files and models carry the front-end,
# and a model refuses data of another.
python=$(command -v /usr/bin/python3 python3 | head -1)
export PYTHONPATH="$TOP/tests/foreign"
cat >definitions.py <<'EOF'
"""librosa's definitions: melspectrogram(center=False, power=2), power_to_db(top_db=None), mfcc."""
import numpy as np
def mel_of(f): return np.where(f < 1000, f * 3 / 200, 15 + np.log(np.maximum(f, 1e-9) / 1000) / (np.log(6.4) / 27))
def hz_of(m): return np.where(m < 15, m * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (m - 15)))
def filters(rate, fft, bands):
    edges = hz_of(np.linspace(0, mel_of(rate / 2), bands + 2))
    ramps = edges[:, None] - np.arange(fft // 2 + 1) * rate / fft
    width = np.diff(edges)[:, None]
    triangles = np.maximum(0, np.minimum(-ramps[:-2] / width[:-1], ramps[2:] / width[1:]))
    return triangles * 2 / (edges[2:] - edges[:-2])[:, None]
def logmel(x, rate, frame, hop, bands):
    fft = 1 << (frame - 1).bit_length()
    frames = np.lib.stride_tricks.sliding_window_view(x / 32768, frame)[::hop]
    hann = .5 - .5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    power = np.abs(np.fft.rfft(frames * hann, fft)) ** 2
    return 10 * np.log10(np.maximum(1e-10, power @ filters(rate, fft, bands).T)).T
def mfcc(levels, n):
    bands = len(levels)
    k, b = np.arange(n)[:, None], np.arange(bands)
    scale = np.where(k, 2, 1) / bands
    return np.sqrt(scale) * np.cos(np.pi * k * (2 * b + 1) / (2 * bands)) @ levels
EOF
$python - <<'EOF' || exit
import struct, subprocess, wave
from foreign import *
from definitions import *
rng = np.random.default_rng(5)
def sound(path, x, rate):
    with wave.open(path, 'wb') as w:
        w.setnchannels(1 if x.ndim == 1 else x.shape[1]); w.setsampwidth(2); w.setframerate(rate)
        w.writeframes(x.astype('<i2').tobytes())
def imported(shape, *options):
    subprocess.run(['qc-import', '-q', '-f', 'wav', '-o', 'out.qcd', *options], check=True)
    return qcd_values('out.qcd', int(np.prod(shape))).reshape(shape)
def near(a, b): # within 60 dB of a frame's largest band
    heard = b > b.max(0) - 60
    assert np.abs(a - b)[heard].max() < .02, np.abs(a - b)[heard].max()
for rate in (8000, 16000):
    t = np.arange(rate) / rate
    x = np.round(9000 * np.exp(-3 * t) * np.sin(2 * np.pi * (200 + 900 * t) * t) + rng.normal(0, 30, rate))
    x[:rate // 10] = 0
    sound('a.wav', x, rate)
    frame, hop = rate // 40, rate // 100
    want = logmel(x, rate, frame, hop, 40)
    assert want.shape == (40, 98) and (want[:, :6] == -100).all()
    near(imported((40, 98), '--front-end', 'logmel', 'a.wav'), want)
    near(imported((64, 56), '--front-end', f'logmel:bands=64,frame=32ms,hop={rate * 7 // 400}', 'a.wav'),
         logmel(x, rate, rate * 4 // 125, rate * 7 // 400, 64))
    got = imported((13, 98), '--front-end', 'mfcc', 'a.wav')
    assert np.abs(got - mfcc(want, 13)).max() < .02
    assert np.abs(imported((40, 98), '--front-end', 'mfcc:coefficients=40', 'a.wav') - mfcc(want, 40)).max() < .02
# windows: each as if it were a sound of its own; both channels; padding is silence
x = rng.normal(0, 3000, (9000, 2)).round()
sound('b.wav', x, 8000)
mean = x.mean(1).round()
got = imported((3, 20, 48), '--front-end', 'logmel:bands=20', '--mono', '--window', '500ms', '--stride', '2000',
               'b.wav')
for k in range(3): near(got[k], logmel(mean[2000 * k:2000 * k + 4000], 8000, 200, 80, 20))
got = imported((20, 123), '--front-end', 'logmel:bands=20', '--mono', '--unequal', 'pad', '--length', '10000', 'b.wav')
assert (got[:, -10:] == -100).all() and (got[:, -14] > -100).all()
# raw samples of any type give the features of the sound file with these samples
x = rng.normal(0, 3000, 4000).round()
sound('raw.wav', x, 8000)
want = imported((40, 48), '--front-end', 'logmel', 'raw.wav')
for kind, values in (('i16', x.astype('<i2')), ('u16', (x + 32768).astype('<u2')), ('f32', (x / 32768).astype('<f4')),
                     ('i32', (x * 65536).astype('<i4')), ('f64', x / 32768)):
    values.tofile('x.raw')
    subprocess.run(['qc-import', '-q', '-f', 'raw', '--type', kind, '--rate', '8000', '--front-end', 'logmel',
                    '-o', 'raw.qcd', 'x.raw'], check=True)
    assert (qcd_values('raw.qcd', want.size).reshape(want.shape) == want).all(), kind
x = np.zeros(8000); x[::97] = 32767 # the largest values
sound('d_one.wav', x, 8000); sound('d_two.wav', -x[::-1] - 1, 8000)
loud = x.astype('<f4').tobytes() # a float file of whole numbers
with open('loud.wav', 'wb') as f:
    f.write(b'RIFF' + struct.pack('<I', 36 + len(loud)) + b'WAVEfmt ' +
            struct.pack('<IHHIIHH', 16, 3, 1, 8000, 32000, 4, 32) + b'data' + struct.pack('<I', len(loud)) + loud)
EOF
echo features agree
for what in fbank logmel: logmel:band=3 logmel:bands=300 logmel:bands=250 logmel:frame=2 logmel:frame=25.3ms \
    logmel:hop logmel:hop=0 logmel:coefficients=3 mfcc:coefficients=41; do
    qc-import -q -f wav --front-end $what -o none.qcd a.wav; echo "$what: status $?"
done 2>&1
qc-import -q -f wav --front-end logmel -o none.qcd b.wav 2>&1
qc-import -q -f wav --front-end logmel --window 100 --mono -o none.qcd b.wav 2>&1
qc-import -q -f wav --front-end logmel --unequal pad -o none.qcd b.wav 2>&1
qc-import -q -f npy --front-end logmel -o none.qcd b.wav 2>&1
qc-import -q -f raw --type i16 --front-end logmel -o none.qcd x.raw 2>&1
qc-import -q -f wav --front-end logmel -o none.qcd loud.wav 2>&1
qc-import -q -f wav --rate 1e9 -o none.qcd a.wav 2>&1
# a data file and what is made of it
get() { qc-import -q -f wav --name-pattern 'd_{label}.wav' --window 1000 --stride 500 "$@"; }
get --front-end logmel:bands=8 -o d.qcd . && get --front-end mfcc:coefficients=8 -o other.qcd . || exit
printf 'name: tiny\nlayers:\n  - conv: 4\n    kernel: 3\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d d.qcd -o float.qcm
qc-coreset -q -n 4 -d d.qcd -o core.qcd
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d d.qcd -o q.qcm float.qcm >words 2>&1
qc-calibrate -q -c core.qcd -s d.qcd --batches 2 -C new.qcd -o new.qcm q.qcm >words
qc-split -q -t 0.5 -o train.qcd -O test.qcd d.qcd
for file in d.qcd float.qcm core.qcd q.qcm new.qcm new.qcd train.qcd test.qcd other.qcd; do
    echo "$file $(qc-info $file | grep front_end)"
done
qc-export -q -f onnx -o net.onnx float.qcm && qc-import -q --labels-from d.qcd -o back.qcm net.onnx &&
    echo "back.qcm $(qc-info back.qcm | grep front_end)"
qc-eval -d other.qcd q.qcm 2>&1
qc-export -q -f npz -o d.npz d.qcd && qc-import -q -o plain.qcd d.npz && qc-eval -d plain.qcd q.qcm 2>&1
qc-train -q --threads 1 --epochs 1 -a tiny.yaml -d plain.qcd -o plain.qcm # a model of unknown features takes any
qc-eval --json -d d.qcd plain.qcm | grep -c accuracy
# sound as it comes: the same answers as for windows of the same samples
get --front-end logmel:bands=8 --window 1000 --stride 880 -o live.qcd . # 11 frames of 80 samples
qc-run -d live.qcd q.qcm 2>words | awk 'NR > 1 && NR < 10 { print $2, $3, $4, $5 }' >windows
tail -c +45 d_one.wav >one.i16
qc-run --raw i16 q.qcm <one.i16 2>words | awk 'NR > 1 { print $3, $4, $5, $6 }' >stream
qc-run --raw i16 --stride 1 q.qcm <one.i16 2>words | awk 'NR > 1 && (NR - 2) % 11 == 0 { print $3, $4, $5 }' >often
cmp stream windows && cut -d ' ' -f 1-3 stream | cmp - often && [ "$(wc -l <stream)" -eq 8 ] &&
    echo sound is predicted as it comes
qc-run --raw i16 q.qcm <one.i16 2>words | awk 'NR == 3 { print $2 }' # 1000 + 880 samples
qc-run --raw f32 q.qcm <one.i16 2>&1
qc-run q.qcm <one.i16 2>&1
qc-run --raw i16 --rate 16000 q.qcm <one.i16 2>&1
exit 0
