# Export of data: NumPy and Python's csv read the values of the file, and qc-import makes the same examples of both
# exports.
export PYTHONPATH="$TOP/tests/foreign"
python=$(command -v /usr/bin/python3 python3 | head -1)
printf 'g1,r1,1,2.5,-3e-5,4,"to ""walk"", slowly"\n' >in.csv
printf 'g2,r1,0.1,16777217,1e30,-0,Läufer\ng1,"r 2",5,6,7,8,Läufer\n' >>in.csv
qc-import -q -f csv --channels 2 --group-column 1 --recording-column 2 -o data.qcd in.csv || exit
qc-export -f npz -o data.npz data.qcd && qc-export -f csv -o data.csv data.qcd || exit
qc-export -f npz <data.qcd | cmp - data.npz || exit
qc-export -f csv <data.qcd | cmp - data.csv || exit
cat data.csv
$python - <<'END' || exit
import numpy as np
a = np.load('data.npz')
print({k: (a[k].dtype.str, a[k].shape) for k in a.files})
assert np.array_equal(a['x'], np.array([[[1, 2.5], [-3e-5, 4]], [[.1, 16777217], [1e30, 0]], [[5, 6], [7, 8]]], 'f4'))
assert a['label_names'][a['y']].tolist() == ['to "walk", slowly', 'Läufer', 'Läufer']
assert a['group'].tolist() == ['g1', 'g2', 'g1'] and a['recording'].tolist() == ['r1', 'r1', 'r 2']
assert len(set(a['id'].tolist())) == 3
END
same() { for file in "$1" "$2"; do qc-info "$file" |
    sed '/^file/d;/^bytes/d;/^sha256/d;/^provenance/,$d' >"$file.info"; done && cmp "$1.info" "$2.info"; }
qc-import -q -o again.qcd data.npz && same data.qcd again.qcd || exit
# values; then labels, ids, groups, recordings
for file in data again; do dd if=$file.qcd of=$file.part bs=1 skip=320 count=124 status=none; done
cmp data.part again.part || exit
qc-import -q --channels 2 --group-column group --recording-column recording -o table.qcd data.csv &&
    same data.qcd table.qcd || exit
dd if=table.qcd of=table.part bs=1 skip=320 count=48 status=none
head -c 48 data.part | cmp - table.part || exit
# a coreset, and data without labels
qc-synth -q --subjects 1 --activities 2 --windows 8 --channels 2 --length 10 -o s.qcd &&
    qc-coreset -q -n 4 -d s.qcd -o core.qcd && qc-export -f npz -o core.npz core.qcd || exit
$python -c "
import numpy as np
a = np.load('core.npz')
assert a['misses'].shape == a['flags'].shape == (4,) and a['flags'].dtype == np.uint8"
printf '1,2\n3,4\n' | qc-import -q -f csv --label-column none -o bare.qcd && qc-export -f csv bare.qcd &&
    qc-export -f npz -o bare.npz bare.qcd && qc-import -q -o bare2.qcd bare.npz && same bare.qcd bare2.qcd || exit
try() { qc-export "$@" 2>&1; echo "status $?"; }
try -f npz in.csv
try -f csv -o none/out.csv data.qcd
head -c 500 data.qcd >cut.qcd
try -f npz -o out.npz cut.qcd
qc-export -f csv data.qcd 2>&1 >/dev/full
echo "status $?"
ls out.* 2>/dev/null
true
