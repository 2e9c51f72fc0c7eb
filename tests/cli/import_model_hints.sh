# Options about an ONNX model: class names from data, a normalization from an .npz, the output to read, an accuracy to
# print. Files of other tools must be converted first.
/usr/bin/python3 "$TOP/tests/onnx/fit_model.py" || { echo 'python3-onnx is missing' >&2; exit 77; }
qc-import -q --channels 3 -o train.qcd train.csv || exit
/usr/bin/python3 - <<'EOF' || exit
import numpy as np
import onnx
from onnx import helper, TensorProto
np.savez("norm.npz", mean=np.zeros(3), std=np.ones(3))
np.savez("wrong.npz", mean=np.full(3, 50.0), std=np.ones(3))
np.savez("mean.npz", mean=np.zeros(3))
m = onnx.load("net.onnx")
m.graph.output.append(helper.make_tensor_value_info("e", TensorProto.FLOAT, None))
onnx.save(m, "two.onnx")
m.graph.node.append(helper.make_node("Tanh", ["e"], ["t"]))
m.graph.output[1].name = "t"
onnx.save(m, "ends.onnx")
EOF
qc-import --labels-from train.qcd --norm norm.npz -d train.qcd -o m.qcm net.onnx
qc-import -q --labels-from train.qcd -d train.qcd --json -o m.qcm net.onnx |
    sed 's/accuracy": 1/accuracy": 0.99/; s/\(accuracy": 0.9\).*}/\1...}/'
qc-import --labels-from train.qcd --norm wrong.npz -d train.qcd -o m.qcm net.onnx 2>&1 |
    sed 's/: 0\.[0-9]* -/: 0.3... -/'
qc-import -o m.qcm two.onnx
for run in '--norm mean.npz net.onnx' '--norm norm.npz --mean 1 net.onnx' \
    '--labels classes.txt --labels-from train.qcd net.onnx' '-d train.qcd net.onnx' 'ends.onnx' \
    '--logits nothing two.onnx' 'net.pth' 'net.pt' 'net.h5' \
    'net.keras' '-f tflite net.onnx' '--logits f train.csv'; do
    # shellcheck disable=SC2086 # words
    qc-import -q -o none.qcm $run
    echo "$run: $?"
done
[ -e none.qcm ] && echo 'something was written'
exit 0
