"""Foreign files, written and read by hand as their public descriptions say: a second source for qc-import."""
import struct
import zlib

import numpy as np

# --- MATLAB version 5 (MAT-File Format, MathWorks) ----------------------------------------------------

MAT_TYPES = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8', 13: 'u8', 16: 'u1',
             17: 'u2'}


def mat_element(data, at, order='<'):
    kind, length = struct.unpack_from(order + 'II', data, at)
    if kind >> 16:
        return kind & 0xffff, data[at + 4:at + 4 + (kind >> 16)], at + 8
    return kind, data[at + 8:at + 8 + length], at + 8 + (length + 7) // 8 * 8


def mat_read(path):
    data = open(path, 'rb').read()
    at, variables = 128, {}
    while at < len(data):
        kind, length = struct.unpack_from('<II', data, at)
        body = data[at + 8:at + 8 + length]
        at += 8 + length
        if kind == 15:
            body = zlib.decompress(body)[8:]
        _, flags, p = mat_element(body, 0)
        _, dims, p = mat_element(body, p)
        _, name, p = mat_element(body, p)
        kind, values, _ = mat_element(body, p)
        value = np.frombuffer(values, '<' + MAT_TYPES[kind]).reshape(np.frombuffer(dims, '<i4'), order='F')
        variables[name.decode()] = ''.join(map(chr, value.ravel())) if flags[0] == 4 else value
    return variables


def mat_part(kind, data, order):
    return struct.pack(order + 'II', kind, len(data)) + data + b'\0' * (-len(data) % 8)


MAT_NUMBERS = {'f4': (7, 7), 'i1': (8, 1), 'u1': (9, 2), 'i2': (10, 3), 'u2': (11, 4), 'i4': (12, 5), 'u4': (13, 6),
               'i8': (14, 12), 'u8': (15, 13)}


def mat_array(name, value, order='<', dims=None):
    """A text, a matrix of numbers, a structure (dict) or cells (list), with its tag; `dims` declares a wrong shape."""
    form = np.asarray(value).dtype.str[1:] if isinstance(value, np.ndarray) else ''
    if isinstance(value, (dict, list)):
        fields = list(value) if isinstance(value, dict) else []
        flags, shape = (2, (1, 1)) if fields else (1, (len(value), 1))
        body = mat_part(6, struct.pack(order + 'II', flags, 0), order)
        body += mat_part(5, struct.pack(order + 'ii', *shape), order) + mat_part(1, name.encode(), order)
        if fields:
            body += struct.pack(order + 'HHI', *((5, 4, 32) if order == '<' else (4, 5, 32)))
            body += mat_part(1, b''.join(f.encode().ljust(32, b'\0') for f in fields), order)
        for part in value.values() if fields else value:
            body += mat_array('', part, order)
        return struct.pack(order + 'II', 14, len(body)) + body
    if isinstance(value, str):
        flags, kind, data, shape = 4, 4, value.encode('utf-16-' + ('le' if order == '<' else 'be')), (1, len(value))
    elif form in MAT_NUMBERS:
        flags, kind = MAT_NUMBERS[form]
        data, shape = value.astype(order + form).tobytes(order='F'), value.shape
    elif form[:1] == 'S': # rows of letters
        rows = np.frombuffer(b''.join(v.ljust(int(form[1:])) for v in value.tolist()), 'u1').reshape(len(value), -1)
        flags, kind, data, shape = 4, 1, rows.tobytes(order='F'), rows.shape
    else:
        value = np.asarray(value, 'f8')
        flags, kind, data, shape = 6, 9, value.astype(order + 'f8').tobytes(order='F'), value.shape
    body = mat_part(6, struct.pack(order + 'II', flags, 0), order)
    body += mat_part(5, struct.pack(order + 'ii', *(dims or shape)), order)
    body += mat_part(1, name.encode(), order) + mat_part(kind, data, order)
    return struct.pack(order + 'II', 14, len(body)) + body


def mat_write(path, variables, compress=True, order='<', dims=None):
    out = b'MATLAB 5.0 MAT-file'.ljust(124) + (b'\0\x01IM' if order == '<' else b'\x01\0MI')
    for name, value in variables.items():
        array = mat_array(name, value, order, dims if name == 'sensor_readings' else None)
        packed = zlib.compress(array)
        out += struct.pack(order + 'II', 15, len(packed)) + packed if compress else array
    open(path, 'wb').write(out)


# --- MATLAB version 7.3: HDF5 File Format Specification 3.0, as MATLAB uses it ----------------------------------

H5_NONE = b'\xff' * 8


def h5_pad(data):
    return data + b'\0' * (-len(data) % 8)


def h5_type(dtype):
    kind, size = dtype.kind, dtype.itemsize
    if kind == 'f':
        parts = (0, 64, 52, 11, 0, 52, 1023) if size == 8 else (0, 32, 23, 8, 0, 23, 127)
        return struct.pack('<BBBBIHHBBBBI', 0x11, 0x20, 8 * size - 1, 0, size, *parts)
    if kind in 'iu':
        return struct.pack('<BBBBIHH', 0x10, 8 if kind == 'i' else 0, 0, 0, size, 0, 8 * size)
    return struct.pack('<BBBBI', 0x13 if kind == 'S' else 0x17, 0, 0, 0, size) # text; a reference to an object


def h5_space(shape):
    return struct.pack('<BBBB4x', 1, len(shape), 0, 0) + struct.pack(f'<{len(shape)}Q', *shape)


