"""make_models.py FOLDER [DUMPS]: ONNX models with inputs and the logits that PyTorch gives, for tests/unit/test_onnx.c.

A case is NAME.onnx, NAME.x (windows, float32, [n][height][width][channels]), NAME.y (logits, float32) and a line
"NAME n C H W" in FOLDER/cases. C, H and W are the shape that the user must give, or 0. A model that must be refused is
NAME.onnx and a line "NAME STATUS WORDS" in FOLDER/refused. DUMPS is a folder of NAME.onnx with NAME.npz (x, logits). If
PyTorch is missing, only the dumps become cases. Exit status 77: python3-numpy or python3-onnx is missing.
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


def save(name, nodes, weights, shape, opset=13, outputs=("logits",), inputs=("x",), batch="n"):
    values = [[helper.make_tensor_value_info(v, TensorProto.FLOAT, dims) for v in names]
              for names, dims in ((inputs, [batch, *shape]), (outputs, None))]
    graph = helper.make_graph(nodes, "net", *values, [tensor(k, v) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    onnx.save(model, os.path.join(folder, name + ".onnx"))
    return model


def refuse(name, status, words, nodes, weights=None, shape=(3, 8), **how):
    save(name, nodes, {"w": np.zeros((4, 3, 3), np.float32), "v": np.zeros((4, 2), np.float32), **(weights or {})},
         shape, **how)
    refused.write("%s %d %s\n" % (name, status, words))


conv = node("Conv", ["x", "w"], ["a"])
mean = node("ReduceMean", ["b"], ["c"], axes=[2], keepdims=0)
fc = node("MatMul", ["c", "v"], ["logits"])
tail = [mean, fc]
refuse("r-operator", 5, "operator Hardmax (node 'hardmax'): this operator is not supported",
       [conv, node("Hardmax", ["a"], ["b"]), *tail])
refuse("r-recurrent", 5, "recurrent layers are not supported; train a convolutional network",
       [conv, node("GRU", ["a", "w", "w"], ["b"]), *tail])
refuse("r-attribute", 5, "its attribute 'wrap' is not supported",
       [node("Conv", ["x", "w"], ["a"], wrap=1), node("Relu", ["a"], ["b"]), *tail])
refuse("r-attribute-type", 3, "its attribute 'group' is of another type",
       [node("Conv", ["x", "w"], ["a"], group=1.0), node("Relu", ["a"], ["b"]), *tail])
refuse("r-cast", 5, "operator Cast (node 'cast'): it turns computed values into element type 6",
       [conv, node("Cast", ["a"], ["i"], to=6), node("Cast", ["i"], ["b"], "back", to=1), *tail])
four = {k: np.ones(4, np.float32) for k in "smtu"}
refuse("r-training", 5, "export the model in eval mode",
       [conv, node("BatchNormalization", ["a", "s", "t", "m", "u"], ["b"], training_mode=1), *tail], four, opset=15)
refuse("r-training-outputs", 5, "export the model in eval mode",
       [conv, node("BatchNormalization", ["a", "s", "t", "m", "u"], ["b", "o1", "o2", "o3", "o4"]), *tail], four,
       opset=9)
refuse("r-positions", 5, "statistics for each position",
       [conv, node("BatchNormalization", ["a", "s", "t", "m", "u"], ["b"], spatial=0), *tail], four, opset=8)
refuse("r-batch-softmax", 5, "only a softmax over the classes",
       [conv, node("Relu", ["a"], ["b"]), mean, node("MatMul", ["c", "v"], ["d"]),
        node("Softmax", ["d"], ["logits"], axis=0)])
refuse("r-inner-softmax", 5, "it reads the result of a Softmax",
       [conv, node("ReduceMean", ["a"], ["c"], axes=[2], keepdims=0), node("Softmax", ["c"], ["s"]),
        node("MatMul", ["s", "v"], ["logits"])])
refuse("r-windows-slice", 5, "some windows of a batch", [conv, node("Slice", ["a", "i", "j", "i"], ["b"]), *tail],
       {"i": np.array([0]), "j": np.array([1])}, batch=2)
refuse("r-windows-mean", 5, "it goes over the axis of the batch",
       [conv, node("ReduceMean", ["a"], ["b"], axes=[0]), *tail])
refuse("r-order", 5, "operator Einsum (node 'einsum')",
       [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("Einsum", ["t"], ["a"], equation="nct->ntc"),
        node("Relu", ["a"], ["b"]), *tail])
refuse("r-domain", 5, "operators of 'com.microsoft'",
       [conv, helper.make_node("Relu", ["a"], ["b"], "r", domain="com.microsoft"), *tail])
refuse("r-old", 5, "operator set 6", [conv, node("Relu", ["a"], ["b"]), *tail], opset=6)
refuse("r-outputs", 5, "2 outputs ('logits', 'other'): name the output that has the logits with --logits",
       [conv, node("Relu", ["a"], ["b"]), *tail, node("MatMul", ["c", "v"], ["other"])], outputs=("logits", "other"))
refuse("r-inputs", 5, "several inputs",
       [node("Add", ["x", "y"], ["z"]), node("Conv", ["z", "w"], ["a"]), node("Relu", ["a"], ["b"]), *tail],
       inputs=("x", "y"))
refuse("r-reflect", 5, "only padding with a constant",
       [node("Pad", ["x", "p"], ["q"], mode="reflect"), node("Conv", ["q", "w"], ["a"]), node("Relu", ["a"], ["b"]),
        *tail], {"p": np.array([0, 0, 1, 0, 0, 1])})
refuse("r-weights", 5, "computed from the data", [node("Conv", ["x", "x"], ["a"]), node("Relu", ["a"], ["b"]), *tail])
refuse("r-power", 5, "a power with a computed exponent",
       [conv, node("Conv", ["x", "w"], ["a2"]), node("Pow", ["a", "a2"], ["b"]), *tail])
refuse("r-batch-concat", 5, "it joins windows of a batch", [conv, node("Concat", ["a", "a"], ["b"], axis=0), *tail])
refuse("r-not-logits", 5, "not one row of logits", [conv, node("Relu", ["a"], ["logits"])])
refuse("r-windows", 5, "not one row of logits", [conv, node("Reshape", ["a", "s"], ["b"]), *tail],
       {"s": np.array([-1, 4, 3])})
refuse("r-channels", 3, "do not fit an input of 5 channels", [conv, node("Relu", ["a"], ["b"]), *tail], shape=(5, 8))
refuse("r-kernel", 3, "does not fit its", [conv, node("Relu", ["a"], ["b"]), *tail], shape=(3, 2))
refuse("r-rows", 3, "do not fit rows of 4", [conv, node("Relu", ["a"], ["b"]), *tail],
       {"v": np.zeros((5, 2), np.float32)})
refuse("r-missing", 3, "nothing makes its input 'u'",
       [node("Conv", ["x", "u"], ["a"]), node("Relu", ["a"], ["b"]), *tail])
refuse("r-autoencoder", 5, "as an autoencoder does",
       [node("Gemm", ["x", "w", ""], ["a"]), node("Relu", ["a"], ["b"]), node("MatMul", ["b", "v"], ["logits"])],
       {"w": np.zeros((20, 4), np.float32), "v": np.zeros((4, 20), np.float32)}, shape=(20,))
refuse("r-later", 3, "made by a later node", [node("Relu", ["a"], ["b"]), conv, *tail])
refuse("r-twice", 3, "defined twice", [conv, node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["a"]), *tail])
refuse("r-not-finite", 3, "not finite", [conv, node("Relu", ["a"], ["b"]), *tail],
       {"w": np.full((4, 3, 3), np.nan, np.float32)})
refuse("r-short", 3, "needs 144 bytes by its dimensions and has 140", [conv, node("Relu", ["a"], ["b"]), *tail],
       {"w": onnx.TensorProto(name="w", dims=[4, 3, 3], data_type=1, raw_data=bytes(140))})
refuse("r-huge", 3, "dimension", [conv, node("Relu", ["a"], ["b"]), *tail],
       {"w": onnx.TensorProto(name="w", dims=[1 << 40, 1 << 40], data_type=1, raw_data=bytes(4))})
# a few bytes that ask for gigabytes
many = "far more than the file"
fill = node("ConstantOfShape", ["size"], ["big"])
add = [node("Conv", ["x", "w"], ["a"]), node("Add", ["a", "k"], ["b"]), *tail]
refuse("r-filled", 5, "operator ConstantOfShape (node 'constantofshape'): its result and the values before it take",
       [fill, node("Conv", ["x", "big"], ["a"]), node("Relu", ["a"], ["b"]), *tail],
       {"size": np.array([60000, 3, 20000])})
refuse("r-filled-often", 5, many,
       [n for i in range(9) for n in (node("ConstantOfShape", ["size"], ["k%d" % i]),)] +
       [node("Add", ["k%d" % i, "k8" if i == 7 else "s%d" % (i + 1)], ["s%d" % i]) for i in range(7, -1, -1)] +
       [node("Reshape", ["s0", "shape"], ["k"]), *add], {"size": np.array([1 << 21]), "shape": np.array([1, 4, 6])})
refuse("r-outer-product", 5, many, [node("Mul", ["col", "row"], ["k"]), *add],
       {"col": np.ones((5000, 1), np.float32), "row": np.ones((1, 5000), np.float32)})
refuse("r-picked-often", 5, many,
       [node("Gather", ["few" if i == 0 else "g%d" % (i - 1), "places"], ["g%d" % i], axis=0) for i in range(900)] +
       [conv, node("Reshape", ["a", "g899"], ["b"]), *tail],
       {"few": np.array([1, 4, 6]), "places": np.zeros(20000, np.int64)})
refuse("r-weights-often", 5, many,
       [node("Conv", ["x" if i == 0 else "y%d" % (i - 1), "u"], ["y%d" % i], pads=[1, 1]) for i in range(900)] +
       [node("Conv", ["y899", "w"], ["a"]), node("Relu", ["a"], ["b"]), *tail],
       {"u": np.zeros((100, 100, 3), np.float32), "w": np.zeros((4, 100, 3), np.float32)}, shape=(100, 8))
for name, status, words, place in (("r-outside", 5, "--external-data", "w.bin"),
                                   ("r-path", 3, "not the plain name", "../w.bin"),
                                   ("r-absolute", 3, "not the plain name", "/etc/passwd"),
                                   ("r-beyond", 3, "needs bytes 4 to 148", "few.bin"),
                                   ("r-absent", 4, "cannot read", "none.bin")):
    w = onnx.TensorProto(name="w", dims=[4, 3, 3], data_type=1, data_location=1)
    w.external_data.add(key="location", value=place)
    w.external_data.add(key="offset", value="4")
    refuse(name, status, words, [conv, node("Relu", ["a"], ["b"]), *tail], {"w": w})
open(os.path.join(folder, "few.bin"), "wb").write(bytes(147))
save("small", [conv, node("Relu", ["a"], ["b"]), *tail],
     {"w": np.ones((4, 3, 3), np.float32), "v": np.ones((4, 2), np.float32)}, (3, 8))
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
    torch.onnx.export(net, x, os.path.join(folder, name + ".onnx"), input_names=["x"], output_names=["logits"],
                      opset_version=opset, dynamic_axes=axes, **how)
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


def padded(m, x):
    y = m.a(F.pad(x, (4, 1)))
    y = m.b(F.pad(y, (1, 2)).relu())
    return m.fc(F.max_pool1d(F.relu(F.pad(y, (2, 0))), 3, 2).flatten(1))


preserve = {"training": torch.onnx.TrainingMode.PRESERVE}
for opset in (9, 11, 13, 17):
    series = nn.Sequential(nn.Conv1d(5, 8, 7, padding=3), nn.BatchNorm1d(8), nn.ReLU6(), nn.MaxPool1d(3, 2, 1),
                           nn.Conv1d(8, 12, 5, padding=4, dilation=2, groups=4, bias=False), nn.BatchNorm1d(12),
                           nn.ReLU(), nn.AvgPool1d(3, 2, 1, count_include_pad=True), nn.Dropout(0.5),
                           nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(12, 4))
    export("series-%d" % opset, series, (5, 40), opset)
    export("series-norms-%d" % opset, series, (5, 40), opset, do_constant_folding=False, **preserve)
    export("shapes-%d" % opset,
           Fn(lambda m, x: m.fc(m.conv(x).relu().view(x.size(0), -1)), conv=nn.Conv2d(3, 4, 3, stride=2),
              fc=nn.Linear(4 * 3 * 5, 3)), (3, 8, 12), opset, do_constant_folding=False)
    export("means-%d" % opset,
           Fn(lambda m, x: m.fc(m.conv(x).mean(2).mean(-1, keepdim=True).squeeze(2)), conv=nn.Conv2d(2, 6, 3),
              fc=nn.Linear(6, 4)), (2, 7, 9), opset)
    export("pads-%d" % opset,
           Fn(padded, a=nn.Conv1d(3, 5, 3), b=nn.Conv1d(5, 4, 3), fc=nn.Linear(4 * 12, 3)), (3, 19), opset)
    export("normalized-%d" % opset,
           Fn(lambda m, x: m.fc(m.conv((x - m.mean) / m.std).relu().mean(2)), mean=nn.Parameter(torch.randn(1, 4, 1)),
              std=nn.Parameter(torch.rand(1, 4, 1) + 0.5), conv=nn.Conv1d(4, 6, 3, padding=1), fc=nn.Linear(6, 3)),
           (4, 10), opset)
    export("products-%d" % opset,
           Fn(lambda m, x: (m.lin(x.permute(0, 2, 1)).relu() @ m.w + m.b).permute(0, 2, 1).mean(2) @ m.v + m.c,
              lin=nn.Linear(6, 8), w=nn.Parameter(torch.randn(8, 5)), b=nn.Parameter(torch.randn(5)),
              v=nn.Parameter(torch.randn(5, 3)), c=nn.Parameter(torch.randn(3))), (6, 14), opset)
export("fixed", nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 6, 3), nn.Softmax(1))[:4],
       (1, 6, 8), 12, fixed=True)
export("ceiling",
       nn.Sequential(nn.Conv2d(3, 4, 1), nn.MaxPool2d(3, 2, 1, ceil_mode=True),
                     nn.AvgPool2d((2, 3), (2, 2), ceil_mode=True), nn.Flatten(), nn.Linear(4 * 2 * 3, 3)),
       (3, 8, 9), 13)
export("ceiling-9", nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Flatten(),
                                  nn.Linear(196, 3)), (3, 14, 14), 9)  # padding that no window reads
export("averages",
       nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.Conv2d(2, 3, 2), nn.AdaptiveAvgPool2d(1),
                     nn.Flatten(), nn.Linear(3, 3)), (2, 5, 6), 13)
export("channels-last",
       Fn(lambda m, x: m.fc(m.pool(m.conv(x.transpose(1, 2)).relu()).squeeze(2)),
          conv=nn.Conv1d(6, 8, 5, padding=2), pool=nn.AdaptiveMaxPool1d(1), fc=nn.Linear(8, 3)), (20, 6), 13,
       channels_last=False)
export("upright",
       Fn(lambda m, x: m.fc(m.b(m.a(x).relu()).relu().mean((2, 3))), a=nn.Conv2d(4, 6, (5, 1), padding=(2, 0)),
          b=nn.Conv2d(6, 7, (3, 1), stride=(2, 1)), fc=nn.Linear(7, 3)), (4, 15, 1), 13)
export("lifted",
       Fn(lambda m, x: m.fc(m.b(m.a(x).unsqueeze(2)).squeeze(2).flatten(1)), a=nn.Conv1d(3, 4, 3),
          b=nn.Conv2d(4, 5, (1, 3), padding=(0, 1)), fc=nn.Linear(5 * 8, 3)), (3, 10), 13)
export("flat-norm", nn.Sequential(nn.Linear(9, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 5), nn.Identity()),
       (9,), 14, **preserve)
export("many-joined",
       Fn(lambda m, x: m.fc(torch.cat([c(x) for c in m.convs], 1).relu().mean(2)),
          convs=nn.ModuleList([nn.Conv1d(3, k % 3 + 1, 3, padding=1) for k in range(19)]),
          fc=nn.Linear(sum(k % 3 + 1 for k in range(19)), 4)), (3, 12), 13)
export("scaled-sums",
       Fn(lambda m, x: m.fc((m.a(x) * 0.5 + m.g + m.b(x).relu() - 1.5 + x).relu().mean(2)),
          a=nn.Conv1d(5, 5, 3, padding=1, bias=False), b=nn.Conv1d(5, 5, 3, padding=1),
          g=nn.Parameter(torch.randn(5, 1)), fc=nn.Linear(5, 3)), (5, 11), 13)
export("shared-input",
       Fn(lambda m, x: m.fc((F.relu(m.a(x)) + (x * 2 + 1)).mean(2)), a=nn.Conv1d(4, 4, 3, padding=1),
          fc=nn.Linear(4, 3)), (4, 9), 13)
export("once-more",
       Fn(lambda m, x: (lambda y: m.fc((y + m.g).relu() + y))(m.lin(x.flatten(1))), lin=nn.Linear(12, 6, bias=False),
          g=nn.Parameter(torch.randn(6)), fc=nn.Linear(6, 3)), (3, 4), 13)
rows = Fn(lambda m, x: m.fc(m.conv(x.view(-1, 3, 5)).relu().flatten(1)), conv=nn.Conv1d(3, 4, 2), fc=nn.Linear(16, 3))
export("rows", rows, (15,), 13, given=(3, 1, 5))
export("open", nn.Sequential(nn.Conv1d(3, 4, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3)),
       (3, 9), 13, given=(3, 1, 9), axes={"x": {0: "n", 2: "t"}})


# ---- networks as users have them


class Chomp(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        return x[:, :, :-self.n].contiguous()


def squeeze_and_excite(m, x):
    y = F.hardswish(m.c(x))
    gate = m.e(F.relu(m.s(y.mean((2, 3), keepdim=True))))
    return m.fc((y * gate).amax((2, 3)))


def shuffle_channels(m, x):
    a, b = m.c(x).chunk(2, 1)
    y = torch.cat([a, F.silu(m.d(b))], 1)
    y = y.view(-1, 2, 4, 6, 5).transpose(1, 2).reshape(-1, 8, 6, 5)
    return m.fc(y.mean((2, 3)))


eegnet = nn.Sequential(nn.Conv2d(1, 4, (1, 9), padding=(0, 4), bias=False), nn.BatchNorm2d(4),
                       nn.Conv2d(4, 8, (5, 1), groups=4, bias=False), nn.BatchNorm2d(8), nn.ELU(), nn.AvgPool2d((1, 4)),
                       nn.Conv2d(8, 8, (1, 5), padding=(0, 2), groups=8, bias=False), nn.Conv2d(8, 8, 1, bias=False),
                       nn.BatchNorm2d(8), nn.ELU(), nn.AvgPool2d((1, 4)), nn.Flatten(), nn.Linear(16, 3))
tcn = nn.Sequential(nn.Conv1d(4, 6, 3, padding=2), Chomp(2), nn.ReLU(), nn.Conv1d(6, 6, 3, padding=4, dilation=2),
                    Chomp(4), nn.GELU())
gated = Fn(squeeze_and_excite, c=nn.Conv2d(3, 8, 3, stride=2), s=nn.Conv2d(8, 2, 1),
           e=nn.Sequential(nn.Conv2d(2, 8, 1), nn.Hardsigmoid()), fc=nn.Linear(8, 4))
shuffle = Fn(shuffle_channels, c=nn.Conv2d(3, 8, 1), d=nn.Conv2d(4, 4, 3, padding=1, groups=4), fc=nn.Linear(8, 3))
for opset in (11, 13, 17):
    export("eegnet-%d" % opset, Fn(lambda m, x: m.net(x.unsqueeze(1)), net=eegnet), (5, 32), opset, **preserve)
    export("tcn-%d" % opset, Fn(lambda m, x: m.fc(m.net(x)[:, :, -1]), net=tcn, fc=nn.Linear(6, 3)), (4, 21), opset)
    export("gated-%d" % opset, gated, (3, 11, 10), opset)
    export("shuffle-%d" % opset, shuffle, (3, 6, 5), opset)
    export("branches-%d" % opset,
           Fn(lambda m, x: m.fc(m.n(torch.cat([m.a(x).flatten(1), m.b(x).mean(2), x.amax(2)], 1))),
              a=nn.Conv1d(3, 2, 5), b=nn.Conv1d(3, 4, 3), n=nn.BatchNorm1d(2 * 8 + 4 + 3), fc=nn.Linear(23, 3)),
           (3, 12), opset, **preserve)
    export("over-time-%d" % opset,
           Fn(lambda m, x: m.fc(m.b(F.selu(m.a(x.permute(0, 2, 1)))).flatten(1)), a=nn.Linear(3, 5), b=nn.Linear(5, 2),
              fc=nn.Linear(2 * 8, 3)), (3, 8), opset)
    export("glu-%d" % opset, Fn(lambda m, x: m.fc(F.glu(m.c(x), 1).mean(2)), c=nn.Conv1d(3, 8, 3), fc=nn.Linear(4, 3)),
           (3, 9), opset)
for name, act in (("leaky", nn.LeakyReLU(0.2)), ("elu", nn.ELU(0.8)), ("celu", nn.CELU(0.7)), ("mish", nn.Mish()),
                  ("prelu", nn.PReLU(6)), ("relu6", nn.ReLU6()), ("tanh", nn.Tanh()), ("softplus", nn.Softplus())):
    if name == "prelu":
        nn.init.normal_(act.weight)
    export("act-" + name,
           nn.Sequential(nn.Conv1d(3, 6, 3), act, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 3)), (3, 10), 13)
export("head", nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
       (3, 7, 6), 13)
export("relu-head", nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), (3, 7, 6), 13)
one = nn.Sequential(nn.Conv1d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 1), nn.Sigmoid())
x = torch.randn(3, 3, 10)
torch.onnx.export(lifelike(one), x, os.path.join(folder, "one-logit.onnx"), input_names=["x"], output_names=["p"],
                  opset_version=13, dynamic_axes={"x": {0: "n"}})
z = one[:-1](x).detach().numpy()
add_case("one-logit", x.numpy(), np.hstack([np.zeros_like(z), z]))
half = nn.Sequential(nn.Conv1d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 3))
for p in half.parameters():
    p.data = p.data.half().float()
export("half", half, (3, 10), 13)
m = onnx.load(os.path.join(folder, "half.onnx"))
for t in m.graph.initializer:
    t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype(np.float16), t.name))
for v in (*m.graph.input, *m.graph.output):
    v.type.tensor_type.elem_type = TensorProto.FLOAT16
onnx.save(m, os.path.join(folder, "half.onnx"))

# ---- what newer exporters write, by hand: the same network from other operators

def build(name, nodes, weights, shape, reference, opset):
    model = save(name, nodes, weights, shape, opset)
    x = torch.randn(3, *shape)
    add_case(name, x.numpy(), reference(x).detach().numpy())
    return model


def net_of(w):
    return lambda x: F.linear(F.pad(F.relu6(F.conv1d(x, w["w"], w["b"], padding=1)), (1, 2)).mean(2), w["v"], w["c"])


w = {"w": torch.randn(6, 3, 3), "b": torch.randn(6), "v": torch.randn(4, 6), "c": torch.randn(4)}
npw = {k: v.numpy() for k, v in w.items()}
common = [helper.make_node("Conv", ["x", "w", "b"], ["y0"], "conv", kernel_shape=[3], pads=[1, 1]),
          helper.make_node("Clip", ["y0", "zero", "six"], ["y1"], "clip"),
          helper.make_node("Pad", ["y1", "pads", "", "pad_axes"], ["y2"], "pad")]
consts = {"zero": np.float32(0), "six": np.float32(6), "pads": np.array([1, 2], np.int64),
          "pad_axes": np.array([-1], np.int64), "axes": np.array([2], np.int64)}
build("newest",
      common + [helper.make_node("ReduceMean", ["y2", "axes"], ["y3"], "mean", keepdims=0),
                helper.make_node("Gemm", ["y3", "vt", "c"], ["logits"], "fc", alpha=2.0, beta=1.0)],
      {**{k: npw[k] for k in "wbc"}, "vt": npw["v"].T / 2, **consts}, (3, 11), net_of(w), 18)
half = {"w": npw["w"].astype(np.float16), "v": npw["v"].astype(np.float64)}
build("padded-maximum",
      [helper.make_node("Conv", ["x", "w", "b"], ["y0"], "conv"),
       helper.make_node("Pad", ["y0", "pads"], ["y1"], "pad"),
       helper.make_node("MaxPool", ["y1"], ["y2"], "max", kernel_shape=[2], strides=[2]),
       helper.make_node("ReduceMean", ["y2"], ["y3"], "mean", axes=[2], keepdims=0),
       helper.make_node("Gemm", ["y3", "v", "c"], ["logits"], "fc", transB=1)],
      {**npw, "pads": np.array([0, 0, 1, 0, 0, 2], np.int64)}, (3, 11),
      lambda x: F.linear(F.max_pool1d(F.pad(F.conv1d(x, w["w"], w["b"]), (1, 2)), 2).mean(2), w["v"], w["c"]), 13)
build("constants",
      [helper.make_node("Constant", [], ["w16"], "c0", value=numpy_helper.from_array(half["w"])),
       helper.make_node("Cast", ["w16"], ["w32"], "cast", to=TensorProto.FLOAT),
       helper.make_node("Identity", ["w32"], ["w"], "same"),
       helper.make_node("Constant", [], ["zero"], "c1", value_float=0.0),
       helper.make_node("Constant", [], ["two"], "c2", value_ints=[2]),
       helper.make_node("Conv", ["x", "w", "b"], ["y0"], "conv", auto_pad="SAME_UPPER", kernel_shape=[3]),
       helper.make_node("Clip", ["y0", "zero", "six"], ["y1"], "clip"),
       helper.make_node("Pad", ["y1", "pads"], ["y2"], "pad"),
       helper.make_node("GlobalAveragePool", ["y2"], ["y3"], "gap"),
       helper.make_node("Squeeze", ["y3", "two"], ["y4"], "squeeze"),
       helper.make_node("Transpose", ["v"], ["vt"], "turn", perm=[1, 0]),
       helper.make_node("MatMul", ["y4", "vt"], ["y5"], "mul"),
       helper.make_node("Add", ["c", "y5"], ["y6"], "add"),
       helper.make_node("Softmax", ["y6"], ["logits"], "softmax", axis=1)],
      {"b": npw["b"], "v": half["v"], "c": npw["c"], "six": np.float32(6),
       "pads": np.array([0, 0, 1, 0, 0, 2], np.int64)}, (3, 11),
      net_of({**w, "w": torch.tensor(half["w"].astype(np.float32))}), 13)
build("folded",
      [helper.make_node("Mul", ["col", "row"], ["m"], "outer"),
       helper.make_node("Transpose", ["wt"], ["w"], "turn", perm=[2, 1, 0]),
       helper.make_node("Cast", ["b"], ["b16"], "half", to=TensorProto.FLOAT16),
       helper.make_node("Cast", ["b16"], ["bias"], "back", to=TensorProto.FLOAT),
       helper.make_node("Conv", ["x", "w", "bias"], ["y0"], "conv", pads=[1, 1]),
       helper.make_node("Relu", ["y0"], ["y1"], "relu"),
       helper.make_node("ReduceMean", ["y1"], ["y2"], "mean", axes=[2], keepdims=0),
       helper.make_node("MatMul", ["y2", "m"], ["logits"], "fc")],
      {"wt": npw["w"].transpose(2, 1, 0), "b": npw["b"], "col": npw["v"][0][:, None], "row": npw["c"][None]}, (3, 11),
      lambda x: F.relu(F.conv1d(x, w["w"], w["b"].half().float(), padding=1)).mean(2) @ torch.outer(w["v"][0], w["c"]),
      13)
model = build("outside",
              common + [helper.make_node("ReduceMean", ["y2", "axes"], ["y3"], "mean", keepdims=0),
                        helper.make_node("Gemm", ["y3", "v", "c"], ["logits"], "fc", transB=1)], {**npw, **consts},
              (3, 11), net_of(w), 18)
onnx.save_model(model, os.path.join(folder, "outside.onnx"), save_as_external_data=True, location="outside.bin",
                size_threshold=0)
