# Export and import of weights: NumPy and safetensors files of every float type, for a model or for an architecture.
# Weights that do not fit are refused.
python=$(command -v /usr/bin/python3 python3 | head -1)
$python -c 'import numpy' 2>/dev/null || { echo 'python3-numpy is missing' >&2; exit 77; }
qc-synth -q --subjects 1 --activities 3 --windows 8 --channels 3 --length 24 -o data.qcd || exit
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - batchnorm\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 2 -a tiny.yaml -d data.qcd -o fp.qcm || exit
qc-export -q -f npz -o w.npz fp.qcm && qc-export -q -f safetensors <fp.qcm >w.safetensors || exit
$python - <<'END' || exit
import json, struct
import numpy as np
a = np.load('w.npz')
b = open('w.safetensors', 'rb').read()
n, = struct.unpack_from('<Q', b)
header = json.loads(b[8:8 + n])
for k, v in header.items():
    lo, hi = v['data_offsets']
    values = np.frombuffer(b[8 + n + lo:8 + n + hi], '<f4').reshape(v['shape'])
    assert v['dtype'] == 'F32' and np.array_equal(values, a[k]), k
print({k: a[k].shape for k in a.files})


def save(name, arrays, dtype='F32', kind='<f4', **other):
    entries, data = {'__metadata__': {'format': 'pt'}, **other}, b''
    for k, v in arrays.items():
        v = np.ascontiguousarray(v, '<f4')
        raw = ((v.view('<u4') >> 16).astype('<u2') if dtype == 'BF16' else v.astype(kind)).tobytes()
        entries[k] = {'dtype': dtype, 'shape': list(v.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(entries, separators=(',', ':')).encode()
    open(name + '.safetensors', 'wb').write(struct.pack('<Q', len(text)) + text + data)


arrays = {k: np.round(a[k] * 64) / 64 for k in a.files}  # exact in every float
save('f32', arrays)
save('f64', arrays, 'F64', '<f8')
save('f16', arrays, 'F16', '<f2')
save('bf16', arrays, 'BF16')
np.savez_compressed('f64.npz', **{k: np.asfortranarray(v.astype('>f8')) for k, v in reversed(arrays.items())},
                    **{'x.num_batches_tracked': 7})
first = a.files[0]
save('missing', {k: v for k, v in arrays.items() if k != first})
save('more', {**arrays, 'other.weight': np.zeros(3)})
save('shape', {**arrays, first: np.zeros((6, 3, 4))})
save('nan', {**arrays, first: arrays[first] * np.nan})
save('kind', arrays, 'I64', '<i8')
open('deep.safetensors', 'wb').write(struct.pack('<Q', 8000) + b'{' + b'"a":{' * 1599 + b'    ')
open('cut.safetensors', 'wb').write(b[:-1])
open('huge.safetensors', 'wb').write(struct.pack('<Q', 1 << 60) + b[8:])
END
for format in npz safetensors; do qc-import -q --like fp.qcm -o $format.qcm w.$format &&
    qc-export -q -f npz $format.qcm | cmp - w.npz || exit; done
for name in f32 f64 f16; do qc-import -q --like fp.qcm -o $name.qcm $name.safetensors &&
    qc-export -q -f npz -o $name.out $name.qcm || exit; done
qc-import -q -f npz --like fp.qcm -o n64.qcm f64.npz && qc-export -q -f npz -o n64.out n64.qcm || exit
cmp f32.out f64.out && cmp f32.out f16.out && cmp f32.out n64.out && echo 'every float gives the same'
qc-import -q --like fp.qcm -o bf16.qcm bf16.safetensors && echo 'and bfloat16 is read'
printf 'a\nb\nc\n' >labels
qc-import -a tiny.yaml --shape 3,24 --labels labels --mean 1 --std 2 -o arch.qcm w.safetensors &&
    qc-export -q -f npz arch.qcm | cmp - w.npz && qc-info arch.qcm | grep -c 'mean 1, deviation 2'
try() { qc-import "$@" -o no.qcm; echo $?; }
for name in missing more shape nan kind deep cut huge; do try --like fp.qcm $name.safetensors; done
try w.safetensors
try --like fp.qcm -a tiny.yaml w.safetensors
try -a tiny.yaml w.safetensors
try -a tiny.yaml --shape 4,24 --labels labels w.npz
try --like fp.qcm --mean 1 w.npz
try --like fp.qcm --width .5 w.npz
try -f csv --like fp.qcm w.npz
try --like none.qcm w.npz
qc-quantize --force -q -b 4 --epochs 0 --threads 1 -d data.qcd -o q.qcm fp.qcm >words || exit
try --like q.qcm w.npz
printf 'up\ndown\nstill\n' >three
qc-train -q --threads 1 --epochs 1 -a tiny.yaml --width 2 -d data.qcd -o wide.qcm &&
    qc-export -q -f npz -o wide.npz wide.qcm || exit
qc-import -q -a tiny.yaml --width 2 --shape 3,24 --labels three -o again.qcm wide.npz &&
    qc-export -q -f npz -o again.npz again.qcm && cmp wide.npz again.npz || exit
qc-export -f safetensors -o no.qcm q.qcm
echo $?
[ -e no.qcm ] && echo 'something was written'
exit 0
