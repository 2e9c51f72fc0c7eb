# Small trees in the documented layouts of UCI-HAR, WISDM v1.1 and PAMAP2: qc-import reads the values that were written.
# Malformed lines are refused.
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
try() {
    echo "\$ qc-import $*"
    qc-import -o out.qcd "$@" 2>&1
    echo "status $?"
}
spoil() { # spoil FILE LINE TEXT COMMAND...: runs the command while that line of the file is the text
    cp "$1" kept
    awk -v line="$2" -v text="$3" 'NR == line { if (text != "-") print text; next } { print }' kept >"$1"
    echo "$(basename "$1"):$2 '$(echo "$3" | cut -c1-60)'"
    file=$1
    shift 3
    "$@"
    cp kept "$file"
}

# --- UCI-HAR
$python - <<'END' || exit
import os
import numpy as np
rng = np.random.default_rng(1)
root = 'har/UCI HAR Dataset'
names = [s + a for s in ('total_acc_', 'body_acc_', 'body_gyro_') for a in 'xyz']
for part, subject, y in (('train', [1, 1, 1, 3, 3], [5, 5, 4, 4, 4]), ('test', [2, 2], [4, 12])):
    os.makedirs(f'{root}/{part}/Inertial Signals')
    x = rng.normal(size=(len(y), 9, 8))
    np.save(part + '.npy', x)
    for c, name in enumerate(names):
        np.savetxt(f'{root}/{part}/Inertial Signals/{name}_{part}.txt', x[:, c], fmt=' %.7e')
    np.savetxt(f'{root}/{part}/y_{part}.txt', y, fmt='%d')
    np.savetxt(f'{root}/{part}/subject_{part}.txt', subject, fmt='%d')
open(root + '/activity_labels.txt', 'w').write('4 SITTING\n5 STANDING\n12 LAYING DOWN\n')
END
for jobs in 1 3; do qc-import --threads $jobs --json -o $jobs.qcd har || exit; done
cmp 1.qcd 3.qcd || exit
qc-info 1.qcd | sed -n '/^labels/,/^recordings/p'
$python -c "
import numpy as np
from foreign import *
x = np.concatenate([np.load('train.npy'), np.load('test.npy')])
assert np.allclose(qcd_values('1.qcd', x.size).reshape(x.shape), x, rtol=1e-6)" || exit
qc-import -g 3 -o 3.qcd har || exit
$python -c "
import numpy as np
from foreign import *
assert np.allclose(qcd_values('3.qcd', 2 * 72).reshape(2, 9, 8), np.load('train.npy')[3:], rtol=1e-6)" || exit
qc-import --json -o test.qcd 'har/UCI HAR Dataset/test' || exit
try -f ucihar -g 9 har
try -f ucihar --window 4 har
root='har/UCI HAR Dataset' signals='har/UCI HAR Dataset/train/Inertial Signals'
spoil "$root/activity_labels.txt" 2 '4 AGAIN' try -f ucihar har
spoil "$root/activity_labels.txt" 2 '5' try -f ucihar har
spoil "$root/train/y_train.txt" 3 7 try -f ucihar har
spoil "$root/train/y_train.txt" 3 '5.5' try -f ucihar har
spoil "$root/train/y_train.txt" 3 - try -f ucihar har
spoil "$signals/body_acc_y_train.txt" 2 '1 2 3' try -f ucihar har
spoil "$signals/body_acc_y_train.txt" 2 '1 2 3 4 5 6 7 NaN' try -f ucihar har
spoil "$signals/body_acc_y_train.txt" 2 - try -f ucihar har
mv "$signals/body_gyro_z_train.txt" away && try -f ucihar har
mkfifo "$signals/body_gyro_z_train.txt" && try -f ucihar har

# --- WISDM
$python - <<'END' || exit
import os
import numpy as np
rng = np.random.default_rng(2)
os.makedirs('wisdm/WISDM_ar_v1.1')
x, t = np.round(rng.normal(size=(100, 3)) * 10, 6), 49105962326000
lines, runs, run, last = [], [], [], None
for i in range(100):
    key = ('33', 'Jogging') if i < 41 else ('33', 'Walking') if i < 63 else ('17', 'Walking')
    t += 50000000 if i != 80 else 1500000000 # a gap before record 80
    if run and (key != last or i == 80): runs.append(run); run = []
    last, run = key, run + [x[i]]
    lines.append(f'{key[0]},{key[1]},{t},{x[i][0]},{x[i][1]},{x[i][2]};' + ('' if i in (5, 6) else '\n'))
