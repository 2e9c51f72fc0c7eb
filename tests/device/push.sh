# push.sh - the installed firmware (share/firmware), built by its own Makefile. A Cortex-M4 cuts a stream into windows
# and predicts them as qc-run does. Code that only predicts is small, the stack is at most the header's figure, and the
# header is also C++.
set -eu
. tests/device/cross
for tool in arm-none-eabi-gcc qemu-system-arm make; do have $tool || { skipped "there is no $tool"; exit 77; }; done
wrong=0
report() { echo "$*"; wrong=1; }
template=$TOP/share/firmware
cd "$work"
qc-synth -q --subjects 2 --activities 4 --windows 8 --channels 3 --length 24 -o people.qcd
qc-split -q -g p1 -o p1.qcd people.qcd
printf 'name: tiny\ninception:\n  filters: 4\n  depth: 3\n  kernels: [9, 5, 3]\n  bottleneck: 4\n  residual: 3\n' \
    >tiny.yaml
qc-train -q --threads 1 --epochs 4 -a tiny.yaml -d p1.qcd -o fp.qcm
qc-coreset -q -n 12 -d p1.qcd -o core.qcd
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o q.qcm fp.qcm >words
# 300 frames of three channels, and some that the model has never seen the like of
awk 'BEGIN {
    for (t = 0; t < 300; t++)
        printf "%.7g,%.7g,%.7g\n", 3 * sin(t / 5), 2 * cos(t / 7) - t / 200, t % 50 == 7 ? 1e6 : sin(t * t)
}' >frames.csv
awk -F, 'function put(x,   s, e, m, k) { # the bytes of a float, low first; x is one exactly
             s = x < 0 ? 128 : 0; if (x < 0) x = -x
             if (x == 0) { printf "\\000\\000\\000\\000"; return }
             for (e = 127; x >= 2; e++) x /= 2
             for (; x < 1; e--) x *= 2
             m = int((x - 1) * 8388608)
             printf "\\%03o\\%03o\\%03o\\%03o", m % 256, int(m / 256) % 256, int(m / 65536) + e % 2 * 128,
                 s + int(e / 2) }
         { for (c = 1; c <= 3; c++) put($c) }' frames.csv >octal
printf "$(cat octal)" >frames.f32
[ "$(wc -c <frames.f32)" -eq 3600 ] || report "the frames are not written as they should be"

make -s -f "$template/Makefile" CORE=m0 2>words && report "a core that is none was built for"
grep -q "CORE is one of m0plus .* and not 'm0'" words || report "a core that is none: $(cat words)"

try() { # try FOLDER STRIDE FLAGS OPTIONS...
    folder=$1 stride=$2 flags=$3
    shift 3
    mkdir -p "$folder"
    qc-export -q -f c "$@" -o "$folder/model.c" "$model"
    qc-run --raw $raw --stride "$stride" "$model" <frames.$raw |
        awk -v OFS='\t' -F'\t' 'NR > 1 { print $1, $3, $6 * 1000 }' >wanted
    [ "$(wc -l <wanted)" -gt 10 ] || report "there are no windows"
    make -s -f "$template/Makefile" OUT="$folder/out" MODEL="$folder/model.c" FRAMES=frames.$raw STRIDE="$stride" \
        CFLAGS="$flags -Wall -Wextra -Werror" run >"$folder/words" || report "$folder: status $?"
    grep -v '^#' "$folder/words" >answers
    cut -f1,2 wanted >same; cut -f1,2 answers | cmp - same || report "$folder: a Cortex-M4 answers otherwise"
    paste wanted answers | awk -F'\t' '($3 - $6) ^ 2 > 2' | grep . && report "$folder: another drift"
    cat >use.cc <<END
#include "model.h"
int main() {
    $type f[MODEL_CHANNELS] = {};
    return model_init() || model_push(${star}f) || model_answer.class_index;
}
END
    g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$TOP/lib" -I "$folder" use.cc ||
        report "$folder: model.h is no C++"
    stack=$(sed -n 's/^# stack \([0-9]*\) .*/\1/p' "$folder/words")
    said=$(sed -n 's/.* stack of \([0-9]*\) bytes to predict.*/\1/p' "$folder/model.h")
    [ "$stack" -le "$said" ] || report "$folder: $stack bytes of stack, not $said"
}
raw=f32 model=q.qcm type=float star=
try predict 5 -Os
try learner 0 -O2 -c core.qcd -B 16

# the drift figure starts at 0 with the model, also the second time; a learner's state keeps it
for folder in predict learner; do
    cat >again.c <<'END'
