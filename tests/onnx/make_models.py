"""make_models.py FOLDER [DUMPS]: ONNX models with inputs and the logits that PyTorch gives, for tests/unit/test_onnx.c.

A case is NAME.onnx, NAME.x (windows, float32, [n][height][width][channels]), NAME.y (logits, float32) and a line "NAME n C H W" in FOLDER/cases, the
last three being the shape that the user must give, or 0. What must be refused is NAME.onnx and a line "NAME STATUS WORDS" in FOLDER/refused.
DUMPS is a folder of NAME.onnx with NAME.npz (x, logits). Where PyTorch is missing, only the dumps become cases. Exit status 77: not even those can.
"""
import os
import sys
import warnings

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    sys.exit(77)
warnings.filterwarnings("ignore")
folder = sys.argv[1]
cases = open(os.path.join(folder, "cases"), "w")


refused = open(os.path.join(folder, "refused"), "w")


def add_case(name, x, y, channels_last=True, shape=(0, 0, 0)):
    x = np.asarray(x, dtype=np.float32)
    if channels_last:
        x = np.moveaxis(x, 1, -1)
    np.ascontiguousarray(x).tofile(os.path.join(folder, name + ".x"))
    np.ascontiguousarray(y, dtype=np.float32).tofile(os.path.join(folder, name + ".y"))
    cases.write("%s %d %d %d %d\n" % (name, len(y), *shape))


if len(sys.argv) > 2 and os.path.isdir(sys.argv[2]):
    for entry in sorted(os.listdir(sys.argv[2])):
        name, kind = os.path.splitext(entry)
        arrays = os.path.join(sys.argv[2], name + ".npz")
        if kind != ".onnx" or "unsupported" in name or not os.path.exists(arrays):
            continue
        dump = np.load(arrays)
        with open(os.path.join(sys.argv[2], entry), "rb") as a, open(os.path.join(folder, entry), "wb") as b:
            b.write(a.read())
        add_case(name, dump["x"], dump["logits"])

# ---- what must be refused, each for one reason

def node(op, inputs, outputs, name=None, **attributes):
    return helper.make_node(op, inputs, outputs, name or op.lower(), **attributes)


def tensor(name, values):
    return values if isinstance(values, onnx.TensorProto) else numpy_helper.from_array(np.asarray(values), name)


