# The same seed gives the same bytes for any number of threads: training, quantization, the flip network. Windows of 120
# steps use each weight often enough for four slices of a batch; the perceptron gets one (lib/nn/run.c). A checkpoint
# can be resumed with another number of threads.
export OMP_NUM_THREADS=3
qc-synth -q --subjects 2 --activities 3 --windows 20 --channels 3 --length 120 -o d.qcd || exit 1
printf 'name: tiny\nlayers:\n  - conv: 6\n    kernel: 5\n  - batchnorm\n  - relu\n' >tiny.yaml
printf '  - conv: 6\n    kernel: 3\n  - batchnorm\n  - relu\n  - gap\n' >>tiny.yaml
qc-coreset -q -n 9 -d d.qcd -o core.qcd || exit 1
for n in 1 2 3 7; do
    qc-train -q --threads $n --epochs 4 --valid .2 -B 33 -a tiny.yaml -d d.qcd -L miss$n -o fp$n.qcm || exit 1
    qc-train -q --threads $n --epochs 2 -B 33 -a mlp -d d.qcd -o mlp$n.qcm || exit 1
    qc-quantize -b 2 --epochs 3 --threads $n -c core.qcd -d d.qcd -o q$n.qcm fp1.qcm >words || exit 1
    qc-bitflip-train --subjects 2 --test-subjects 0 --oracle-steps 3 --steps 20 --threads $n -c core.qcd -o f$n.qcm \
        q1.qcm >words || exit 1
done
for n in 2 3 7; do cmp fp1.qcm fp$n.qcm && cmp miss1 miss$n && cmp q1.qcm q$n.qcm && cmp f1.qcm f$n.qcm &&
    cmp mlp1.qcm mlp$n.qcm && echo same; done
# stopped after two epochs of four, with one thread, and resumed with three
/usr/bin/python3 - <<'EOF'
import os, signal, subprocess
os.mkfifo("pipe")
command = ("qc-train --threads %d --epochs 4 --valid .2 -B 33 -a tiny.yaml -d d.qcd -L miss --checkpoint state"
           " -o fp.qcm%s")
first = subprocess.Popen((command % (1, "")).split(), stderr=subprocess.DEVNULL)
while first.poll() is None and not os.path.exists("state"): pass
first.kill()
first.wait()
subprocess.run((command % (3, " --resume -q")).split(), check=True)
EOF
cmp fp.qcm fp1.qcm && cmp miss miss1 && echo resumed