#include <stdio.h>
#include <string.h>
#include "model.h"
static float figure_of(int frames)
{
    float figure = 0;
    for (int t = 0; t < frames; t++) {
        float frame[MODEL_CHANNELS] = {(float)(t % 7) - 3, (float)(t % 11) - 5, 40};
        if (model_push(frame)) figure = model_drift();
    }
    return figure;
}
#ifdef MODEL_STATE_BYTES
static unsigned char cells[2 * 65536];
static int read_cells(void *c, uint32_t at, void *to, uint32_t n) { (void)c; memcpy(to, cells + at, n); return 0; }
static int erase_cells(void *c, uint32_t at) { (void)c; memset(cells + at, 255, 512); return 0; }
static int write_cells(void *c, uint32_t at, const void *from, uint32_t n)
{
    (void)c;
    memcpy(cells + at, from, n);
    return 0;
}
#endif
int main(void)
{
    float first = model_init() ? 0 : figure_of(240), again = model_init() ? 1 : figure_of(240);
#ifdef MODEL_STATE_BYTES
    const QcFlash flash = {0, 65536, 512, 512, read_cells, erase_cells, write_cells, 0};
    float before = figure_of(240);
    if (model_save_state(&flash) || model_init() || model_load_state(&flash) != QC_STATE_LOADED) return 2;
    float after = figure_of(24);
    model_init();
    printf("%d %d\n", before > again, after > figure_of(24));
#endif
    return !(first > 0 && first == again);
}
END
    "${CC:-gcc}" -std=c11 -O2 -ffp-contract=off -DMODEL_KERNELS=qc_kernels_scalar -I "$TOP/lib" -I $folder -o again \
        again.c $folder/model.c "$TOP"/lib/device/*.c "$TOP/lib/kernels/scalar.c" 2>words ||
        { cat words; report "$folder: no program for the host"; continue; }
    ./again >words || report "$folder: another drift figure after another init"
    [ $folder = predict ] || [ "$(cat words)" = "1 1" ] || report "$folder: the state has no drift figure"
done

# a model of sound: samples go in, and the front-end's tables are in model.c
/usr/bin/python3 - <<'EOF'
import math, random, struct, wave
random.seed(2)
def tone(t): return 4000 * math.sin(t * .3 * (1 + t % 2000 / 9000)) + random.gauss(0, 30)
def noise(t): return random.gauss(0, 3000) * (t % 1500 > 700)
def samples(sound, n): return b''.join(struct.pack('<h', round(sound(t))) for t in range(n))
for name, sound in (('tone', tone), ('noise', noise)):
    with wave.open('sound_%s.wav' % name, 'wb') as w:
        w.setparams((1, 2, 8000, 0, 'NONE', '')); w.writeframes(samples(sound, 16000))
open('frames.i16', 'wb').write(samples(tone, 5000) + samples(noise, 5000) + samples(tone, 4000))
EOF
qc-import -q -f wav --front-end mfcc:coefficients=8,bands=20 --window 2000 --stride 400 \
    --name-pattern 'sound_{label}.wav' -o sound.qcd .
qc-train -q --threads 1 --epochs 8 -a tiny.yaml -d sound.qcd -o fp.qcm
qc-coreset -q -n 12 -d sound.qcd -o core.qcd
qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -o sound.qcm fp.qcm >words
raw=i16 model=sound.qcm type=int16_t star=\*
try sound 3 -O2 -c core.qcd -B 16
grep -q "the front-end's: mfcc:coefficients=8,bands=20,frame=200,hop=80 at 8000 Hz" sound/model.h ||
    report "model.h does not name its front-end"
[ "$(cut -f2 wanted | sort -u | wc -l)" -eq 2 ] || report "all sound is the same to the model"

# What only this firmware and this model need is not counted, nor is the drift figure, which a firmware may leave out.
others='main|say|say_number|say_window|reset|fault|vectors|call_host|board_.*|memcpy|memmove|memset'
others="$others|nodes|tensors|codes|scale|bias|multiplier|shift|mean|deviation|model_graph|model_class_names"
others="$others|(qc_|model_)?drift(watch)?_.*|model_drift|from_source|from_learned|learned_mean|qc_ln"
code=$(arm-none-eabi-nm -S -t d predict/out/firmware.elf |
    awk -v others="^($others)\$" 'NF == 4 && $3 ~ /[Tt]/ && $4 !~ others { n += $2 } END { print n }')
echo "predict-only code on a Cortex-M4: $code bytes"
[ "$code" -gt 5000 ] && [ "$code" -le 17408 ] || report "$code bytes of code to predict"
arm-none-eabi-nm predict/out/firmware.elf | grep -E 'qc_(learner|head|moments|slots|flip|state)_' &&
    report "a firmware that predicts has the learner in it"
exit $wrong