def save(name, nodes, weights, shape, opset=13, outputs=("logits",), inputs=("x",)):
    values = [[helper.make_tensor_value_info(v, TensorProto.FLOAT, dims) for v in names] for names, dims in ((inputs, ["n", *shape]), (outputs, None))]
    graph = helper.make_graph(nodes, "net", *values, [tensor(k, v) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    onnx.save(model, os.path.join(folder, name + ".onnx"))
    return model


def refuse(name, status, words, nodes, weights=None, shape=(3, 8), **how):
    save(name, nodes, {"w": np.zeros((4, 3, 3), np.float32), "v": np.zeros((4, 2), np.float32), **(weights or {})}, shape, **how)
    refused.write("%s %d %s\n" % (name, status, words))


conv, mean, fc = node("Conv", ["x", "w"], ["a"]), node("ReduceMean", ["b"], ["c"], axes=[2], keepdims=0), node("MatMul", ["c", "v"], ["logits"])
tail = [mean, fc]
refuse("r-operator", 5, "operator Sigmoid (node 'sigmoid'): this operator is not supported", [conv, node("Sigmoid", ["a"], ["b"]), *tail])
refuse("r-order", 5, "operator Einsum (node 'einsum')", [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("Einsum", ["t"], ["a"], equation="nct->ntc"), node("Relu", ["a"], ["b"]), *tail])
refuse("r-domain", 5, "operators of 'com.microsoft'", [conv, helper.make_node("Relu", ["a"], ["b"], "r", domain="com.microsoft"), *tail])
refuse("r-old", 5, "operator set 8", [conv, node("Relu", ["a"], ["b"]), *tail], opset=8)
refuse("r-outputs", 5, "2 outputs", [conv, node("Relu", ["a"], ["b"]), *tail], outputs=("logits", "b"))
refuse("r-inputs", 5, "several inputs", [node("Add", ["x", "y"], ["z"]), node("Conv", ["z", "w"], ["a"]), node("Relu", ["a"], ["b"]), *tail], inputs=("x", "y"))
refuse("r-reflect", 5, "only padding with a constant", [node("Pad", ["x", "p"], ["q"], mode="reflect"), node("Conv", ["q", "w"], ["a"]), node("Relu", ["a"], ["b"]), *tail],
       {"p": np.array([0, 0, 1, 0, 0, 1])})
refuse("r-max", 5, "padded with zeros", [conv, node("Pad", ["a", "p"], ["q"]), node("MaxPool", ["q"], ["b"], kernel_shape=[3]), *tail], {"p": np.array([0, 0, 1, 0, 0, 1])})
refuse("r-weights", 5, "computed from the data", [node("Conv", ["x", "x"], ["a"]), node("Relu", ["a"], ["b"]), *tail])
refuse("r-product", 5, "two computed values", [conv, node("Mul", ["a", "a"], ["b"]), *tail])
refuse("r-time", 5, "only channels can be joined", [conv, node("Concat", ["a", "a"], ["b"], axis=2), *tail])
refuse("r-not-logits", 5, "not one row of logits", [conv, node("Relu", ["a"], ["logits"])])
refuse("r-windows", 5, "from one window to another", [conv, node("Reshape", ["a", "s"], ["b"]), *tail], {"s": np.array([-1, 4, 3])})
refuse("r-channels", 3, "do not fit an input of 5 channels", [conv, node("Relu", ["a"], ["b"]), *tail], shape=(5, 8))
refuse("r-kernel", 3, "does not fit its", [conv, node("Relu", ["a"], ["b"]), *tail], shape=(3, 2))
refuse("r-rows", 3, "do not fit rows of 4", [conv, node("Relu", ["a"], ["b"]), *tail], {"v": np.zeros((5, 2), np.float32)})
refuse("r-missing", 3, "nothing makes its input 'u'", [node("Conv", ["x", "u"], ["a"]), node("Relu", ["a"], ["b"]), *tail])
refuse("r-later", 3, "made by a later node", [node("Relu", ["a"], ["b"]), conv, *tail])
refuse("r-twice", 3, "defined twice", [conv, node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["a"]), *tail])
refuse("r-not-finite", 3, "not finite", [conv, node("Relu", ["a"], ["b"]), *tail], {"w": np.full((4, 3, 3), np.nan, np.float32)})
refuse("r-short", 3, "needs 144 bytes by its dimensions and has 140", [conv, node("Relu", ["a"], ["b"]), *tail],
       {"w": onnx.TensorProto(name="w", dims=[4, 3, 3], data_type=1, raw_data=bytes(140))})
refuse("r-huge", 3, "dimension", [conv, node("Relu", ["a"], ["b"]), *tail], {"w": onnx.TensorProto(name="w", dims=[1 << 40, 1 << 40], data_type=1, raw_data=bytes(4))})
for name, status, words, place in (("r-outside", 5, "--external-data", "w.bin"), ("r-path", 3, "not the plain name", "../w.bin"), ("r-absolute", 3, "not the plain name", "/etc/passwd"),
                                   ("r-beyond", 3, "needs bytes 4 to 148", "few.bin"), ("r-absent", 4, "cannot read", "none.bin")):
    w = onnx.TensorProto(name="w", dims=[4, 3, 3], data_type=1, data_location=1)
    w.external_data.add(key="location", value=place)
    w.external_data.add(key="offset", value="4")
    refuse(name, status, words, [conv, node("Relu", ["a"], ["b"]), *tail], {"w": w})
open(os.path.join(folder, "few.bin"), "wb").write(bytes(147))
save("small", [conv, node("Relu", ["a"], ["b"]), *tail], {"w": np.ones((4, 3, 3), np.float32), "v": np.ones((4, 2), np.float32)}, (3, 8))
for f in (cases, refused):
    f.flush()

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    sys.exit(0)
torch.set_num_threads(1)
torch.manual_seed(5)


def lifelike(net):
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.running_mean.normal_(0, 0.3)
            m.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(m.weight, 1, 0.2)
            nn.init.normal_(m.bias, 0, 0.2)
    return net.eval()


def export(name, net, shape, opset, fixed=False, channels_last=True, given=(0, 0, 0), axes=None, **how):
    x = torch.randn(3 if not fixed else 2, *shape)
    lifelike(net)
    axes = axes or (None if fixed else {"x": {0: "n"}, "logits": {0: "n"}})
    torch.onnx.export(net, x, os.path.join(folder, name + ".onnx"), input_names=["x"], output_names=["logits"], opset_version=opset, dynamic_axes=axes, **how)
    y = net(x).detach().numpy()
    add_case(name, x.reshape(len(x), given[0], -1).numpy() if given[0] else x.numpy(), y, channels_last, given)


class Fn(nn.Module):
    def __init__(self, forward, **parts):
        super().__init__()
        for key, part in parts.items():
            setattr(self, key, part)
        self.f = forward

    def forward(self, x):
        return self.f(self, x)


preserve = {"training": torch.onnx.TrainingMode.PRESERVE}
for opset in (9, 11, 13, 17):
    series = nn.Sequential(nn.Conv1d(5, 8, 7, padding=3), nn.BatchNorm1d(8), nn.ReLU6(), nn.MaxPool1d(3, 2, 1), nn.Conv1d(8, 12, 5, padding=4, dilation=2, groups=4, bias=False),
                           nn.BatchNorm1d(12), nn.ReLU(), nn.AvgPool1d(3, 2, 1, count_include_pad=True), nn.Dropout(0.5), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(12, 4))
    export("series-%d" % opset, series, (5, 40), opset)
    export("series-norms-%d" % opset, series, (5, 40), opset, do_constant_folding=False, **preserve)
    export("shapes-%d" % opset, Fn(lambda m, x: m.fc(m.conv(x).relu().view(x.size(0), -1)), conv=nn.Conv2d(3, 4, 3, stride=2), fc=nn.Linear(4 * 3 * 5, 3)), (3, 8, 12), opset,
           do_constant_folding=False)
    export("means-%d" % opset, Fn(lambda m, x: m.fc(m.conv(x).mean(2).mean(-1, keepdim=True).squeeze(2)), conv=nn.Conv2d(2, 6, 3), fc=nn.Linear(6, 4)), (2, 7, 9), opset)
    export("pads-%d" % opset, Fn(lambda m, x: m.fc(F.max_pool1d(F.relu(F.pad(m.b(F.pad(m.a(F.pad(x, (4, 1))), (1, 2)).relu()), (2, 0))), 3, 2).flatten(1)), a=nn.Conv1d(3, 5, 3),
                                 b=nn.Conv1d(5, 4, 3), fc=nn.Linear(4 * 12, 3)), (3, 19), opset)
    export("normalised-%d" % opset, Fn(lambda m, x: m.fc(m.conv((x - m.mean) / m.std).relu().mean(2)), mean=nn.Parameter(torch.randn(1, 4, 1)), std=nn.Parameter(torch.rand(1, 4, 1) + 0.5),
                                       conv=nn.Conv1d(4, 6, 3, padding=1), fc=nn.Linear(6, 3)), (4, 10), opset)
    export("products-%d" % opset, Fn(lambda m, x: (m.lin(x.permute(0, 2, 1)).relu() @ m.w + m.b).permute(0, 2, 1).mean(2) @ m.v + m.c, lin=nn.Linear(6, 8), w=nn.Parameter(torch.randn(8, 5)),
                                     b=nn.Parameter(torch.randn(5)), v=nn.Parameter(torch.randn(5, 3)), c=nn.Parameter(torch.randn(3))), (6, 14), opset)
export("fixed", nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 6, 3), nn.Softmax(1))[:4], (1, 6, 8), 12, fixed=True)
export("ceiling", nn.Sequential(nn.Conv2d(3, 4, 1), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d((2, 3), (2, 2), ceil_mode=True), nn.Flatten(), nn.Linear(4 * 2 * 3, 3)), (3, 8, 9), 13)
export("averages", nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.Conv2d(2, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)), (2, 5, 6), 13)
export("channels-last", Fn(lambda m, x: m.fc(m.conv(x.transpose(1, 2)).relu().amax(2) if False else m.pool(m.conv(x.transpose(1, 2)).relu()).squeeze(2)), conv=nn.Conv1d(6, 8, 5, padding=2),
                           pool=nn.AdaptiveMaxPool1d(1), fc=nn.Linear(8, 3)), (20, 6), 13, channels_last=False)
