# A reader that knows no more than qc-formats(5) reads the states of learners: with and without flips, with new classes,
# and after --undo. Its numbers are the numbers that the programs print, and the arrays of the models that they write.
export OMP_NUM_THREADS=1
qc-synth -q --subjects 1 --activities 4 --windows 18 --channels 3 --length 24 --seed 3 -o p1.qcd &&
    qc-synth -q --subjects 1 --activities 4 --windows 18 --channels 3 --length 24 --seed 4 -o p2.qcd &&
    qc-synth -q --subjects 1 --activities 6 --windows 12 --channels 3 --length 24 --seed 3 -o more.qcd || exit
printf 'name: tiny\nlayers:\n  - conv: 7\n  - relu\n  - conv: 5\n  - relu\n  - gap\n' >tiny.yaml
qc-train -q --threads 1 --epochs 12 -a tiny.yaml -d p1.qcd -L miss -o float.qcm &&
    qc-coreset -q -n 15 -L miss -d p1.qcd -o core.qcd 2>words || exit
for bits in 2 8; do
    qc-quantize -q --force --threads 1 -b $bits --no-std --last-bits $bits --epochs 1 -c core.qcd -d p1.qcd \
        -o q$bits.qcm float.qcm >words || exit
    qc-bitflip-train -q --threads 1 --subjects 1 --oracle-steps 3 --steps 20 -c core.qcd -d p1.qcd -o f$bits.qcm \
        q$bits.qcm >words || exit
done
qc-quantize -q --force --threads 1 -b 4 --spare-classes 3 --epochs 1 -c core.qcd -d p1.qcd -o spare.qcm float.qcm \
    >words || exit
cat >state.py <<'END_PYTHON' || exit
import hashlib, json, struct, sys, zlib
SLOTS = 15
def sections(path):
    data = open(path, "rb").read()
    found = {}
    for i in range(struct.unpack_from("<I", data, 12)[0]):
        name, _, _, offset, length = struct.unpack_from("<16sIIQQ", data, 24 + 40 * i)
        found[name.rstrip(b"\0").decode()] = data[offset:offset + length]
    return found
