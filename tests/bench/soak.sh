#!/bin/sh
# qc-run under soak.py in a folder of its own: SOAK_WINDOWS windows, SOAK_RESTARTS kills, half of them power cuts,
# SOAK_SEED. The defaults take a minute or two; a million windows take some twenty.
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
export OMP_NUM_THREADS=1
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
cd "$place" || exit 1
qc-synth -q --subjects 1 --activities 3 --windows 20 --channels 3 --length 24 -o p1.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 3 -a tiny.yaml -d p1.qcd -o fp.qcm && qc-coreset -q -n 9 -d p1.qcd -o core.qcd &&
    qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c core.qcd -d p1.qcd -o q.qcm fp.qcm >words || exit 1
/usr/bin/python3 "$TOP/tests/bench/soak.py" q.qcm core.qcd "${SOAK_WINDOWS:-100000}" "${SOAK_RESTARTS:-200}" "${SOAK_SEED:-1}"
