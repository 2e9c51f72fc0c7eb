"""node_tests.py FOLDER: ONNX's own node tests as models that qc-import may take.

Input 0 of a test is the model's input, the others are constants. Then input 1 is the model's input, then all inputs are
slices of one window. A Flatten makes logits of the first output. If the first axis of an input cannot be the batch, the
whole input is one window. Writes NAME.onnx, NAME.x (windows), NAME.y (the output that the test stores) and a line
"NAME OPERATOR windows logits rank d1 d2 d3" in FOLDER/nodes. Exit status 77: python3-onnx is missing.
"""
import os
import sys
import warnings

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    warnings.filterwarnings("ignore")
    # Names that ONNX 1.12 uses and NumPy 1.24 no longer has.
    for kind in (float, bool, int, object):
        setattr(np, kind.__name__, kind)
    from onnx.backend.test.case.node import collect_testcases
except ImportError:
    sys.exit(77)
folder, lines, written = sys.argv[1], [], set()
# All inputs come from one window for these, where every input has the same first axis.
TOGETHER = "Add", "Sub", "Mul", "Div", "Sum", "Min", "Max", "Mean", "Concat", "MatMul", "PRelu", "Pow"


def usable(values):
    return all(isinstance(v, (np.ndarray, np.generic)) and np.asarray(v).dtype.kind in "fiub" for v in values)


def write(test, name, op, x, given, before, y):
    """The model: nodes `before`, the test's, a Neg, so that something is computed and a Sigmoid stays, and a Reshape to
    rows. x: windows; given: constants by name."""
    if x.size > 20000 or y.size > 4096 * len(x):
        return
    old = test.model.graph
    nodes, last = [*before, *old.node], old.output[0].name
    if op in ("Softmax", "LogSoftmax"):  # left out at the end: the test of the reader compares probabilities
        nodes.insert(0, helper.make_node("Neg", ["the_windows"], ["turned"], "first"))
        nodes[1].input[0] = "turned"
        x, y = -x, np.exp(y) if op == "LogSoftmax" else y
    else:
        nodes.append(helper.make_node("Neg", [last], ["turned"], "after"))
        last, y = "turned", -y.astype("f4")
    nodes.append(helper.make_node("Reshape", [last, "the_row"], ["the_logits"], "end"))
    given = {**given, "the_row": np.array([len(x), -1], np.int64)}
    constants = [numpy_helper.from_array(np.asarray(v), k) for k, v in given.items()]
    info = [helper.make_tensor_value_info("the_windows", TensorProto.FLOAT, x.shape),
            helper.make_tensor_value_info("the_logits", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "net", info[:1], info[1:], [*old.initializer, *constants])
    opsets = [helper.make_opsetid("", 17), *(o for o in test.model.opset_import if o.domain)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=test.model.functions)
    onnx.save(model, os.path.join(folder, name + ".onnx"))
    x.astype("<f4").tofile(os.path.join(folder, name + ".x"))
    y.astype("<f4").tofile(os.path.join(folder, name + ".y"))
    assert name not in written, name
    written.add(name)
    dims = (list(x.shape[1:]) + [0, 0])[:3]
    lines.append("%s %s %d %d %d %d %d %d" % (name, op, len(x), y.size // len(x), x.ndim, *dims))


def prepare(test, number):
    names, values, stored = [i.name for i in test.model.graph.input], *test.data_sets[0]
    op = test.model.graph.node[-1].op_type if len(test.model.graph.node) == 1 else "several"
    if not values or not usable(values) or not usable(stored[:1]) or len(names) != len(values):
        return
    values, y = list(map(np.asarray, values)), np.asarray(stored[0])
    if not y.size or not np.isfinite(y).all():
        return
    # The reader takes a Cast between real numbers as no change: what is stored must be exact in 16 bits.
    types = {v.type.tensor_type.elem_type for v in (*test.model.graph.input, *test.model.graph.output)}
    if TensorProto.BFLOAT16 in types:
        return
    if TensorProto.FLOAT16 in types:
        values = [v.astype("f2").astype(v.dtype) if v.dtype.kind == "f" else v for v in values]
    for k in range(min(2, len(names))):
        x, name = values[k], "%d-%s-%d" % (number, test.name, k)
        if x.dtype.kind != "f":
            continue
        rest = {n: v for i, (n, v) in enumerate(zip(names, values)) if i != k}
        if x.size and 2 <= x.ndim <= 4:
            write(test, name, op, x, rest, [helper.make_node("Identity", ["the_windows"], [names[k]], "begin")], y)
        if x.size:
            begin = helper.make_node("Reshape", ["the_windows", "the_shape"], [names[k]], "begin")
            write(test, name + "-whole", op, x.reshape(1, -1), {**rest, "the_shape": np.array(x.shape, np.int64)},
                  [begin], y)
    if op == "Div" and values[0].dtype.kind != "f":  # of integers, it drops a remainder
        return
    n = values[0].shape[0] if values[0].ndim else 0
    if op in TOGETHER and len(values) > 1 and n and all(v.ndim > 1 and v.shape[0] == n and v.size for v in values):
        parts = [v.reshape(n, -1) for v in values]
        ends = np.cumsum([0] + [p.shape[1] for p in parts])
        before, rest = [], {"the_axis": np.array([1], np.int64)}
        for i, (part, value) in enumerate(zip(names, values)):
            rest.update({"from_%d" % i: ends[i:i + 1], "to_%d" % i: ends[i + 1:i + 2],
                         "shape_%d" % i: np.array(value.shape, np.int64)})
            before += [helper.make_node("Slice", ["the_windows", "from_%d" % i, "to_%d" % i, "the_axis"],
                                        ["part_%d" % i], "cut_%d" % i),
                       helper.make_node("Reshape", ["part_%d" % i, "shape_%d" % i], [part], "begin_%d" % i)]
        write(test, "%d-%s-both" % (number, test.name), op, np.hstack(parts), rest, before, y)


for number, test in enumerate(collect_testcases(None)):
    if test.data_sets:
        prepare(test, number)
with open(os.path.join(folder, "nodes"), "w") as f:
    f.write("\n".join(lines) + "\n")
