# qc-info --target: RAM and flash are those figures that qc-export prints, the layers add up to the window, time follows
# the clock, a target file of the user is read, and impossible targets are refused.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 1 --activities 3 --windows 12 --channels 3 --length 24 -o p1.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o q.qcm fp.qcm >words || exit 1
value() { sed "s/.*\"$1\": {[^}]*\"$2\": \([0-9.a-z]*\).*/\1/" "$3"; } # value OBJECT KEY FILE
as_json() { qc-info --json "$@" q.qcm | tr -d '\n'; }

as_json --target cortex-m4@64MHz -n 9 -B 16 >m4 || exit 1
qc-export -f c -c core.qcd -B 16 -o net.c q.qcm 2>said || exit 1
frames=$(sed -n 's/.*NET_WINDOW \([0-9]*\)u.*/\1/p' net.h)
awk -v flash="$(value flash bytes m4)" -v code="$(value flash code m4)" -v ram="$(value ram bytes m4)" \
    -v stack="$(value ram stack m4)" -v frames="$frames" '
    { for (i = 1; i < NF; i++) { if ($i == "flash") f = $(i + 1); if ($i == "RAM") r = $(i + 1) } }
    END {
        more = ram - stack - r
        if (f == flash - code && more >= frames && more < frames + 200) print "as qc-export"
    }' said
/usr/bin/python3 - <<'END'
import json
m = json.load(open('m4'))
window, layers = m['window'], sum(y['instructions'] for y in m['layers'])
quantize = window['instructions'] - layers
assert len(m['layers']) > 3 and 0 < quantize < 24 * 3 * 100, (quantize, layers)
for part in window, m['adapt']:
    expected = part['instructions'] * m['cycles_per_instruction'] / 64000
    assert abs(part['milliseconds'] - expected) < 1e-3 * expected + 1e-6, part
print('layers and quantizing make the window; milliseconds are cycles over the clock')
END
as_json --target m4 -n 9 -B 16 >short
[ "$(value window instructions short)" = "$(value window instructions m4)" ] && ! grep -q milliseconds short &&
    echo "m4 is cortex-m4; without a clock there is no time"
as_json --target m4 -n 0 >predicts
grep -q adapt predicts || [ "$(value flash code predicts)" -ge "$(value flash code m4)" ] ||
    echo "without slots it does not learn"
for core in m0plus m3 m7 m55; do
    as_json --target $core >$core && [ "$(value window instructions $core)" -gt 1000 ] || echo "$core?"
done
[ "$(value window instructions m0plus)" -gt "$(value window instructions m3)" ] &&
    [ "$(value window instructions m3)" -gt "$(value window instructions m4)" ] &&
    [ "$(value window instructions m4)" -gt "$(value window instructions m55)" ] && echo "a larger core needs fewer"

room=$(value ram bytes m4)
for ram in $room $((room - 1)); do
    as_json --target m4 -n 9 -B 16 --ram "$ram" --flash 1M >fits
    value ram fits fits
    echo
done
qc-info --target m4 --ram 64K --flash 512K q.qcm | grep -A4 '^flash' | sed 's,\(bytes\|code\): .*,\1: N,'

# A model of sound has its front-end in the window: each of its frames.
/usr/bin/python3 - <<'END'
import random, struct, wave
random.seed(2)
for name in 'low', 'high':
    with wave.open('sound_%s.wav' % name, 'wb') as w:
        w.setparams((1, 2, 8000, 0, 'NONE', ''))
        w.writeframes(b''.join(struct.pack('<h', random.randrange(-9, 9) * (300 if name == 'low' else 1000))
                               for _ in range(9000)))
END
for front in logmel:bands=12,frame=200,hop=100 mfcc:coefficients=12,bands=12,frame=200,hop=100; do
    qc-import -q -f wav --front-end $front --window 1500 --stride 500 --name-pattern 'sound_{label}.wav' -o sound.qcd \
        . &&
        qc-train -q --threads 1 --epochs 1 -a tiny.yaml -d sound.qcd -o fs.qcm &&
        qc-coreset -q -n 4 -d sound.qcd -o sc.qcd &&
        qc-quantize --force -q -b 8 --epochs 0 --threads 1 -c sc.qcd -d sound.qcd -o sound.qcm fs.qcm >words || exit 1
    qc-info --json --target m4 sound.qcm >${front%:*}
done
/usr/bin/python3 - <<'END'
import json
logmel, mfcc = json.load(open('logmel')), json.load(open('mfcc'))
for m in logmel, mfcc:
    rest = m['window']['instructions'] - sum(y['instructions'] for y in m['layers'])
    frames = rest / m['frame']['instructions']
    assert 14 <= frames < 15, frames
assert logmel['frame']['instructions'] < mfcc['frame']['instructions'] < 1.2 * logmel['frame']['instructions']
print("a window of sound has the front-end's frames")
END

echo '--- a file of one'\''s own'
printf 'name: ours\nlike: cortex-m4\nmhz: 32\ncycles_per_instruction: 3\nadapt_factor: 0\n' >ours.yaml
as_json --target ours.yaml -n 9 -B 16 >ours
awk -v a="$(value window milliseconds ours)" -v i="$(value window instructions m4)" \
    'BEGIN { if ((a / (i * 3 / 32000) - 1) ^ 2 < 1e-6) print "its clock and cycles count" }'
as_json --target ours.yaml@64MHz -n 9 -B 16 >faster
awk -v a="$(value window milliseconds ours)" -v b="$(value window milliseconds faster)" \
    'BEGIN { if ((a / b - 2) ^ 2 < 1e-6) print "the command line wins" }'

echo '--- what cannot be'
refuse() {
    qc-info "$@" >out
    echo "status $?$(cat out)"
}
refuse --target m5 q.qcm 2>&1
refuse --target m4@fast q.qcm 2>&1
refuse --target m4@-3 q.qcm 2>&1
refuse --target m4 --ram 64KB q.qcm 2>&1
refuse --target m4 --flash -1 q.qcm 2>&1
refuse --ram 64K q.qcm 2>&1
refuse --memory --target m4 q.qcm 2>&1
refuse --memory -n 0 q.qcm 2>&1
refuse --target m4 fp.qcm 2>&1
refuse --target m4 core.qcd 2>&1
refuse --target none.yaml q.qcm 2>&1
echo 'like: m5' >bad.yaml && refuse --target bad.yaml q.qcm 2>&1
echo 'name: x' >bad.yaml && refuse --target bad.yaml q.qcm 2>&1
printf 'like: m4\nconv_multipy: 1\n' >bad.yaml && refuse --target bad.yaml q.qcm 2>&1
printf 'like: m4\nconv_multiply: -1\n' >bad.yaml && refuse --target bad.yaml q.qcm 2>&1
printf 'like: m4\nmhz: fast\n' >bad.yaml && refuse --target bad.yaml q.qcm 2>&1
echo '- 1' >bad.yaml && refuse --target bad.yaml q.qcm 2>&1
