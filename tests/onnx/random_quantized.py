"""random_quantized.py FOLDER SEED COUNT: random QDQ models as quantizers write them, and ONNX Runtime's logits.

Every value between operators is quantized to signed or unsigned codes with any zero point, and weights per tensor or
per channel. Files and the list FOLDER/quantized have the forms of quantized_models.py. Exit status 77: a library is
missing.
"""
import os
import subprocess
import sys

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError:
    sys.exit(77)
folder, here, seed, count, n = (sys.argv[1], os.path.dirname(os.path.abspath(__file__)), int(sys.argv[2]),
                                int(sys.argv[3]), 40)
torch.set_num_threads(1)
ACTS = {"Relu": F.relu, "LeakyRelu": lambda v: F.leaky_relu(v, 0.1), "Sigmoid": torch.sigmoid, "Tanh": torch.tanh,
        "HardSwish": F.hardswish, "HardSigmoid": lambda v: torch.clip(v * 0.2 + 0.5, 0, 1), "Elu": F.elu,
        "Softplus": F.softplus, "Erf": torch.erf, "Abs": torch.abs, "Neg": torch.neg}


class Net:
    def __init__(self, rng):
        self.rng, self.nodes, self.weights, self.values, self.steps = rng, [], [], {}, {}
        self.opset = self.pick(11, 13, 13, 15, 17, 21)
        shape = [3, 16] if rng.random() < 0.7 else [3, 8, 6]
        self.x = torch.tensor(rng.normal(size=[n] + shape) + rng.normal(size=[n, 3] + [1] * (len(shape) - 1))).float()
        self.values["x"] = self.x
        self.kind = self.pick("i1", "i1", "u1")
        self.live = [self.coded("x")]

    def pick(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def constant(self, value, kind="f4"):
        self.weights.append(numpy_helper.from_array(np.asarray(value, kind), "k%d" % len(self.weights)))
        return self.weights[-1].name

    def add(self, op, inputs, value, **attributes):
        self.nodes.append(helper.make_node(op, inputs, ["v%d" % len(self.nodes)], "%s_%d" % (op, len(self.nodes)),
                                           **attributes))
        self.values[self.nodes[-1].output[0]] = value
        return self.nodes[-1].output[0]

    def coded(self, at, like=None):
        """Adds QuantizeLinear and DequantizeLinear of a value; like: the value whose scale they get."""
        v = self.values[at]
        if like is None:
            kind = self.pick(self.kind, self.kind, self.kind, "u1")
            low, high = min(0.0, float(v.min())), max(0.0, float(v.max()))
            if kind == "i1" and self.rng.random() < 0.5:  # symmetric
                scale, zero = np.float32(max(-low, high, 1e-3) * self.rng.uniform(0.9, 1.02) / 127), 0
            else:
                least = -128 if kind == "i1" else 0
                scale = np.float32(max(high - low, 1e-3) * self.rng.uniform(0.9, 1.02) / 255)
                zero = int(np.clip(np.round(least - low / scale), least, least + 255))
        else:
            kind, scale, zero = self.steps[like]
        least = -128 if kind == "i1" else 0
        s, z = self.constant(scale), self.constant(zero, kind)
        q = (torch.clip(torch.round(v / float(scale)) + zero, least, least + 255) - zero) * float(scale)
        c = self.add("QuantizeLinear", [at, s, z], None)
        out = self.add("DequantizeLinear", [c, s, z], q)
        if self.rng.random() < 0.1:  # QuantizeLinear and DequantizeLinear for each reader
            c = self.add("QuantizeLinear", [at, s, z], None)
            self.steps[self.add("DequantizeLinear", [c, s, z], q)] = kind, scale, zero
        self.steps[out] = kind, scale, zero
        return out

    def layer(self, shape, axis):
        """Adds weights as codes. Returns their name, real numbers and scale."""
        w = self.rng.normal(size=shape) / np.sqrt(np.prod(shape) / shape[axis])
        form, by_channel = self.pick("i1", "i1", "i1 any", "u1 any"), self.opset > 12 and self.rng.random() < 0.5
        over = tuple(k for k in range(w.ndim) if k != axis or not by_channel)
        low, high = np.minimum(w.min(over), 0), np.maximum(w.max(over), 0)
        least = 0 if form[0] == "u" else -128
        if "any" in form:
            scale = ((high - low) / 255).astype("f4")
            zero = np.clip(np.round(least - low / scale), least, least + 255)
        else:
            scale = (np.maximum(-low, high) / 127).astype("f4")
            zero = np.zeros(scale.shape)
        wide = [-1 if k == axis else 1 for k in range(w.ndim)] if by_channel else []
        q = np.clip(np.round(w / scale.reshape(wide)) + zero.reshape(wide), least, least + 255)
        more = {"axis": axis} if by_channel else {}
        real = torch.tensor((q - zero.reshape(wide)) * scale.reshape(wide)).float()
        kind = form[:2]
        return self.add("DequantizeLinear", [self.constant(q, kind), self.constant(scale), self.constant(zero, kind)],
                        real, **more), real, scale

    def bias(self, at, scale, out):
        """Adds a bias, as codes of 32 bits or as real numbers."""
        step = (self.steps[at][1] * scale * np.ones(out)).astype("f4")
        codes = self.rng.integers(-300, 300, out)
        if self.rng.random() < 0.3 or self.opset < 13:
            return self.constant(codes * step), torch.tensor(codes * step).float()
        real = torch.tensor(codes * step).float()
        return self.add("DequantizeLinear", [self.constant(codes, "i4"), self.constant(step)], real, axis=0), real

    def grow(self):
        at = self.live[-1] if self.rng.random() < 0.7 else self.pick(*self.live)
        v = self.values[at]
        rank, pick = v.ndim, self.pick
        what = pick("conv", "conv", "conv", "conv", "act", "act", "add", "add", "mul", "sub", "concat", "pool",
                    "average", "reshape", "transpose", "clip", "slice", "pad", "scale", "gate", "norm", "twice",
                    "split", "reduce", "prelu", "shuffle", "again")
        if what == "conv" and rank > 2:
            c, groups = v.shape[1], 1
            out = int(self.rng.integers(2, 9))
            if self.rng.random() < 0.3:
                groups, out = c, c * pick(1, 2)
            if out > 24:
                return
            k = [pick(1, 3) for _ in v.shape[2:]]
            w, real, scale = self.layer((out, c // groups, *k), 0)
            b, shift = self.bias(at, scale, out) if self.rng.random() < 0.7 else (None, None)
            stride = pick(1, 1, 2)
            pads = [i // 2 for i in k]
            y = (F.conv1d if rank == 3 else F.conv2d)(v, real, shift, stride, pads, 1, groups)
            at = self.add("Conv", [at, w] + ([b] if b else []), y, group=groups, pads=pads * 2,
                          strides=[stride] * (rank - 2), kernel_shape=k)
            how = pick("", "Relu", "Relu", "Clip")
            if how == "Relu":
                at = self.add("Relu", [at], F.relu(y))
            if how == "Clip":
                low, high = pick((0, 6), (0, 1), (-1, 1))
                at = self.add("Clip", [at, self.constant(low), self.constant(high)], torch.clip(y, low, high))
        elif what == "act":
            op = pick(*ACTS)
            if self.opset < {"HardSwish": 14}.get(op, 0):
                return
            more = {"alpha": 0.1} if op == "LeakyRelu" else {}
            at = self.add(op, [at], ACTS[op](v), **more)
        elif what in ("add", "sub", "mul"):
            mates = [m for m in self.live if self.values[m].shape == v.shape and (what != "sub" or m != at)]
            if not mates:
                return
            mate = pick(*mates)
            m = self.values[mate]
            y = v + m if what == "add" else v - m if what == "sub" else v * m
            at = self.add(what.capitalize(), [at, mate], y)
            if self.rng.random() < 0.3 and what == "add":
                at = self.add("Relu", [at], F.relu(y))
        elif what == "concat":
            mates = [m for m in self.live if self.values[m].ndim == rank and
                     self.values[m].shape[2:] == v.shape[2:]]
            parts = [at] + [pick(*mates) for _ in range(pick(1, 1, 2))]
            if sum(self.values[p].shape[1] for p in parts) < 24 or rank == 2:
                at = self.add("Concat", parts, torch.cat([self.values[p] for p in parts], 1), axis=1)
        elif what == "pool" and rank == 3 and v.shape[2] > 3:
            y = self.add("MaxPool", [at], F.max_pool1d(v, 2), kernel_shape=[2], strides=[2])
            self.live.append(self.coded(y, at))
            return
        elif what == "average" and rank == 3 and v.shape[2] > 3:
            at = self.add("AveragePool", [at], F.avg_pool1d(v, 2), kernel_shape=[2], strides=[2])
        elif what == "reshape" and rank == 4:
            y = self.add("Reshape", [at, self.constant([0, v.shape[1], -1], "i8")], v.flatten(2))
            self.live.append(self.coded(y, at))
            return
        elif what == "transpose" and rank > 2:
            perm = [0] + [int(k) + 1 for k in self.rng.permutation(rank - 1)]
            y = self.add("Transpose", [at], v.permute(perm), perm=perm)
            self.live.append(self.coded(y, at))
            return
        elif what == "clip":
            low, high = pick((0.0, 1.0), (-0.5, 0.5), (-1.0, 2.0))
            at = self.add("Clip", [at, self.constant(low), self.constant(high)], torch.clip(v, low, high))
        elif what == "slice" and v.shape[1] > 2:
            y = self.add("Slice", [at, *(self.constant([k], "i8") for k in (1, 1 << 40, 1))], v[:, 1:])
            self.live.append(self.coded(y, at) if self.rng.random() < 0.7 else y)
            self.steps.setdefault(y, self.steps[at])
            return
        elif what == "pad" and rank == 3:
            pads = [0, 0, 1, 0, 0, 2]
            y = self.add("Pad", [at, self.constant(pads, "i8")], F.pad(v, (1, 2)))
            self.live.append(self.coded(y, at))
            return
        elif what == "scale":
            k = self.rng.normal(size=pick((), (1, v.shape[1]) + (1,) * (rank - 2)))
            k = torch.tensor(k).float()
            op = pick("Mul", "Add", "Sub", "Div")
            k = k.abs() + 0.5 if op == "Div" else k
            y = v * k if op == "Mul" else v + k if op == "Add" else v - k if op == "Sub" else v / k
            at = self.add(op, [at, self.constant(k.numpy())], y)
        elif what == "gate" and rank > 2:
            axes = tuple(range(2, rank))
            g = self.coded(self.add("GlobalAveragePool", [at], v.mean(axes, keepdim=True)))
            op = pick("Sigmoid", "HardSigmoid")
            g = self.coded(self.add(op, [g], ACTS[op](self.values[g])))
            at = self.add("Mul", [at, g], v * self.values[g])
        elif what == "norm" and rank > 2:
            c = v.shape[1]
            p = [torch.tensor(self.rng.uniform(0.5, 1.5, c)).float() for _ in range(4)]
            at = self.add("BatchNormalization", [at] + [self.constant(k.numpy()) for k in p],
                          F.batch_norm(v, p[2], p[3], p[0], p[1], eps=1e-5))
        elif what == "twice":  # requantized
            self.live.append(self.coded(at))
            return
        elif what == "split" and v.shape[1] % 2 == 0:
            c = v.shape[1] // 2
            more = {"split": [c, c]} if self.opset < 13 else {}
            ins = [at] + ([self.constant([c, c], "i8")] if not more else [])
            names = ["v%d_a" % len(self.nodes), "v%d_b" % len(self.nodes)]
            self.nodes.append(helper.make_node("Split", ins, names, "split_%d" % len(self.nodes), axis=1, **more))
            for k, name in enumerate(names):
                self.values[name] = v[:, k * c:(k + 1) * c]
                self.live.append(self.coded(name, at))
            return
        elif what == "reduce" and rank > 2:
            axis, keep = int(self.rng.integers(1, rank)), pick(0, 1)
            ins, more = ([at], {"axes": [axis]}) if self.opset < 18 else ([at, self.constant([axis], "i8")], {})
            op, y = pick(("ReduceMean", v.mean), ("ReduceMax", v.amax), ("ReduceMin", v.amin))
            at = self.add(op, ins, y(axis, keepdim=bool(keep)), keepdims=keep, **more)
        elif what == "prelu":
            k = torch.tensor(self.rng.normal(size=(1,))).float()
            at = self.add("PRelu", [at, self.constant(k.numpy())], torch.where(v < 0, v * k, v))
        elif what == "shuffle" and rank > 2 and v.shape[1] % 2 == 0:
            shape = list(v.shape[1:])
            t = [2, shape[0] // 2] + shape[1:]
            y = self.add("Reshape", [at, self.constant([0] + t, "i8")], v.reshape([n] + t))
            y = self.add("Transpose", [y], self.values[y].transpose(1, 2), perm=[0, 2, 1] + list(range(3, rank + 1)))
            y = self.add("Reshape", [y, self.constant([0] + shape, "i8")], self.values[y].reshape(v.shape))
            self.live.append(self.coded(y, at))
            return
        elif what == "again" and rank > 2:  # two QuantizeLinear nodes with different scales read one value
            c = v.shape[1]
            w, real, scale = self.layer((c, c, *[1] * (rank - 2)), 0)
            y = self.add("Conv", [at, w], (F.conv1d if rank == 3 else F.conv2d)(v, real))
            self.live.append(self.coded(y))
            at = self.add("Relu", [y], F.relu(self.values[y])) if self.rng.random() < 0.5 else y
        else:
            return
        if at not in self.live:
            self.live.append(self.coded(at))

    def finish(self, path):
        at = self.live[-1]
        v = self.values[at]
        if v.ndim > 2 and self.rng.random() < 0.6:
            at = self.coded(self.add("GlobalAveragePool", [at], v.mean(tuple(range(2, v.ndim)), keepdim=True)))
        if self.values[at].ndim > 2:
            at = self.coded(self.add("Flatten", [at], self.values[at].flatten(1)), at)
        features = self.values[at].shape[1]
        turned = self.pick(0, 1)
        w, real, scale = self.layer((4, features) if turned else (features, 4), 0 if turned else 1)
        b, shift = self.bias(at, scale, 4)
        y = self.values[at] @ (real.T if turned else real) + shift
        at = self.add("Gemm", [at, w, b], y, transB=turned)
        ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"] + list(self.x.shape[1:])),
                helper.make_tensor_value_info(at, TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "g", ends[:1], ends[1:], self.weights)
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                               ir_version=8 if self.opset < 21 else 10), path + ".onnx")
        self.x.numpy().astype("<f4").tofile(path + ".x")
        return float(y.abs().max()) / 127


cases, jobs = [], []
for i in range(count):
    net = Net(np.random.default_rng([seed, i]))
    for _ in range(int(net.rng.integers(2, 9))):
        net.grow()
    path = os.path.join(folder, "random-%d" % i)
    step = net.finish(path)
    shape = list(net.x.shape[1:])
    jobs += [path + ".onnx", path + ".x", ",".join(map(str, [n] + shape)), path + ".y"]
    cases.append("random-%d %.9g %d %d %d" % (i, step, shape[0], shape[1] if len(shape) > 2 else 1, shape[-1]))
with open(os.path.join(folder, "quantized"), "w") as f:
    f.write("\n".join(cases) + "\n")
for k in range(0, len(jobs), 400):
    status = subprocess.call(["node", os.path.join(here, "run.js"), *jobs[k:k + 400]])
    if status:
        sys.exit(status)
