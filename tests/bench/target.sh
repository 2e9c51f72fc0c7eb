# target.sh - compares the estimates of `qc-info --target` with instructions that QEMU counts: windows and adapts of
# networks that no coefficient of lib/export/targettable.c was fitted on, at 8, 4 and 2 bits; and models of sound with
# their front-ends.
#   CORES='m4 m55'   only these cores
#   NETS='mlp fcn'   only these networks, or files of cortexm/fit
#   BITS='8 2'       only these bits
#   FIT=DIR          counts each layer and adapt of the networks of cortexm/fit instead, and writes the counts to DIR;
#                    cortexm/fit.py makes the table of them
# Prints TSV: core, network, bits, what, counted, estimated, error. Then lines `bar NAME VALUE <= BAR ok`: the largest
# error of the windows and of the adapts of a network on a core.
set -eu
. tests/bench/cortexm/count.sh
program=network
[ -z "${FIT:-}" ] || program=nodes

# network NAME ARCH CHANNELS LENGTH CLASSES SLOTS BATCH: makes NAME.BITS/ with a model, a coreset and labelled windows.
# A LENGTH of 16x16 means pictures of one channel.
network() {
    name=$1
    data=$name.data
    mkdir "$data"
    case $4 in
    *x*)
        for part in data other; do
            awk -v n="${4%x*}" -v classes="$5" -v seed=$part 'BEGIN {
                srand(length(seed))
                for (w = 0; w < 24 * classes; w++) {
                    printf "%d", w % classes
                    for (i = 0; i < n * n; i++) printf ",%.3f", (i % classes == w % classes) + rand()
                    print ""
                } }' >table.csv
            qc-import -q -f csv --image "$4" --label-column 1 -o "$data/$part.qcd" table.csv
        done
        ;;
    *)
        qc-synth -q --subjects 2 --activities "$5" --windows 8 --channels "$3" --length "$4" -o people.qcd
        qc-split -q -g p1 -o "$data/data.qcd" people.qcd
        qc-split -q -g p2 -o "$data/other.qcd" people.qcd
        ;;
    esac
    qc-train -q --threads 1 --epochs 25 -a "$2" -d "$data/data.qcd" -o float.qcm
    qc-coreset -q -n "$6" -d "$data/data.qcd" -o "$data/core.qcd"
    for bits in ${BITS:-8 4 2}; do
        to=$name.$bits
        mkdir -p "$to/predict" "$to/learn"
        qc-quantize --force -q -b $bits --epochs 0 --threads 1 -c "$data/core.qcd" -d "$data/data.qcd" \
            -o "$to/q.qcm" float.qcm >words
        qc-export -q -f c -o "$to/predict/model.c" "$to/q.qcm"
        qc-export -q -f c -c "$data/core.qcd" -B "$7" -o "$to/learn/model.c" "$to/q.qcm"
        "$BUILD/tests/pack_stream" "$to/q.qcm" "$data/core.qcd" "$data/other.qcd" 1 1 shuffled >"$to/learn/stream.c"
        host_program "$to/learn" -I "$top/tests/device/firmware" "$here/pack_windows.c" "$to/learn/model.c" \
            "$to/learn/stream.c"
        mv "$to/learn/expected" "$to/learn/windows.c"
        host_program "$to/learn" "$here/adapt.c" "$to/learn/model.c" "$to/learn/windows.c"
        host_program "$to/predict" "$here/$program.c" "$to/predict/model.c"
        echo "$to $name $bits $6 $7" >>networks
    done
}

# sound NAME FRONT_END: makes NAME.8/predict with a model of sound, which has this front-end.
sound() {
    to=$1.8
    mkdir -p "$to/wav" "$to/predict"
    /usr/bin/python3 - "$to/wav" <<'END'
import math, random, struct, sys, wave
random.seed(2)
for name in "tone", "noise":
    with wave.open("%s/sound_%s.wav" % (sys.argv[1], name), "wb") as w:
        w.setparams((1, 2, 8000, 0, "NONE", ""))
        w.writeframes(b"".join(struct.pack("<h", round(4000 * math.sin(t * .3) if name == "tone" else
                                                       random.gauss(0, 3000))) for t in range(24000)))
END
    qc-import -q -f wav --front-end "$2" --window 6000 --stride 1000 --name-pattern 'sound_{label}.wav' \
        -o "$to/data.qcd" "$to/wav"
    printf 'name: tiny\nlayers:\n  - {conv: 8, kernel: 5}\n  - relu\n  - gap\n' >tiny.yaml
    qc-train -q --threads 1 --epochs 5 -a tiny.yaml -d "$to/data.qcd" -o float.qcm
    qc-coreset -q -n 8 -d "$to/data.qcd" -o "$to/core.qcd"
    qc-quantize --force -q -b 8 --epochs 0 --threads 1 -c "$to/core.qcd" -d "$to/data.qcd" -o "$to/q.qcm" \
        float.qcm >words
    qc-export -q -f c -o "$to/predict/model.c" "$to/q.qcm"
    host_program "$to/predict" "$here/network.c" "$to/predict/model.c"
    host_program "$to/sound" -I "$to/predict" "$here/sound.c" "$to/predict/model.c"
    echo "$to" >>sounds
}

