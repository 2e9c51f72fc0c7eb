"""random_models.py FOLDER SEED COUNT: random graphs of qc-import's operators, and what ONNX Runtime makes of them.

Writes NAME.onnx, NAME.x (three windows in the graph's layout), NAME.y (logits) and a line
"NAME random windows logits rank d1 d2 d3" in FOLDER/random. Exit status 77: a library is missing.
"""
import os
import subprocess
import sys

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
except ImportError:
    sys.exit(77)
here = os.path.dirname(os.path.abspath(__file__))
folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
POINTWISE = {"Relu": {}, "LeakyRelu": {"alpha": 0.1}, "Elu": {"alpha": 0.7}, "Selu": {}, "Sigmoid": {}, "Tanh": {},
             "Softplus": {}, "Softsign": {}, "Erf": {}, "Abs": {}, "Neg": {},
             "HardSigmoid": {"alpha": 0.3, "beta": 0.4}, "HardSwish": {}, "Celu": {"alpha": 0.6}, "Mish": {},
             "Gelu": {}, "Exp": {}}


class Net:
    def __init__(self, rng):
        self.rng, self.nodes, self.weights = rng, [], {}
        self.opset = int(rng.choice([7, 8, 9, 11, 12, 13, 15, 17, 18, 20, 22]))
        rank = int(rng.integers(3, 5))
        shape = [3, 11] if rank == 3 else [2, 7, 6]
        if rng.random() < 0.3:
            shape = shape[1:] + shape[:1]
        self.input, self.values = shape, [("x", shape)]

    def constant(self, array, dtype=np.float32):
        name = "k%d" % len(self.weights)
        self.weights[name] = np.asarray(array, dtype)
        return name

    def add(self, op, inputs, shape, outputs=1, **attributes):
        names = ["v%d" % (len(self.values) + i) for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, "n%d" % len(self.nodes), **attributes))
        shapes = shape if outputs > 1 else [shape]
        self.values += list(zip(names, [list(map(int, s)) for s in shapes]))
        return self.values[-1]

    def lists(self, op, since, x, shape, outputs=1, order=("axes",), **lists):
        """Integers as inputs since that operator set, as attributes before."""
        values = {k: v for k, v in lists.items() if k in order}
        rest = {k: v for k, v in lists.items() if k not in order}
        if self.opset >= since:
            return self.add(op, [x] + [self.constant(values[k], np.int64) if k in values else "" for k in order], shape,
                            outputs, **rest)
        return self.add(op, [x], shape, outputs, **values, **rest)

    def normal(self, *shape, scale=1.0):
        return self.rng.normal(size=shape) * scale

    def grow(self):
        r = self.rng
        x, s = self.values[-1] if r.random() < 0.75 else self.values[int(r.integers(len(self.values)))]
        rank, size = len(s) + 1, int(np.prod(s))
        if not s:
            return
        pick = lambda *options: options[int(r.integers(len(options)))]
        what = pick("conv", "conv", "pool", "norm", "act", "act", "const", "const", "two", "gate", "concat",
                    "transpose", "reshape", "unit", "slice", "split", "gather", "pad", "reduce", "matmul", "flatten",
                    "clip", "prelu", "gelu", "silu", "pow", "minmax", "cast", "rsub", "wide", "sum", "same", "shaped",
                    "shuffle", "fold", "root", "quotient", "expand", "deviation", "places",
                    "learned")
        if what == "conv" and rank in (3, 4):
            c, d = s[0], s[1:]
            k = [int(r.integers(1, min(4, n) + 1)) for n in d]
            stride = [int(r.integers(1, 3)) for _ in d]
            dil = [int(r.integers(1, 3)) if (kk - 1) * 2 + 1 <= n else 1 for kk, n in zip(k, d)]
            pads = [int(r.integers(0, 3)) for _ in range(2 * len(d))]
            groups = pick(1, 1, c)
            out = groups * int(r.integers(1, 4)) if groups > 1 else int(r.integers(1, 7))
            if out > 24:
                return
            o = [(n + pads[i] + pads[i + len(d)] - (k[i] - 1) * dil[i] - 1) // stride[i] + 1 for i, n in enumerate(d)]
            w = [self.constant(self.normal(out, c // groups, *k, scale=1 / np.sqrt(c // groups * np.prod(k))))]
            if r.random() < 0.5:
                w.append(self.constant(self.normal(out, scale=0.3)))
            how = {"pads": pads} if r.random() < 0.7 else {"auto_pad": pick("SAME_UPPER", "SAME_LOWER")}
            if "auto_pad" in how:
                dil = [1] * len(d)
                o = [-(-n // t) for n, t in zip(d, stride)]
            self.add("Conv", [x] + w, [out] + o, kernel_shape=k, strides=stride, dilations=dil, group=int(groups),
                     **how)
        elif what == "pool" and rank in (3, 4):
            d = s[1:]
            k = [int(r.integers(1, min(3, n) + 1)) for n in d]
            stride = [int(r.integers(1, 3)) for _ in d]
            pads = [int(r.integers(0, 2)) if k[i % len(d)] > 1 else 0 for i in range(2 * len(d))]
            o = [(n + pads[i] + pads[i + len(d)] - k[i]) // stride[i] + 1 for i, n in enumerate(d)]
            op = pick("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool")
            if op.startswith("Global"):
                self.add(op, [x], [s[0]] + [1] * len(d))
            else:
                more = {"count_include_pad": int(r.integers(2))} if op == "AveragePool" else {}
                self.add(op, [x], [s[0]] + o, kernel_shape=k, strides=stride, pads=pads, **more)
        elif what == "norm" and rank > 1:
            c = s[0]
            gain, shift, mean, variance = (self.normal(c), self.normal(c), self.normal(c, scale=0.3),
                                           r.uniform(0.5, 1.5, c))
            constants = [self.constant(a) for a in (gain, shift, mean, variance)]
            self.add("BatchNormalization", [x] + constants, s, epsilon=1e-3)
        elif what == "act":
            op = pick(*POINTWISE)
            if self.opset < {"HardSwish": 14, "Celu": 12, "Mish": 18, "Gelu": 20, "Swish": 24, "Erf": 9}.get(op, 7):
                return
            self.add(op, [x], s, **POINTWISE[op])
        elif what in ("const", "rsub"):
            shape = pick([], [1], [1] * (rank - 1) + s[-1:], s[-1:], [1] + s[:1] + [1] * (rank - 2), [1] + s)
            op = "Sub" if what == "rsub" else pick("Add", "Sub", "Mul", "Div")
            value = self.normal(*shape)
            k = self.constant(np.abs(value) + 0.5 if op == "Div" else value)
            self.add(op, [k, x] if what == "rsub" or (op in ("Add", "Mul") and r.random() < 0.5) else [x, k], s)
        elif what == "two":
            mates = [n for n, t in self.values if t == s]
            op = pick("Add", "Sub", "Mul", "Sum", *(["Max", "Min"] if self.opset > 7 else []))
            self.add(op, [x, pick(*mates)], s)
        elif what == "wide" and rank > 2:
            axes = tuple(i for i in range(rank - 1) if r.random() < 0.5) or (0,)
            t = [1 if i in axes else n for i, n in enumerate(s)]
            m, _ = self.lists("ReduceMax", 18, x, t, axes=[i + 1 for i in axes], keepdims=1)
            if r.random() < 0.3:  # both grow
                other = [i for i in range(rank - 1) if i not in axes] or [0]
                t = [1 if i in other else n for i, n in enumerate(s)]
                x, _ = self.lists("ReduceMean", 18, x, t, axes=[i + 1 for i in other], keepdims=1)
                if 0 in axes and other == [0]:
                    return
            op = pick("Add", "Sub", "Mul", "Sum" if self.opset > 7 else "Add")
            self.add(op, [x, m] if r.random() < 0.5 else [m, x], s)
        elif what == "sum":
            mates = [n for n, t in self.values if t == s]
            self.add("Sum", [x] + [pick(*mates) for _ in range(int(r.integers(0, 4)))], s)
        elif what == "same":
            self.add(pick("Identity", "Dropout"), [x], s)
        elif what == "shaped" and self.opset >= 13:  # view(x.size(0), -1), as exporters write it
            n, _ = self.add("Shape", [x], [])
            n, _ = self.add("Gather", [n, self.constant(0, np.int64)], [], axis=0)
            n, _ = self.add("Unsqueeze", [n, self.constant([0], np.int64)], [])
            n, _ = self.add("Concat", [n, self.constant([-1], np.int64)], [], axis=0)
            self.add("Reshape", [x, n], [size])
        elif what == "shuffle" and rank > 2 and s[0] % 2 == 0:
            t = [2, s[0] // 2] + s[1:]
            y, _ = self.add("Reshape", [x, self.constant([0] + t, np.int64)], t)
            y, _ = self.add("Transpose", [y], [t[1], t[0]] + t[2:], perm=[0, 2, 1] + list(range(3, rank + 1)))
            self.add("Reshape", [y, self.constant([0] + s, np.int64)], s)
        elif what == "fold":  # constants that are worked out
            c, _ = self.add("Mul", [self.constant(self.normal(s[-1])), self.constant(self.normal(1))], [])
            c, _ = self.add("Sub", [c, self.constant(self.normal(s[-1]))], [])
            how, n = pick("whole", "concat", "gather", "slice", "split", "where"), s[-1]
            if how == "concat":
                c, _ = self.add("Concat", [c, self.constant(self.normal(2))], [], axis=-1)
            if how in ("concat", "gather"):
                c, _ = self.add("Gather", [c, self.constant(r.integers(-n, n, n), np.int64)], [], axis=0)
            if how == "slice":
                c, _ = self.add("Unsqueeze", [c, self.constant([0], np.int64)], []) if self.opset > 12 else (c, 0)
                at = 1 if self.opset > 12 else 0
                k = self.constant(self.normal(1, 3) if at else self.normal(3))
                c, _ = self.add("Concat", [k, c], [], axis=at)
                c, _ = self.lists("Slice", 10, c, [], order=("starts", "ends", "axes"), starts=[-n], ends=[1 << 40],
                                  axes=[at])
            if how == "split":
                k, _ = self.add("Concat", [c, self.constant(self.normal(3))], [], axis=0)
                c, _ = self.lists("Split", 13, k, [[], []], 2, order=("split",), split=[n, 3], axis=0) and \
                    self.values[-2]
            if how == "where" and self.opset > 8:
                which = numpy_helper.from_array(r.random(n) < 0.5, "w%d" % len(self.weights))
                self.weights[which.name] = numpy_helper.to_array(which)
                c, _ = self.add("Where", [which.name, c, self.constant(self.normal(1))], [])
            self.add("Add", [x, c], s)
        elif what == "learned":  # weights that are computed from others
            n = s[-1]
            c = self.constant(self.normal(2, n))
            for _ in range(int(r.integers(1, 4))):
                op = pick("Sigmoid", "Tanh", "Exp", "Abs", "Softmax", "Clip", "Relu", "Elu", "Pow", "Max", "MatMul",
                          "Reduce", "Norm", "Sum")
                if op == "Clip":
                    more = [self.constant(-0.5), self.constant(1)]
                    c, _ = self.add("Clip", [c] + more, []) if self.opset > 10 else self.add("Clip", [c], [], min=-0.5,
                                                                                             max=1.0)
                elif op == "Pow":
                    c, _ = self.add("Abs", [c], [])
                    c, _ = self.add("Pow", [c, self.constant(pick(0.5, 2, 3))], [])
                elif op == "Max" and self.opset > 7:
                    c, _ = self.add(pick("Max", "Min"), [c, self.constant(self.normal(n)), self.constant(0.1)], [])
                elif op == "Sum" and self.opset > 7:
                    c, _ = self.add("Sum", [c, self.constant(self.normal(1, n)), c], [])
                elif op == "MatMul":
                    c, _ = self.add("MatMul", [c, self.constant(self.normal(n, n, scale=1 / np.sqrt(n)))], [])
                elif op == "Reduce":
                    of = pick("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin")
                    k, _ = self.lists(of, 13 if of == "ReduceSum" else 18, c, [], axes=[pick(0, 1, -1)], keepdims=1)
                    c, _ = self.add("Sub", [c, k], [])
                elif op == "Norm":
                    k, _ = self.lists("ReduceL2", 18, c, [], axes=[0], keepdims=1)
                    c, _ = self.add("Div", [c, k], [])
                elif op == "Softmax":
                    c, _ = self.add("Softmax", [c], [], axis=1)
                elif op not in ("Max", "Sum"):
                    c, _ = self.add(op, [c], [])
            c, _ = self.add("Gather", [c, self.constant(pick(0, 1), np.int64)], [], axis=0)
            self.add("Add", [x, c], s)
        elif what == "gate" and rank in (3, 4):
            g, t = self.add("GlobalAveragePool", [x], [s[0]] + [1] * (rank - 2))
            g, t = self.add("Conv", [g, self.constant(self.normal(s[0], s[0], *[1] * (rank - 2)))], t)
            g, t = self.add("Sigmoid", [g], t)
            self.add("Mul", [x, g] if r.random() < 0.5 else [g, x], s)
        elif what == "concat":
            axis = int(r.integers(1, rank))
            mates = [(n, t) for n, t in self.values
                     if len(t) == len(s) and all(a == b for i, (a, b) in enumerate(zip(t, s)) if i + 1 != axis)]
            parts = [(x, s)] + [pick(*mates) for _ in range(int(r.integers(0, 3)))]
            t = list(s)
            t[axis - 1] = sum(p[1][axis - 1] for p in parts)
            if np.prod(t) < 2000:
                self.add("Concat", [p[0] for p in parts], t, axis=axis)
        elif what == "transpose":
            perm = list(map(int, r.permutation(rank - 1)))
            self.add("Transpose", [x], [s[i] for i in perm], perm=[0] + [i + 1 for i in perm])
        elif what == "reshape":
            t, rest = [], size
            for _ in range(int(r.integers(0, 3))):
                f = pick(*[d for d in range(1, rest + 1) if rest % d == 0])
                t.append(f)
                rest //= f
            t.append(rest)
            self.add("Reshape", [x, self.constant(pick([-1] + t, [0] + t), np.int64)], t)
        elif what == "unit":
            ones = [i for i, n in enumerate(s) if n == 1]
            if ones and r.random() < 0.6:
                self.lists("Squeeze", 13, x, [n for i, n in enumerate(s) if i != ones[0]], axes=[ones[0] + 1])
            elif rank < 5:
                at = int(r.integers(1, rank + 1))
                self.lists("Unsqueeze", 13, x, s[:at - 1] + [1] + s[at - 1:], axes=[at])
        elif what == "slice" and s:
            axis = int(r.integers(1, rank))
            n = s[axis - 1]
            a = int(r.integers(0, n))
            b, st = int(r.integers(a + 1, n + 1)), 1 if self.opset < 10 else pick(1, 1, 2)
            t = list(s)
            t[axis - 1] = -(-(b - a) // st)
            more = {"steps": [st]} if self.opset >= 10 else {}
            self.lists("Slice", 10, x, t, order=("starts", "ends", "axes", "steps"),
                       starts=[a - n if r.random() < 0.5 else a], ends=[b if b < n else 1 << 40], axes=[axis], **more)
        elif what == "split":
            axis = int(r.integers(1, rank))
            n = s[axis - 1]
            if n < 2:
                return
            a = int(r.integers(1, n))
            shapes = [s[:axis - 1] + [k] + s[axis:] for k in (a, n - a)]
            self.lists("Split", 13, x, shapes, 2, order=("split",), split=[a, n - a], axis=axis)
        elif what == "gather" and rank > 2:
            axis = int(r.integers(1, rank))
            at = int(r.integers(s[axis - 1]))
            self.add("Gather", [x, self.constant(pick(at, at - s[axis - 1]), np.int64)], s[:axis - 1] + s[axis:],
                     axis=axis)
        elif what == "pad" and size < 500:
            axis = int(r.integers(1, rank))
            pads = [0] * (2 * rank)
            pads[axis], pads[axis + rank] = int(r.integers(0, 3)), int(r.integers(0, 3))
            t = list(s)
            t[axis - 1] += pads[axis] + pads[axis + rank]
            self.lists("Pad", 11, x, t, order=("pads",), pads=pads)
        elif what == "reduce" and rank > 2:
            axis, keep = int(r.integers(1, rank)), int(r.integers(2))
            t = [n for i, n in enumerate(s) if i + 1 != axis or keep]
            t = [1 if keep and i + 1 == axis else n for i, n in enumerate(t)] if keep else t
            op = pick("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceL2")
            self.lists(op, 13 if op == "ReduceSum" else 18, x, t, axes=[axis - rank if r.random() < 0.5 else axis],
                       keepdims=keep)
        elif what == "matmul":
            out = int(r.integers(1, 7))
            self.add("MatMul", [x, self.constant(self.normal(s[-1], out, scale=1 / np.sqrt(s[-1])))], s[:-1] + [out])
        elif what == "flatten":
            self.add("Flatten", [x], [size], axis=1)
        elif what == "clip":
            low, high = pick(0.0, -1.0), pick(1.0, 6.0)
            if self.opset < 11:
                self.add("Clip", [x], s, min=low, max=high)
            else:
                self.add("Clip", [x, self.constant(low), self.constant(high)], s)
        elif what == "prelu":
            self.add("PRelu", [x, self.constant(self.normal(*pick([1], s[:1] + [1] * (rank - 2))))], s)
        elif what == "gelu" and self.opset > 8:
            a, _ = self.add("Div", [x, self.constant(np.sqrt(2))], s)
            a, _ = self.add("Erf", [a], s)
            a, _ = self.add("Add", [a, self.constant(1)], s)
            a, _ = self.add("Mul", [x, a], s)
            self.add("Mul", [a, self.constant(0.5)], s)
        elif what == "silu":
            a, _ = self.add("Sigmoid", [x], s)
            self.add("Mul", [x, a], s)
        elif what == "pow" and self.opset >= 12:
            self.add("Pow", [x, self.constant(2.0)], s)
        elif what == "minmax" and self.opset > 7:
            self.add(pick("Min", "Max"), [x, self.constant(0.3)], s)
        elif what == "root":  # of what is not near 0
            y, _ = self.add("Abs", [x], s)
            y, _ = self.add("Add", [y, self.constant(0.1)], s)
            self.add(pick("Sqrt", "Log"), [y], s)
        elif what == "quotient":
            mates = [n for n, t in self.values if t == s]
            y, _ = self.add("Sigmoid", [pick(*mates)], s)
            y, _ = self.add("Add", [y, self.constant(0.2)], s)
            self.add("Div", [x, y], s)
        elif what == "expand" and rank > 2 and size < 300 and self.opset > 7:
            axis = int(r.integers(1, rank))
            t = [1 if i + 1 == axis else n for i, n in enumerate(s)]
            y, _ = self.lists("ReduceMax", 18, x, t, axes=[axis], keepdims=1)
            shape = [3 if i + 1 == axis else 1 for i in range(rank - 1)]
            self.add("Expand", [y, self.constant([1] + shape, np.int64)],
                     [3 if i + 1 == axis else n for i, n in enumerate(s)])
        elif what == "deviation" and rank in (3, 4):
            ones = [s[0]] + [1] * (rank - 2)
            y, _ = self.add("GlobalAveragePool", [x], ones)
            y, _ = self.add("Sub", [x, y], s)
            y, _ = self.add("Mul", [y, y], s)
            y, _ = self.add("GlobalAveragePool", [y], ones)
            self.add("Sqrt", [y], ones)
        elif what == "places" and rank > 2:
            axis = int(r.integers(1, rank))
            n = s[axis - 1]
            a, b = int(r.integers(1, 4)), int(r.integers(1, 4))
            steps = (int(r.integers(0, 3)), int(r.integers(0, 3)))
            last = (a - 1) * steps[0] + (b - 1) * steps[1]
            if last < n and size // n * a * b < 1000:
                at = int(r.integers(0, n - last))
                where = [at + i * steps[0] + k * steps[1] for i in range(a) for k in range(b)]
                self.add("Gather", [x, self.constant(where, np.int64)], s[:axis - 1] + [a * b] + s[axis:], axis=axis)
        elif what == "cast":
            self.add("Cast", [x], s, to=int(TensorProto.FLOAT))

    def finish(self, path):
        x, s = self.values[-1]
        # large values are made small, so that rounding stays rounding
        x, s = self.add("Tanh", [x], s)
        x, s = self.add("Flatten", [x], [int(np.prod(s))], axis=1)
        w, b = self.constant(self.normal(3, s[0])), self.constant(self.normal(3))
        self.nodes.append(helper.make_node("Gemm", [x, w, b], ["logits"], "last", transB=1))
        info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"] + d)
                for n, d in (("x", self.input), ("logits", [3]))]
        graph = helper.make_graph(self.nodes, "net", info[:1], info[1:],
                                  [numpy_helper.from_array(v, k) for k, v in self.weights.items()])
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8), path)


def again(net, how):
    """Repeats one channel, time step or value with Gather or Expand: random graphs have it once in thousands."""
    c, t = net.input
    if how == 0:
        net.add("Gather", ["x", net.constant([c - 1] * c, np.int64)], [c, t], axis=1)
    elif how == 1:
        net.add("Gather", ["x", net.constant([0] * t, np.int64)], [c, t], axis=2)
    else:
        m, _ = net.lists("Slice", 10, "x", [1, t], order=("starts", "ends", "axes"), starts=[0], ends=[1], axes=[1])
        net.add("Expand", [m, net.constant([1, c, 1], np.int64)], [c, t])


cases, jobs = [], []
for i in range(count + 3):
    rng = np.random.default_rng([seed, i])
    net = Net(rng)
    if i < count:
        for _ in range(int(rng.integers(2, 12))):
            net.grow()
    else:
        net.opset, net.input, net.values = 13, [3, 11], [("x", [3, 11])]
        again(net, i - count)
    name = "random-%d" % i
    path = os.path.join(folder, name)
    net.finish(path + ".onnx")
    rng.normal(size=[3] + net.input).astype(np.float32).tofile(path + ".x")
    jobs += [path + ".onnx", path + ".x", ",".join(map(str, [3] + net.input)), path + ".y"]
    cases.append("%s random 3 3 %d %s" % (name, len(net.input) + 1, " ".join(map(str, (net.input + [0])[:3]))))
with open(os.path.join(folder, "random"), "w") as f:
    f.write("\n".join(cases) + "\n")
for k in range(0, len(jobs), 400):
    status = subprocess.call(["node", os.path.join(here, "run.js"), *jobs[k:k + 400]])
    if status:
        sys.exit(status)