export("upright", Fn(lambda m, x: m.fc(m.b(m.a(x).relu()).relu().mean((2, 3))), a=nn.Conv2d(4, 6, (5, 1), padding=(2, 0)), b=nn.Conv2d(6, 7, (3, 1), stride=(2, 1)), fc=nn.Linear(7, 3)),
       (4, 15, 1), 13)
export("lifted", Fn(lambda m, x: m.fc(m.b(m.a(x).unsqueeze(2)).squeeze(2).flatten(1)), a=nn.Conv1d(3, 4, 3), b=nn.Conv2d(4, 5, (1, 3), padding=(0, 1)), fc=nn.Linear(5 * 8, 3)), (3, 10), 13)
export("flat-norm", nn.Sequential(nn.Linear(9, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 5), nn.Identity()), (9,), 14, **preserve)
export("many-joined", Fn(lambda m, x: m.fc(torch.cat([c(x) for c in m.convs], 1).relu().mean(2)), convs=nn.ModuleList([nn.Conv1d(3, k % 3 + 1, 3, padding=1) for k in range(19)]),
                         fc=nn.Linear(sum(k % 3 + 1 for k in range(19)), 4)), (3, 12), 13)
export("scaled-sums", Fn(lambda m, x: m.fc((m.a(x) * 0.5 + m.g + m.b(x).relu() - 1.5 + x).relu().mean(2)), a=nn.Conv1d(5, 5, 3, padding=1, bias=False), b=nn.Conv1d(5, 5, 3, padding=1),
                         g=nn.Parameter(torch.randn(5, 1)), fc=nn.Linear(5, 3)), (5, 11), 13)
