"""rival_models.py FOLDER SHAPE: more int8 forms of FOLDER/s8.onnx, which ONNX Runtime's quantizer can write, for
bench_nets. FOLDER/s8.onnx is QDQ with unsigned activations and signed weights of 8 bits.

FOLDER/signed.onnx: signed activations. FOLDER/dynamic.onnx: activations are floats between the layers, quantized at
run time (DynamicQuantizeLinear, ConvInteger, MatMulInteger). FOLDER/identity.onnx: copies the input to the output.
"""
import sys

import numpy as np
from onnx import TensorProto, helper, load, numpy_helper, save

folder, shape = sys.argv[1], [int(n) for n in sys.argv[2].split(",")]
model = load(folder + "/s8.onnx")
graph = model.graph
values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
maker = {o: n for n in graph.node for o in n.output}


def save_as(name, nodes, values):
    made = helper.make_graph(nodes, "g", graph.input, graph.output,
                             [numpy_helper.from_array(v, k) for k, v in values.items()])
    save(helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version),
         "%s/%s.onnx" % (folder, name))


points = {n.input[2] for n in graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear") and len(n.input) > 2}
signed = {k: (v.astype(np.int16) - 128).astype(np.int8) if k in points and v.dtype == np.uint8 else v
          for k, v in values.items()}
save_as("signed", graph.node, signed)

nodes, fresh, instead = [], dict(values), {}


def node(op, inputs, output, **attributes):
    nodes.append(helper.make_node(op, inputs, [output], output + "." + op, **attributes))
    return output


def real(name):
    """The float behind a chain of QuantizeLinear and DequantizeLinear."""
    while name in maker and maker[name].op_type in ("QuantizeLinear", "DequantizeLinear"):
        name = maker[name].input[0]
    return name


for n in graph.node:
    if n.op_type in ("QuantizeLinear", "DequantizeLinear"):
        continue
    if n.op_type not in ("Conv", "Gemm", "MatMul"):
        copy = helper.make_node(n.op_type, [real(i) for i in n.input], n.output, n.name)
        copy.attribute.extend(n.attribute)
        nodes.append(copy)
        continue
    y, weights = n.output[0], maker[n.input[1]]
    w, step = values[weights.input[0]], values[weights.input[1]]
    x = real(n.input[0])
    if x + ".q" not in {o for k in nodes for o in k.output}:
        nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [x + ".q", x + ".s", x + ".z"]))
    bias = None
    if len(n.input) > 2:
        from_codes = maker.get(n.input[2])
        bias = values[n.input[2]] if from_codes is None else (
            values[from_codes.input[0]] * values[from_codes.input[1]])
    turn = n.op_type == "Gemm" and any(a.name == "transB" and a.i for a in n.attribute)
    axes = [1, -1] + [1] * (w.ndim - 2)
    fresh[y + ".w"] = np.ascontiguousarray(w.T) if turn else w
    fresh[y + ".step"] = step.reshape(axes).astype(np.float32) if step.size > 1 else step
    if n.op_type == "Conv":
        node("ConvInteger", [x + ".q", y + ".w", x + ".z"], y + ".sum",
             **{a.name: helper.get_attribute_value(a) for a in n.attribute})
    else:
        node("MatMulInteger", [x + ".q", y + ".w", x + ".z"], y + ".sum")
    node("Cast", [y + ".sum"], y + ".float", to=TensorProto.FLOAT)
    node("Mul", [x + ".s", y + ".step"], y + ".scale")
    if bias is None:
        node("Mul", [y + ".float", y + ".scale"], y)
    else:
        fresh[y + ".bias"] = bias.reshape(axes if n.op_type == "Conv" else [1, -1]).astype(np.float32)
        node("Mul", [y + ".float", y + ".scale"], y + ".scaled")
        node("Add", [y + ".scaled", y + ".bias"], y)
outputs = {o.name for o in graph.output}
for o in outputs:
    if real(o) != o:
        node("Identity", [real(o)], o)
read = {i for n in nodes for i in n.input}
save_as("dynamic", nodes, {k: v for k, v in fresh.items() if k in read})

same = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g",
                         [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                         [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)])
save(helper.make_model(same, opset_imports=model.opset_import, ir_version=model.ir_version), folder + "/identity.onnx")
