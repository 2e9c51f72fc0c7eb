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


# --- our own data file, as qc-formats(5) describes it: only where the values begin -------------------------

def qcd_values(path, count):
    """`count` float32 from the section x, found by its name in the table at the front."""
    data = open(path, 'rb').read()
    table = (data[24 + 40 * k:64 + 40 * k] for k in range(struct.unpack_from('<I', data, 12)[0]))
    at = next(struct.unpack_from('<Q', row, 24)[0] for row in table if row[:16].rstrip(b'\0') == b'x')
    return np.frombuffer(data, '<f4', count, at)