if [ "${FIT:-}" ]; then
    for arch in ${NETS:-"$here"/fit/*.yaml}; do
        # the first line is: # CHANNELS LENGTH CLASSES SLOTS BATCH
        network "$(basename "$arch" .yaml)" "$arch" $(sed -n '1s/# //p' "$arch")
    done
    for front in ${FRONTS:-logmel:bands=20,frame=200,hop=80 logmel:bands=64,frame=1000,hop=500 \
        logmel:bands=12,frame=60,hop=60 mfcc:coefficients=8,bands=20,frame=100,hop=50 \
        mfcc:coefficients=30,bands=60,frame=400,hop=400 mfcc:coefficients=12,bands=12,frame=250,hop=20}; do
        sound "front$((front_number += 1))" $front
    done
else
    for net in ${NETS:-inceptiontime-16x3 inceptiontime-32x3 fcn mlp omniscale resnet8}; do
        case $net in
        inceptiontime-16x3) network $net $net 45 125 19 19 30 ;;
        inceptiontime-32x3) network $net $net 9 60 8 16 32 ;;
        fcn) network $net $net 6 100 6 30 24 ;;
        mlp) network $net $net 9 50 12 24 40 ;;
        omniscale) network $net $net 3 64 5 10 20 ;;
        logmel|mfcc) ;; # models of sound, below
        resnet8) network $net "resnet8" 1 16x16 10 20 40 ;;
        *) echo "target.sh: there is no network '$net'" >&2; exit 2 ;;
        esac
    done
fi

[ "${FIT:-}" ] || for net in ${NETS:-logmel mfcc}; do
    case $net in
    logmel) sound $net logmel:bands=40,frame=512,hop=256 ;;
    mfcc) sound $net mfcc:coefficients=13,bands=32,frame=240,hop=120 ;;
    esac
done

# instructions KEY: of `qc-info --target --json`, on one line
instructions() { sed "s/.*\"$1\": {\"instructions\": \([0-9]*\).*/\1/"; }

: >all
touch networks sounds
for core in ${CORES:-m0plus m3 m4 m7 m55}; do
    choose_core "$core" || { echo "there is no core $core; there are: $cores" >&2; exit 2; }
    while read -r to name bits slots batch; do
        on_core "$to/predict" "$here/$program.c" "$to/predict/model.c"
        cp counted predicted
        code=$(arm-none-eabi-size "$to/predict/$core.elf" | awk 'END { print $1 }')
        on_core "$to/learn" "$here/adapt.c" "$to/learn/model.c" "$to/learn/windows.c"
        adapt=$(awk '$1 == "adapt" { print $3 }' counted)
        if [ "${FIT:-}" ]; then
            awk -v OFS='\t' -v core="$core" -v name="$name" -v bits="$bits" \
                '{ print core, name, bits, NR == 1 ? "quantize" : NR - 2, $3 }' predicted >>all
            printf '%s\t%s\t%s\tadapt\t%s\n' "$core" "$name" "$bits" "$adapt" >>all
            continue
        fi
        qc-info --json -n "$slots" -B "$batch" --target "cortex-$core" "$to/q.qcm" | tr -d '\n' >estimate
        for what in window adapt; do
            counted=$adapt
            [ $what = adapt ] || counted=$(awk '{ n += $3 } END { print n }' predicted)
            printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$core" "$name" "$bits" $what "$counted" "$(instructions $what <estimate)"
        done | awk -F'\t' -v OFS='\t' '{ print $0, sprintf("%.3f", $6 / $5 - 1) }' | tee -a all
    done <networks
    while read -r to; do # the whole window: its samples through the front-end, and the prediction
        name=${to%.8}
        on_core "$to/predict" "$here/network.c" "$to/predict/model.c"
        window=$(awk '{ n += $3 } END { print n }' counted)
        on_core "$to/sound" -I "$to/predict" "$here/sound.c" "$to/predict/model.c"
        counted=$(awk '{ print $3 }' counted)
        frames=$(sed -n 's/.*MODEL_STEPS \([0-9]*\)u.*/\1/p' "$to/predict/model.h")
        if [ "${FIT:-}" ]; then
            printf '%s\t%s\t8\tframe\t%s\n' "$core" "$name" $(((counted - window) / frames)) >>all
            continue
        fi
        qc-info --json --target "cortex-$core" "$to/q.qcm" | tr -d '\n' >estimate
        printf '%s\t%s\t8\tsound\t%s\t%s\n' "$core" "$name" "$counted" "$(instructions window <estimate)" |
            awk -F'\t' -v OFS='\t' '{ print $0, sprintf("%.3f", $6 / $5 - 1) }' | tee -a all
    done <sounds
done
if [ "${FIT:-}" ]; then
    sed 's/\(.*\)\.8$/\1.8 \1 8 0 1/' sounds >>networks
    mkdir -p "$FIT"
    cp all "$FIT/counts.tsv"
    cp networks "$FIT/networks"
    while read -r to rest; do mkdir -p "$FIT/$to" && cp "$to/q.qcm" "$FIT/$to"; done <networks
    exit
fi
awk -F'\t' '
{
    key = $1 "-" $2 "-" $4; error = $7 < 0 ? -$7 : $7
    if (!(key in worst)) order[++n] = key
    if (error > worst[key] || !(key in worst)) worst[key] = error
}
END { for (i = 1; i <= n; i++) printf "bar %s %.3f <= 0.20 %s\n", order[i], worst[order[i]],
    worst[order[i]] <= .2 ? "ok" : "MISSED" }' all