class Graph:
    def __init__(self, b):
        self.bits, self.classes, _, n = struct.unpack_from("<BIII", b)
        tensors = [struct.unpack_from("<HHHBBfI", b, 13 + 16 * i) for i in range(n)]
        at = 13 + 16 * n
        nodes = [struct.unpack_from("<4B16H4I", b, at + 4 + 52 * i) for i in range(struct.unpack_from("<I", b, at)[0])]
        at += 4 + 52 * len(nodes)
        entries, = struct.unpack_from("<I", b, at)
        last, at = nodes[-1], at + 4
        first = last[23]
        self.scale = struct.unpack_from("<%df" % self.classes, b, at + 4 * first)
        self.bias = struct.unpack_from("<%di" % self.classes, b, at + 4 * entries + 4 * first)
        at += 13 * entries
        length, = struct.unpack_from("<I", b, at + 4)
        self.codes = b[at + 8:]
        assert len(self.codes) == length
        bits = last[3] or self.bits
        self.last = (last[21], last[21] + (last[22] * bits + 7) // 8)
        size = lambda t: t[0] * t[1] * t[2]
        self.window, self.features = size(tensors[0]), size(tensors[last[4]])
        self.layers = sum(node[0] in (0, 6) for node in nodes)
class State:
    def __init__(self, c, g, flips):
        self.raw, at = c, 0
        def take(form, n):
            nonlocal at
            values = struct.unpack_from("<%d%s" % (n, form), c, at)
            end = at + struct.calcsize("<%d%s" % (n, form))
            at = (end + 63) // 64 * 64
            assert c[end:at] == bytes(at - end)
            return values
        names = "seen input input_adapts adapts next active can_undo waited share trust drift".split()
        self.__dict__.update(zip(names, struct.unpack_from("<QQIIIHHIfff", c)))
        at, k, f = 64, g.classes, g.features
        self.heads = [(bytes(take("B", g.last[1] - g.last[0])), take("f", k), take("i", k)) for _ in range(2)]
        self.moments = take("I", k), take("f", k * f), take("f", f * (f + 1) // 2)
        if flips: self.squares = take("f", g.layers)
        self.learned = at
        if flips:
            self.codes = bytes(take("B", len(g.codes)))
            take("B", SLOTS * g.window)
        self.coreset = take("B", SLOTS * f), take("H", SLOTS), take("H", SLOTS), take("B", SLOTS), take("Q", SLOTS)
        assert at == len(c)
    def head(self): return self.heads[self.active]
    def origins(self):
        kept = [flag for flag in self.coreset[3] if flag != 128]
        return sum(not flag & 4 for flag in kept), sum(flag >> 2 & 1 for flag in kept)
def read(path, model, flips=False, coreset="core.qcd"):
    g, data = Graph(sections(model)["qgraph"]), open(path, "rb").read()
    assert data[:16] == b"qcore state 1\n\0\0"
    for i, name in enumerate((model, coreset)):
        assert data[16 + 8 * i:24 + 8 * i] == hashlib.sha256(open(name, "rb").read()).digest()[:8]
    names, at = [], 64
    while True:
        length, = struct.unpack_from("<H", data, at)
        if not length: break
        end = at + 2 + length
        assert struct.unpack_from("<I", data, end)[0] == zlib.crc32(data[at:end], len(names))
        names.append(data[at + 2:end].decode())
        at = end + 4
    assert data[at:4096] == bytes(4096 - at)
    def header(at):
        h = data[at:at + 32]
        magic, form, _, sequence, size, content, crc = struct.unpack("<4sIQIIII", h)
        return (magic, form, crc) == (b"QCCS", 5, zlib.crc32(h[:28])) and (sequence, size, content)
    size = header(4096)[1]
    slot = (512 + size + 4095) // 4096 * 4096
    whole = []
    for at in (4096, 4096 + slot):
        h = len(data) > at and header(at)
        if not h: continue
        content = data[at + 512:at + 512 + size]
        assert data[at + 32:at + 512] == b"\xff" * 480 and zlib.crc32(content) == h[2] and h[1] == size
        whole.append((h[0], content))
    return State(max(whole)[1], g, flips), names
def same_model(s, path):
    parts = sections(path)
    g, learned = Graph(parts["qgraph"]), bytearray(s.raw[:s.learned])
    learned[8:20], learned[44:48] = bytes(12), bytes(4)
    assert parts["learned"] == struct.pack("<I", 2) + learned
    assert s.head() == (g.codes[g.last[0]:g.last[1]], g.scale, g.bias)
    if hasattr(s, "codes"): assert s.codes[:g.last[0]] == g.codes[:g.last[0]]
END_PYTHON
cat >calibrated.py <<'END_PYTHON' || exit
from state import *
name, flips = sys.argv[1], sys.argv[1][0] == "f"
s, names = read(name + ".state", name + ".qcm", flips)
lines = [json.loads(line) for line in open(name + ".json")]
batches = lines[:-1]
same_model(s, "new.qcm")
assert not names and s.adapts == s.input_adapts == len(batches) and s.next == 72
assert s.seen == sum(b["n"] for b in batches if not b["refused"]) == sum(s.moments[0]), (s.seen, s.moments[0])
flipped = sum(b["flips"] for b in batches)
assert flipped or abs(s.drift - batches[-1]["drift"]) < 1e-4
origin = batches[-1]["coreset"]
assert s.origins() == (origin["source"], origin["stream"] + origin["new"])
changed = flips and s.codes[:Graph(sections(name + ".qcm")["qgraph"]).last[0]] != \
    Graph(sections(name + ".qcm")["qgraph"]).codes[:Graph(sections(name + ".qcm")["qgraph"]).last[0]]
assert bool(changed) == bool(flipped)
print(name, len(batches), "batches,", "flips" if flipped else "no flips")
END_PYTHON
for name in q2 q8 f2 f8; do
    qc-calibrate -q --batches 3 --tune skip_flips=0 --tune stop_loss=0 --state $name.state --json -c core.qcd \
        -s p2.qcd -o new.qcm $name.qcm >$name.json && /usr/bin/python3 calibrated.py $name || exit
done
# --undo: all that was learned is as before; the numbers of windows and adapts go on.
cat >undone.py <<'END_PYTHON' || exit
from state import *
(before, _), (after, names), (undone, same) = [read(f, "spare.qcm") for f in ("1.state", "2.state", "3.state")]
print(names, [n for n in after.moments[0][4:]])
assert same == names and after.head() != before.head() and after.coreset != before.coreset
for name in "heads moments coreset active seen waited share trust".split():
    assert getattr(undone, name) == getattr(before, name), name
for name in "adapts next drift".split(): assert getattr(undone, name) == getattr(after, name) != getattr(before, name)
assert (after.can_undo, undone.can_undo) == (1, 0)
adapts = [json.loads(line) for line in open("log") if '"adapt"' in line]
assert after.adapts == len(adapts) and after.seen == sum(a["labels"] for a in adapts if not a["refused"])
assert after.next == before.next + 72 and adapts[-1]["source"] >= after.origins()[0]
END_PYTHON
learn='qc-run -q --json --every 24 -c core.qcd --tune guard=1 --state state'
$learn -d p1.qcd spare.qcm >log && cp state 1.state &&
    $learn --every 100 -d more.qcd spare.qcm >>log && cp state 2.state || exit
qc-run -q --tune guard=1 -c core.qcd --state state --undo spare.qcm && cp state 3.state && /usr/bin/python3 undone.py
qc-run --tune guard=1 -c core.qcd --state state --undo spare.qcm
echo "exit $?"
