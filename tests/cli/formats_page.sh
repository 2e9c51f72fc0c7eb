# A reader that knows no more than qc-formats(5) reads the graphs of float models to their ends.
qc-synth -q --subjects 1 --activities 2 --windows 6 --channels 3 --length 24 -o data.qcd || exit
cat >many.yaml <<'END_ARCH' || exit
name: many
layers:
  - {conv: 8, groups: 1}
  - batchnorm
  - relu
  - maxpool: 2
  - residual: [{depthwise: 3}, batchnorm]
  - avgpool: 2
  - flatten
  - linear: 6
  - relu
END_ARCH
cat >read.py <<'END_PYTHON' || exit
import struct, sys
data = open(sys.argv[1], "rb").read()
nodes, parameters = map(int, sys.argv[2:])
sections = {}
for i in range(struct.unpack_from("<I", data, 12)[0]):
    name, _, _, offset, length = struct.unpack_from("<16sIIQQ", data, 24 + 40 * i)
    sections[name.rstrip(b"\0")] = data[offset:offset + length]
graph, at, seen = sections[b"graph"], 0, set()
def take(form):
    global at
    values = struct.unpack_from("<" + form, graph, at)
    at += struct.calcsize("<" + form)
    return values
# bytes beside operation, name and inputs, in the order of lib/nn/graph.h
fields = {1: "I10IIB", 2: "f", 3: "f", 4: "10IB", 5: "10IB", 7: "IB", 11: "fII"}
assert take("I")[0] == nodes
for i in range(nodes):
    operation, length = take("BI")
    name = take("%ds" % length)[0].decode("ascii")
    inputs = take("%dI" % take("I")[0])
    assert all(k < i for k in inputs), name
    take(fields.get(operation, ""))
    seen.add(operation)
rest = len(graph) - at - 4 * parameters
print(sorted(seen), "statistics" if rest >= 0 and rest % 8 == 0 else rest)
END_PYTHON
for arch in inceptiontime-16x3 ./many.yaml; do
    qc-train -q --threads 1 --epochs 1 -a $arch -d data.qcd -o float.qcm || exit
    qc-info float.qcm | sed -n 's/^nodes: //p; s/^parameters: //p' | xargs /usr/bin/python3 read.py float.qcm || exit
done
