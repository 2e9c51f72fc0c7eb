#!/bin/sh
# Makes the training and test parts of pairs of domains, and an architecture for each pair.
#   domains-parts.sh DIR [DATA]
# Writes DIR/SET.source.train.qcd, DIR/SET.source.test.qcd, the same for the target, and DIR/SET.yaml. The sets:
#   gas      an e-nose, measurements of batch 1 -> batch 6; 30 % of each gas, drawn at random, is the test part
#   myo      muscles of the forearm, Male0 -> Male1; session training0, test part: session Test0
#   ecg      heart beats (N and V) of patient 106 -> 119; the last 30 % of each class's beats are the test part
#   hapt     a phone at the waist, six activities of person 1 -> 2; the last 30 % are the test part
#   digits   handwriting, USPS -> MNIST at 16 x 16, values -1 to 1; test parts of 20 % and 90 %, drawn at random
# SETS='gas ecg' makes only these sets. DATA: a folder with gas-drift, myo, mit-bih, hapt, digits.
set -eu
mkdir -p "${1:?a folder for the parts is needed}"
out=$(cd "$1" && pwd) data=$(cd "${2:-${QC_DATA:-../shared/data}}" && pwd) here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

unpack() { zstd -dcq "$data/$1" | tail -c "+${2:-1}" | tar -xf -; }

# parts SET DOMAIN FILE OPTIONS...: splits a data file into a training and a test part
parts() {
    set_of=$1 domain=$2 file=$3
    shift 3
    qc-split -q "$@" -o "$out/$set_of.$domain.train.qcd" -O "$out/$set_of.$domain.test.qcd" "$file"
}

for set in ${SETS:-gas myo ecg hapt digits}; do
    arch=inceptiontime-16x3
    case $set in
    gas)
        arch=mlp
        unpack gas-drift/batches-1-6.tar.zst
        qc-import -q -f libsvm --features --name-pattern 'batch{group}.dat' -o gas.qcd .
        parts gas source gas.qcd -g 1 -t 0.3 --by random
        parts gas target gas.qcd -g 6 -t 0.3 --by random
        rm batch*.dat
        ;;
    myo)
        unpack myo/people.tar.zst
        qc-import -q -f raw --type i16 --channels 8 --interleaved --window 52 --stride 26 \
            --name-pattern '{group}/{recording}/classe_{label%7}.dat' -o myo.qcd .
        for pair in source:Male0 target:Male1; do
            name=${pair#*:}
            qc-split -q -g "$name" --leave "$name/Test0" -o rest.qcd -O "$out/myo.${pair%:*}.test.qcd" myo.qcd
            qc-split -q -g "$name" --leave "$name/training0" -o rest.qcd -O "$out/myo.${pair%:*}.train.qcd" myo.qcd
        done
        ;;
    ecg)
        unpack mit-bih/records.tar.zst
        qc-import -q -f wfdb --lead MLII -g 106 -g 119 -o all.qcd .
        qc-export -q -f npz -o all.npz all.qcd # without the three classes that both datasets lack
        /usr/bin/python3 -c "
import numpy as np
f = dict(np.load('all.npz'))
names = f.pop('label_names')
np.savez('ecg.npz', **f | {'y': names[f['y']]})"
        qc-import -q -f npz -o ecg.qcd ecg.npz
        parts ecg source ecg.qcd -g 106 -t 0.3
        parts ecg target ecg.qcd -g 119 -t 0.3
        ;;
    hapt)
        unpack hapt/hapt-users-1-9.tar.zst 64 # the archive begins after 63 bytes
        awk '$3 <= 6' Raw-Data/labels.txt >six.txt # the other six are transitions of a few seconds
        qc-import -q -f segments --segments six.txt --label-names activity_labels.txt --window 128 --stride 64 \
            --name-pattern '{channels}_exp{recording}_user{group}.txt' -o hapt.qcd Raw-Data
        parts hapt source hapt.qcd -g 01 -t 0.3
        parts hapt target hapt.qcd -g 02 -t 0.3
        ;;
    digits)
        arch=resnet8
        unpack digits/usps-mnist.tar.zst
        qc-import -q -f csv --image 16x16 -o usps.qcd zip.train
        qc-import -q --size 16 -o large.qcd t10k-images-idx3-ubyte.gz
        qc-export -q -f npz -o large.npz large.qcd
        /usr/bin/python3 -c "
import numpy as np
f = dict(np.load('large.npz', allow_pickle=False))
np.savez('mnist.npz', x=(f['x'] / 127.5 - 1).astype('f4'), y=f['y'])"
        qc-import -q -f npz -o mnist.qcd mnist.npz
        parts digits source usps.qcd -t 0.2 --by random
        parts digits target mnist.qcd -t 0.9 --by random
        ;;
    *) echo "domains-parts.sh: there is no set '$set'" >&2; exit 2 ;;
    esac
    arch_file=$here/../arch/$arch.yaml
    [ -f "$arch_file" ] || arch_file=$QC_SHARE/arch/$arch.yaml
    cp "$arch_file" "$out/$set.yaml"
done
