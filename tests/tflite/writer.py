"""Writes .tflite files: a graph as lists of tensors and operators, through Debian's python3-flatbuffers. The numbers of
fields come from TensorFlow's schema.fbs."""
import flatbuffers
import numpy as np

TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9}
# Operator: number, number of its options in the schema's union, and their fields (name: field, bytes; bytes 0 = float).
CONV = {"padding": (0, 1), "stride_w": (1, 4), "stride_h": (2, 4), "activation": (3, 1), "dilation_w": (4, 4),
        "dilation_h": (5, 4)}
DEPTHWISE = {"padding": (0, 1), "stride_w": (1, 4), "stride_h": (2, 4), "multiplier": (3, 4), "activation": (4, 1),
             "dilation_w": (5, 4), "dilation_h": (6, 4)}
POOL = {"padding": (0, 1), "stride_w": (1, 4), "stride_h": (2, 4), "width": (3, 4), "height": (4, 4),
        "activation": (5, 1)}
OPS = {
    "ADD": (0, 11, {"activation": (0, 1)}),
    "AVERAGE_POOL_2D": (1, 5, POOL),
    "CONCATENATION": (2, 10, {"axis": (0, 4), "activation": (1, 1)}),
    "CONV_2D": (3, 1, CONV),
    "DEPTHWISE_CONV_2D": (4, 2, DEPTHWISE),
    "DEQUANTIZE": (6, 38, {}),
    "FULLY_CONNECTED": (9, 8, {"activation": (0, 1), "format": (1, 1), "keep": (2, 1)}),
    "LOGISTIC": (14, 0, {}),
    "LSTM": (16, 14, {}),
    "MAX_POOL_2D": (17, 5, POOL),
    "MUL": (18, 21, {"activation": (0, 1)}),
    "RELU": (19, 0, {}),
    "RELU6": (21, 0, {}),
    "RESHAPE": (22, 17, {}),
    "SOFTMAX": (25, 9, {"beta": (0, 0)}),
    "CUSTOM": (32, 0, {}),
    "PAD": (34, 22, {}),
    "TRANSPOSE": (39, 26, {}),
    "MEAN": (40, 27, {"keep": (0, 1)}),
    "STRIDED_SLICE": (45, 32, {}),
    "SQUEEZE": (43, 30, {}),
    "EXPAND_DIMS": (70, 52, {}),
    "SHAPE": (77, 55, {}),
    "PACK": (83, 59, {}),
    "LEAKY_RELU": (98, 75, {"alpha": (0, 0)}),
    "QUANTIZE": (114, 91, {}),
    "HARD_SWISH": (117, 0, {}),
}


class Graph:
    def __init__(self):
        self.tensors, self.nodes, self.inputs, self.outputs, self.metadata = [], [], [], [], {}
        self.graphs = 1  # times that the file has this graph

    def tensor(self, name, shape, kind="float32", data=None, scale=None, zero=None, axis=0, open_batch=False):
        """Index of a new tensor; `data` makes a constant of it."""
        scale = None if scale is None else np.atleast_1d(np.asarray(scale, "<f4"))
        zero = None if scale is None else np.broadcast_to(np.asarray(0 if zero is None else zero, "<i8"), scale.shape)
        if data is not None:
            data = np.ascontiguousarray(np.asarray(data).astype(np.dtype(kind).newbyteorder("<")))
        self.tensors.append(dict(name=name, shape=[int(k) for k in shape], kind=kind, scale=scale, zero=zero, axis=axis,
                                 open=open_batch, data=data))
        return len(self.tensors) - 1

    def constant(self, name, array, **more):
        array = np.asarray(array)
        return self.tensor(name, array.shape, str(array.dtype), array, **more)

    def op(self, kind, inputs, outputs, **options):
        self.nodes.append((kind, list(inputs), list(outputs), options))

    # ---- the file ----

    def save(self, path):
        b = flatbuffers.Builder(1024)

        def ints(values, form="<i4"):
            return b.CreateNumpyVector(np.asarray(values, form)) if len(values) else vector([])

        def vector(offsets):
            b.StartVector(4, len(offsets), 4)
            for offset in reversed(offsets):
                b.PrependUOffsetTRelative(offset)
            return b.EndVector()

        def table(n, offsets=(), numbers=()):
            b.StartObject(n)
            for field, offset in offsets:
                if offset:
                    b.PrependUOffsetTRelativeSlot(field, offset, 0)
            for field, size, value in numbers:
                {0: b.PrependFloat32Slot, 1: b.PrependInt8Slot, 4: b.PrependInt32Slot}[size](field, value, None)
            return b.EndObject()

        buffers, tensors = [table(1)], []

        def buffer(data):
            b.StartVector(1, len(data), 16)
            b.head = b.head - len(data)
            b.Bytes[b.head:b.head + len(data)] = data
            buffers.append(table(1, [(0, b.EndVector())]))
            return len(buffers) - 1

        for t in self.tensors:
            held = 0 if t["data"] is None else buffer(t["data"].tobytes())
            quantization = 0
            if t["scale"] is not None:
                fields = [(2, ints(t["scale"], "<f4")), (3, ints(t["zero"], "<i8"))]
                quantization = table(7, fields, [(6, 4, t["axis"])])
            signature = ints([-1] + t["shape"][1:]) if t["open"] else 0
            fields = [(0, ints(t["shape"])), (3, b.CreateString(t["name"])), (4, quantization), (7, signature)]
            tensors.append(table(8, fields, [(1, 1, TYPES[t["kind"]]), (2, 4, held)]))
        kinds, codes, nodes = [], [], []
        for kind, inputs, outputs, options in self.nodes:
            number, union, fields = OPS[kind]
            if kind not in kinds:
                kinds.append(kind)
                version = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "AVERAGE_POOL_2D": 2,
                           "MAX_POOL_2D": 2}.get(kind, 1)
                custom = [(1, b.CreateString("Mine"))] if kind == "CUSTOM" else []
                codes.append(table(4, custom, [(0, 1, number), (2, 4, version), (3, 4, number)]))
            held = table(8, [], [(*fields[name], value) for name, value in options.items()]) if union else 0
            numbers = [(0, 4, kinds.index(kind)), (3, 1, union)]
            nodes.append(table(9, [(1, ints(inputs)), (2, ints(outputs)), (4, held)], numbers))
        graph = table(5, [(0, vector(tensors)), (1, ints(self.inputs)), (2, ints(self.outputs)), (3, vector(nodes)),
                          (4, b.CreateString("main"))])
        metadata = [table(2, [(0, b.CreateString(name))], [(1, 4, buffer(data))])
                    for name, data in self.metadata.items()]
        graphs = vector([graph] * self.graphs)
        parts = [(1, vector(codes)), (2, graphs), (3, b.CreateString("made by a test")), (4, vector(buffers)),
                 (6, vector(metadata) if metadata else 0)]
        model = table(8, parts, [(0, 4, 3)])
        b.Finish(model, file_identifier=b"TFL3")
        with open(path, "wb") as f:
            f.write(b.Output())