export("shared-input", Fn(lambda m, x: m.fc((F.relu(m.a(x)) + (x * 2 + 1)).mean(2)), a=nn.Conv1d(4, 4, 3, padding=1), fc=nn.Linear(4, 3)), (4, 9), 13)
export("once-more", Fn(lambda m, x: (lambda y: m.fc((y + m.g).relu() + y))(m.lin(x.flatten(1))), lin=nn.Linear(12, 6, bias=False), g=nn.Parameter(torch.randn(6)), fc=nn.Linear(6, 3)), (3, 4), 13)
rows = Fn(lambda m, x: m.fc(m.conv(x.view(-1, 3, 5)).relu().flatten(1)), conv=nn.Conv1d(3, 4, 2), fc=nn.Linear(16, 3))
export("rows", rows, (15,), 13, given=(3, 1, 5))
export("open", nn.Sequential(nn.Conv1d(3, 4, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3)), (3, 9), 13, given=(3, 1, 9), axes={"x": {0: "n", 2: "t"}})


# ---- what newer exporters write, by hand: the same net in other words

def build(name, nodes, weights, shape, reference, opset):
    model = save(name, nodes, weights, shape, opset)
    x = torch.randn(3, *shape)
    add_case(name, x.numpy(), reference(x).detach().numpy())
    return model


def net_of(w):
    return lambda x: F.linear(F.pad(F.relu6(F.conv1d(x, w["w"], w["b"], padding=1)), (1, 2)).mean(2), w["v"], w["c"])


w = {"w": torch.randn(6, 3, 3), "b": torch.randn(6), "v": torch.randn(4, 6), "c": torch.randn(4)}
npw = {k: v.numpy() for k, v in w.items()}
common = [helper.make_node("Conv", ["x", "w", "b"], ["y0"], "conv", kernel_shape=[3], pads=[1, 1]), helper.make_node("Clip", ["y0", "zero", "six"], ["y1"], "clip"),
          helper.make_node("Pad", ["y1", "pads", "", "pad_axes"], ["y2"], "pad")]
consts = {"zero": np.float32(0), "six": np.float32(6), "pads": np.array([1, 2], np.int64), "pad_axes": np.array([-1], np.int64), "axes": np.array([2], np.int64)}
build("newest", common + [helper.make_node("ReduceMean", ["y2", "axes"], ["y3"], "mean", keepdims=0), helper.make_node("Gemm", ["y3", "vt", "c"], ["logits"], "fc", alpha=2.0, beta=1.0)],
      {**{k: npw[k] for k in "wbc"}, "vt": npw["v"].T / 2, **consts}, (3, 11), net_of(w), 18)
half = {"w": npw["w"].astype(np.float16), "v": npw["v"].astype(np.float64)}
build("constants", [helper.make_node("Constant", [], ["w16"], "c0", value=numpy_helper.from_array(half["w"])), helper.make_node("Cast", ["w16"], ["w32"], "cast", to=TensorProto.FLOAT),
                    helper.make_node("Identity", ["w32"], ["w"], "same"), helper.make_node("Constant", [], ["zero"], "c1", value_float=0.0), helper.make_node("Constant", [], ["two"], "c2", value_ints=[2]),
                    helper.make_node("Conv", ["x", "w", "b"], ["y0"], "conv", auto_pad="SAME_UPPER", kernel_shape=[3]), helper.make_node("Clip", ["y0", "zero", "six"], ["y1"], "clip"),
                    helper.make_node("Pad", ["y1", "pads"], ["y2"], "pad"), helper.make_node("GlobalAveragePool", ["y2"], ["y3"], "gap"), helper.make_node("Squeeze", ["y3", "two"], ["y4"], "squeeze"),
                    helper.make_node("Transpose", ["v"], ["vt"], "turn", perm=[1, 0]), helper.make_node("MatMul", ["y4", "vt"], ["y5"], "mul"), helper.make_node("Add", ["c", "y5"], ["y6"], "add"),
                    helper.make_node("Softmax", ["y6"], ["logits"], "softmax", axis=1)],
      {"b": npw["b"], "v": half["v"], "c": npw["c"], "six": np.float32(6), "pads": np.array([0, 0, 1, 0, 0, 2], np.int64)}, (3, 11),
      net_of({**w, "w": torch.tensor(half["w"].astype(np.float32))}), 13)
model = build("outside", common + [helper.make_node("ReduceMean", ["y2", "axes"], ["y3"], "mean", keepdims=0), helper.make_node("Gemm", ["y3", "v", "c"], ["logits"], "fc", transB=1)], {**npw, **consts},
              (3, 11), net_of(w), 18)
onnx.save_model(model, os.path.join(folder, "outside.onnx"), save_as_external_data=True, location="outside.bin", size_threshold=0)