open('wisdm/WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt', 'w').write(''.join(lines))
np.save('wisdm.npy', np.array([np.array(r)[k:k + 10].T for r in runs + [run] for k in range(0, len(r) - 9, 5)]))
END
qc-import --window 0.5s --stride 5 --json -o wisdm.qcd wisdm || exit
qc-info wisdm.qcd | sed -n '/^labels/,/^recordings/p'
$python -c "
import numpy as np
from foreign import *
x = np.load('wisdm.npy').astype('f4')
assert np.array_equal(qcd_values('wisdm.qcd', x.size).reshape(x.shape), x)" || exit
raw=wisdm/WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt
qc-import -f wisdm -g 17 --window 10 --json -o 17.qcd $raw || exit
try -f wisdm wisdm
try -f wisdm -g 18 --window 10 wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,3' try --window 10 wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,;' try --window 10 wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,;' try --window 10 --missing fill wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,;' try --window 10 --missing drop wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,3,;' try --window 10 wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,3,;' try --window 10 --missing drop wisdm
spoil $raw 20 '33,Jogging,soon,1,2,3;' try --window 10 wisdm
spoil $raw 20 '33,,49106962326000,1,2,3;' try --window 10 wisdm
spoil $raw 20 '33,Jogging,49106962326000,1,2,inf;' try --window 10 --missing fill wisdm
spoil $raw 20 'thirty,Jogging,49106962326000,1,2,3;' try --window 10 wisdm

# --- PAMAP2
$python - <<'END' || exit
import os
import numpy as np
rng = np.random.default_rng(3)
os.makedirs('pamap/Protocol')
kept = [p * 17 + 3 + s for p in range(3) for s in (1, 2, 3, 7, 8, 9, 10, 11, 12)]
expected = []
for subject, plan in ((101, [(0, 5), (1, 25), (0, 5), (24, 12)]), (102, [(1, 10), (1, 10)])):
    rows, t = [], 8.38
    for k, (activity, n) in enumerate(plan):
        x = np.round(rng.normal(size=(n, 54)), 5)
        t += 2 if subject == 102 and k else 0 # a gap within an activity
        x[:, 0], x[:, 1] = t + .01 * np.arange(1, n + 1), activity
        t = x[-1, 0]
        x[::3, 2] = np.nan
        x[:, 16] = np.nan # qc-import ignores orientation
        rows += [' '.join('NaN' if v != v else f'{v:.2f}' if c == 0 else str(int(v)) if c == 1 else f'{v:.5f}'
                          for c, v in enumerate(row)) for row in x]
        if activity: expected += [x[i:i + 10][:, kept].T for i in range(0, n - 9, 10)]
    open(f'pamap/Protocol/subject{subject}.dat', 'w').write('\n'.join(rows) + '\n')
np.save('pamap.npy', np.array(expected))
END
for jobs in 1 2; do qc-import --window 0.1s --threads $jobs --json -o $jobs.qcd pamap || exit; done
cmp 1.qcd 2.qcd || exit
qc-info 1.qcd | sed -n '/^labels/,/^recordings/p'
$python -c "
import numpy as np
from foreign import *
x = np.load('pamap.npy').astype('f4')
assert np.array_equal(qcd_values('1.qcd', x.size).reshape(x.shape), x)" || exit
qc-import -f pamap2 -g subject102 --window 10 --json -o 102.qcd pamap/Protocol || exit
file=pamap/Protocol/subject101.dat
line=$(sed -n 12p $file)
try -f pamap2 pamap
try -f pamap2 -g subject109 pamap
spoil $file 12 "$(echo "$line" | awk '{ $5 = "NaN" } 1')" try --window 10 pamap
spoil $file 12 "$(echo "$line" | awk '{ $5 = "NaN" } 1')" try --window 10 --missing fill pamap
spoil $file 12 "$(echo "$line" | awk '{ $5 = "NaN" } 1')" try --window 10 --missing drop pamap
spoil $file 12 "$(echo "$line" | awk '{ $3 = "high" } 1')" try --window 10 --missing drop pamap
spoil $file 12 "$(echo "$line" | awk '{ $2 = 8 } 1')" try --window 10 pamap
spoil $file 12 "$(echo "$line" | awk '{ $1 = 8.38 } 1')" try --window 10 pamap
spoil $file 12 "$(echo "$line" | awk '{ $1 = "NaN" } 1')" try --window 10 pamap
spoil $file 12 "$line 1" try --window 10 pamap
spoil $file 12 "${line% *}" try --window 10 pamap
for tree in har wisdm pamap; do mkdir -p empty/$tree && try -f $(echo $tree |
    sed 's/^har/ucihar/;s/pamap/pamap2/') empty/$tree; done