def h5_attribute(name, data, kind, shape=()):
    name, space = name.encode() + b'\0', h5_space(shape)
    head = struct.pack('<BBHHH', 1, 0, len(name), len(kind), len(space))
    return 12, head + h5_pad(name) + h5_pad(kind) + space + data


def h5_class(name):
    return h5_attribute('MATLAB_class', name, h5_type(np.dtype(f'S{len(name)}')))


class Hdf5:
    """Objects one after another; addresses count from the end of MATLAB's own header."""

    def __init__(self, named):
        self.data, self.named = b'\0' * 96, named

    def put(self, data):
        at = len(self.data)
        self.data += h5_pad(data)
        return at

    def header(self, messages):
        body = b''.join(struct.pack('<HHB3x', kind, len(h5_pad(m)), 0) + h5_pad(m) for kind, m in messages)
        return self.put(struct.pack('<BBHII4x', 1, 0, len(messages), 1, len(body)) + body)

    def group(self, members, attributes=()):
        heap, names = b'\0' * 8, {}
        for name in sorted(members):
            names[name] = len(heap)
            heap += h5_pad(name.encode() + b'\0')
        rows = b''.join(struct.pack('<QQ24x', names[name], members[name]) for name in names)
        node = self.put((b'SNOD' + struct.pack('<BBH', 1, 0, len(names)) + rows).ljust(8 + 64 * 40, b'\0'))
        keys = struct.pack('<QQQ', 0, node, max(names.values()))
        tree = self.put((b'TREE' + struct.pack('<BBH', 0, 0, 1) + 2 * H5_NONE + keys).ljust(544, b'\0'))
        words = self.put(heap)
        words = self.put(b'HEAP' + struct.pack('<B3xQQQ', 0, len(heap), 1, words))
        return self.header([(17, struct.pack('<QQ', tree, words)), *attributes])

    def fields(self, names):
        """Names of fields in their order: letters in a global heap."""
        heap, words = b'', b''
        for k, name in enumerate(names, 1):
            heap += struct.pack('<HHIQ', k, 1, 0, len(name)) + h5_pad(name.encode())
        heap = b'GCOL' + struct.pack('<B3xQ', 1, 4096) + heap
        at = self.put((heap + struct.pack('<HHIQ', 0, 0, 0, 4096 - len(heap))).ljust(4096, b'\0'))
        for k, name in enumerate(names, 1):
            words += struct.pack('<IQI', len(name), at, k)
        kind = struct.pack('<BBBBI', 0x19, 0, 0, 0, 16) + h5_type(np.dtype('S1'))
        return h5_attribute('MATLAB_fields', words, kind, (len(names),))

    def dataset(self, value, kind, dtype, attributes):
        at = self.put(value.tobytes(order='F'))
        messages = [(1, h5_space(value.shape[::-1])), (3, h5_type(dtype)), (5, b'\2\2\2\0'),
                    (8, struct.pack('<BBQQ', 3, 1, at, value.nbytes)), h5_class(kind)]
        kind = h5_type(np.dtype('<i4'))
        return self.header(messages + [h5_attribute(*code, kind) for code in attributes])

    def variable(self, value, refs):
        """A matrix of numbers, a text, a structure (dict), or a column of cells (list)."""
        if isinstance(value, dict):
            members = {name: self.variable(part, refs) for name, part in value.items()}
            return self.group(members, [h5_class(b'struct')] + [self.fields(list(value))] * self.named)
        if isinstance(value, str) and not value: # its values are its sizes
            return self.dataset(np.zeros(2, '<u8'), b'char', np.dtype('<u8'), [('MATLAB_empty', b'\1\0\0\0')])
        if isinstance(value, str):
            codes = np.frombuffer(value.encode('utf-16-le'), '<u2')[None]
            return self.dataset(codes, b'char', codes.dtype, [('MATLAB_int_decode', b'\2\0\0\0')])
        if not isinstance(value, list):
            kind = {'f8': b'double', 'f4': b'single'}.get(value.dtype.str[1:], value.dtype.name.encode())
            return self.dataset(value, kind, value.dtype, [])
        parts = np.array([[self.variable(part, refs)] for part in value], '<u8')
        refs.update({f'r{at}': at for at in parts.ravel().tolist()})
        return self.dataset(parts, b'cell', np.dtype('V8'), [])


def mat73_write(path, variables, named=True):
    """named: structures have the attribute with their fields' names."""
    h5, refs = Hdf5(named), {}
    members = {name: h5.variable(value, refs) for name, value in variables.items()}
    if refs:
        members['#refs#'] = h5.group(refs)
    root = h5.group(members)
    front = b'\x89HDF\r\n\x1a\n' + struct.pack('<8BHHI', 0, 0, 0, 0, 0, 8, 8, 0, 32, 16, 0)
    front += struct.pack('<Q', 512) + H5_NONE + struct.pack('<Q', 512 + len(h5.data)) + H5_NONE
    front += struct.pack('<QQ24x', 0, root)
    open(path, 'wb').write((b'MATLAB 7.3 MAT-file'.ljust(116) + bytes(8) + b'\0\2IM').ljust(512, b'\0') + front +
                           h5.data[96:])


# --- our own data file, as qc-formats(5) describes it: only where the values begin -------------------------

def qcd_values(path, count):
    """`count` float32 from the section x, found by its name in the table at the front."""
    data = open(path, 'rb').read()
    table = (data[24 + 40 * k:64 + 40 * k] for k in range(struct.unpack_from('<I', data, 12)[0]))
    at = next(struct.unpack_from('<Q', row, 24)[0] for row in table if row[:16].rstrip(b'\0') == b'x')
    return np.frombuffer(data, '<f4', count, at)
