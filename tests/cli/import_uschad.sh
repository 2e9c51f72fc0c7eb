# USC-HAD: both spellings of the field, both byte orders, plain and compressed. The windows equal the windows of an
# independent reader; broken files are refused.
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
$python - <<'END' || exit
import os, zlib, struct
import numpy as np
from foreign import *
rng = np.random.default_rng(1)
for s, a, t, rows, kind in ((1, 1, 1, 250, 0), (1, 2, 1, 99, 1), (2, 1, 1, 100, 2), (2, 10, 2, 230, 3)):
    os.makedirs(f'tree/Subject{s}', exist_ok=True)
    x = rng.normal(size=(rows, 6))
    np.save(f'Subject{s}-a{a}t{t}.npy', x)
    key = 'activity_numbr' if kind == 3 else 'activity_number'
    values = {'title': 'x', key: str(a) if kind else np.array([[a]]), 'sensor_readings': x}
    mat_write(f'tree/Subject{s}/a{a}t{t}.mat', values, kind < 2, '>' if kind == 2 else '<')
END
for jobs in 1 3; do qc-import --window 1s --stride 50 --threads $jobs --json -o $jobs.qcd tree || exit; done
cmp 1.qcd 3.qcd || exit
qc-info 1.qcd | sed -n '/^labels/,/^recordings/p'
$python - <<'END' || exit
import numpy as np
from foreign import *
expected = []
for name in ('Subject1-a1t1', 'Subject2-a1t1', 'Subject2-a10t2'):
    x = np.load(name + '.npy')
    expected += [x[k:k + 100].T for k in range(0, len(x) - 99, 50)]
expected = np.array(expected, 'f4')
assert np.array_equal(qcd_values('1.qcd', expected.size).reshape(expected.shape), expected)
END
qc-import -f uschad -g Subject2 --window 100 -o 2.qcd tree/Subject2 || exit
qc-import -f uschad -g Subject2 --window 100 tree 2>/dev/null | cmp - 2.qcd || exit
try() {
    echo "\$ qc-import $*"
    qc-import -o out.qcd "$@" 2>&1
    echo "status $?"
}
try -f uschad --window 3s tree
try -f uschad --window 0.001s tree
try -f uschad --window 1.5 tree
try -f uschad --window ten tree
try -f uschad -g Subject3 tree
try -f uschad --channels 3 tree
try -f uschad .
try -f uschad 1.qcd
break_it() { # break_it PYTHON: writes a1t1 anew, then imports it
    $python -c "
import numpy as np, zlib, struct
from foreign import *
p, x, good = 'one/Subject1/a1t1.mat', np.ones((200, 6)), {'activity_number': '1'}
$1" || exit
    echo "$1" | head -1
    qc-import -f uschad --window 100 -o out.qcd one 2>&1
    echo "status $?"
}
mkdir -p one/Subject1
break_it "mat_write(p, dict(good, sensor_readings=x))"
break_it "mat_write(p, dict(good, sensor_readings=x)); open(p, 'r+b').truncate(300)"
break_it "mat_write(p, dict(good, sensor_readings=x), False); open(p, 'r+b').truncate(1000)"
break_it "mat_write(p, dict(good, sensor_readings=x[:, :5]))"
break_it "mat_write(p, dict(good, sensor_readings='text'))"
break_it "mat_write(p, good)"
break_it "mat_write(p, dict(sensor_readings=x))"
break_it "mat_write(p, dict(activity_number='2', sensor_readings=x))"
for right in name field; do qc-import -q -f uschad --trust $right --window 100 -o out.qcd one && qc-info out.qcd |
    sed -n '/^labels/,/^unlabelled/p'; done
break_it "mat_write(p, dict(activity_number='13', sensor_readings=x))"
break_it "mat_write(p, dict(activity_number='one', sensor_readings=x))"
break_it "x[7, 3] = np.nan; mat_write(p, dict(good, sensor_readings=x))"
break_it "x[7, 3] = 1e31; mat_write(p, dict(good, sensor_readings=x))"
break_it "mat_write(p, dict(good, sensor_readings=x), dims=(2000000000, 6))"
break_it "mat_write(p, dict(good, sensor_readings=x), False, dims=(400, 6))"
break_it "open(p, 'w').write('activity_number = 1')"
break_it "open(p, 'w').write('')"
break_it "open(p, 'wb').write(b'MATLAB 7.3'.ljust(124) + b'\0\x02IM' + bytes(512))"
# a decompression bomb: 200 KB that inflate to 200 MB, with correct declarations
break_it "mat_write(p, dict(good, sensor_readings=np.zeros((4500000, 6))))"
rm one/Subject1/a1t1.mat && mkfifo one/Subject1/a1t1.mat && qc-import -f uschad one
echo "status $?"
# every value of the real files of one subject
[ -f "$QC_DATA/usc-had/Subject1.tar" ] || { echo "skipped: $QC_DATA/usc-had is not there" >&2; exit 0; }
mkdir real && tar -xf "$QC_DATA/usc-had/Subject1.tar" -C real --wildcards '*/a1*' || exit
qc-import -q -o real.qcd real || exit
$python - <<'END' >&2
import glob, re
import numpy as np
from foreign import *
expected = []
for path in sorted(glob.glob('real/Subject1/*.mat'), key=lambda p: [int(n) for n in re.findall(r'\d+', p)]):
    x = mat_read(path)['sensor_readings'].astype('f4')
    expected += [x[k:k + 500].T for k in range(0, len(x) - 499, 500)]
expected = np.array(expected)
assert np.array_equal(qcd_values('real.qcd', expected.size).reshape(expected.shape), expected)
END
