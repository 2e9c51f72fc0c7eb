/* numpy.lib.format: the magic string, two bytes of version, the header's length (u16 in version 1, u32 after it), then
 * a Python dictionary of descr, fortran_order and shape, padded with blanks; the values follow. */
#include "ndarray.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_MAX = 1 << 16 };

/* --- the dictionary ------------------------------------------------------------------------------------- */

typedef struct Text {
    const char *at, *end;
} Text;

static void skip_blanks(Text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t' || *t->at == '\r')) t->at++;
}

static int take(Text *t, const char *word)
{
    skip_blanks(t);
    size_t n = strlen(word);
    if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n)) return 0;
    t->at += n;
    return 1;
}

static int take_string(Text *t, char *out, size_t room)
{
    skip_blanks(t);
    if (t->at == t->end || (*t->at != '\'' && *t->at != '"')) return 0;
    const char *close = memchr(t->at + 1, *t->at, (size_t)(t->end - t->at - 1));
    if (!close || (size_t)(close - t->at - 1) >= room) return 0;
    memcpy(out, t->at + 1, (size_t)(close - t->at - 1));
    out[close - t->at - 1] = 0;
    t->at = close + 1;
    return 1;
}

static int take_count(Text *t, uint64_t *n)
{
    skip_blanks(t);
    const char *from = t->at;
    for (*n = 0; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
        if (__builtin_mul_overflow(*n, (uint64_t)10, n) || __builtin_add_overflow(*n, (uint64_t)(*t->at - '0'), n))
            return 0;
    (void)take(t, "L"); /* as Python 2 wrote long numbers */
    return t->at > from;
}

static int take_shape(Text *t, QcNdarray *a)
{
    if (!take(t, "(")) return 0;
    while (!take(t, ")")) {
        if (a->rank == QC_RANK_MAX || !take_count(t, &a->shape[a->rank])) return 0;
        a->rank++;
        if (!take(t, ",")) return take(t, ")");
    }
    return 1;
}

static int fail(const char *name, QcErr *err, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "%.300s: %s", name, what);
}

/* "<f4": byte order, kind, bytes. */
static int set_type(QcNdarray *a, const char *descr, const char *name, QcErr *err)
{
    static const struct {
        char kind;
        const char *sizes;
    } known[] = {{'f', "248"}, {'i', "1248"}, {'u', "1248"}, {'b', "1"}};
    const char *at = descr + (*descr && strchr("<>|=", *descr) ? 1 : 0);
    a->swapped = *descr == '>';
    a->kind = *at;
    if (*at == 'O')
        return fail(name, err,
                    "holds Python objects (pickled code), which are refused: save it as numbers or text (astype)");
    if (*at == 'U' || *at == 'S') {
        unsigned long length = 0;
        for (at++; *at >= '0' && *at <= '9' && length < 65536; at++) length = length * 10 + (unsigned long)(*at - '0');
        a->item = (uint32_t)length * (a->kind == 'U' ? 4 : 1);
        return *at || length >= 65536 ? fail(name, err, "has a type of text that cannot be") : 0;
    }
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (known[k].kind == *at && at[1] && strchr(known[k].sizes, at[1]) && !at[2]) {
            a->item = (uint32_t)(at[1] - '0');
            return 0;
        }
    return qc_fail(err, QC_EFORMAT,
                   "%.300s: values of type '%.20s' cannot be taken (floats of 2, 4 or 8 bytes, whole numbers, truth "
                   "values and text can)",
                   name, descr);
}

static int read_dictionary(QcNdarray *a, int *fortran, Text t, const char *name, QcErr *err)
{
    char key[32], descr[32] = "";
    int seen = 0;
    if (!take(&t, "{")) return fail(name, err, "its header is no dictionary");
    while (!take(&t, "}")) {
        int known = take_string(&t, key, sizeof key) && take(&t, ":"), which = 0;
        if (known && !strcmp(key, "descr")) {
            which = 1;
            if (take(&t, "["))
                return fail(name, err, "holds records, which are not supported: save their fields as arrays");
            known = take_string(&t, descr, sizeof descr);
        } else if (known && !strcmp(key, "fortran_order")) {
            which = 2;
            *fortran = take(&t, "True");
            known = *fortran || take(&t, "False");
        } else if (known && !strcmp(key, "shape")) {
            which = 4;
            known = !(seen & 4) && take_shape(&t, a);
        }
        if (!known || !which || seen & which) return fail(name, err, "its header cannot be understood");
        seen |= which;
        if (!take(&t, ",")) {
            if (take(&t, "}")) break;
            return fail(name, err, "its header cannot be understood");
        }
    }
    skip_blanks(&t);
    if (seen != 7 || t.at != t.end) return fail(name, err, "its header cannot be understood");
    return set_type(a, descr, name, err);
}

static int set_strides(QcNdarray *a, int fortran, const char *name, QcErr *err)
{
    a->count = 1;
    for (uint32_t k = 0; k < a->rank; k++) {
        uint32_t axis = fortran ? k : a->rank - 1 - k;
        a->stride[axis] = a->count;
        if (__builtin_mul_overflow(a->count, a->shape[axis], &a->count))
            return fail(name, err, "its shape is larger than can be");
    }
    return 0;
}

int qc_ndarray_parse(QcNdarray *a, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    *a = (QcNdarray){0};
    int fortran = 0;
    if (length < 10 || memcmp(bytes, "\x93NUMPY", 6)) return fail(name, err, "is no NumPy array (.npy)");
    unsigned version = bytes[6];
    if (version < 1 || version > 3 || bytes[7])
        return qc_fail(err, QC_EFORMAT, "%.300s: version %u.%u of the .npy format is not known", name, version,
                       bytes[7]);
    size_t before = version == 1 ? 10 : 12, header = bytes[8] | (size_t)bytes[9] << 8;
    if (length < before) return fail(name, err, "is cut off");
    if (version > 1) header |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (header > HEADER_MAX) return fail(name, err, "its header is longer than can be");
    if (header > length - before) return fail(name, err, "is cut off");
    Text text = {(const char *)bytes + before, (const char *)bytes + before + header};
    uint64_t size;
    if (read_dictionary(a, &fortran, text, name, err) || set_strides(a, fortran, name, err)) return -1;
    if (__builtin_mul_overflow(a->count, (uint64_t)a->item, &size))
        return fail(name, err, "its shape is larger than can be");
    if (size != length - before - header)
        return qc_fail(err, QC_EFORMAT, "%.300s: %llu values do not fit the %zu bytes that follow", name,
                       (unsigned long long)a->count, length - before - header);
    a->data = bytes + before + header;
    return 0;
}

/* --- values --------------------------------------------------------------------------------------------- */

int qc_ndarray_is_text(const QcNdarray *a) { return a->kind == 'U' || a->kind == 'S'; }

static uint64_t bits(const QcNdarray *a, const uint8_t *at, uint32_t n)
{
    uint64_t value = 0;
    for (uint32_t k = 0; k < n; k++) value |= (uint64_t)at[a->swapped ? n - 1 - k : k] << 8 * k;
    return value;
}

/* IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction. */
static double half(uint32_t v)
{
    int exponent = v >> 10 & 31;
    double fraction = v & 1023, size = exponent == 31 ? (fraction > 0 ? NAN : INFINITY)
                                       : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                                      : ldexp(fraction, -24);
    return v >> 15 ? -size : size;
}

static int64_t signed_bits(const QcNdarray *a, uint64_t v)
{
    uint32_t unused = 64 - 8 * a->item;
    return (int64_t)(v << unused) >> unused;
}

double qc_ndarray_real(const QcNdarray *a, uint64_t at)
{
    uint64_t v = bits(a, a->data + at * a->item, a->item);
    if (a->kind == 'i') return (double)signed_bits(a, v);
    if (a->kind != 'f') return (double)v;
    if (a->item == 2) return half((uint32_t)v);
    if (a->item == 4) {
        uint32_t narrow = (uint32_t)v;
        float real;
        memcpy(&real, &narrow, sizeof real);
        return (double)real;
    }
    double real;
    memcpy(&real, &v, sizeof real);
    return real;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Whether a size is at most `high`, without a branch; NaN stays. */
static double larger(double high, double size) { return size <= high ? high : size; }

/* Numbers as the processor has them. memcpy: they may lie at any byte. */
#define READ_FLOATS(NAME, TYPE)                                                                                        \
    static double NAME(float *out, const uint8_t *from, uint64_t step, uint64_t n)                                     \
    {                                                                                                                  \
        double high = 0;                                                                                               \
        for (uint64_t k = 0; k < n; k++, from += step) {                                                               \
            TYPE value;                                                                                                \
            memcpy(&value, from, sizeof value);                                                                        \
            out[k] = (float)value;                                                                                     \
            high = high != high ? high : larger(high, fabs((double)value));                                            \
        }                                                                                                              \
        return high;                                                                                                   \
    }
READ_FLOATS(read_doubles, double)
READ_FLOATS(read_i16s, int16_t)
READ_FLOATS(read_u8s, uint8_t)

/* Sizes of floats are in the order of their bits without the sign, and a NaN is above all. */
static double read_floats(float *out, const uint8_t *from, uint64_t step, uint64_t n)
{
    uint32_t high = 0;
    if (step == sizeof *out) {
        memcpy(out, from, n * sizeof *out);
        for (uint64_t k = 0; k < n; k++) {
            uint32_t v;
            memcpy(&v, &out[k], sizeof v);
            v &= INT32_MAX;
            high = v > high ? v : high;
        }
    } else {
        for (uint64_t k = 0; k < n; k++, from += step) {
            uint32_t v;
            memcpy(&v, from, sizeof v);
            memcpy(&out[k], &v, sizeof v);
            v &= INT32_MAX;
            high = v > high ? v : high;
        }
    }
    float size;
    memcpy(&size, &high, sizeof size);
    return (double)size;
}
#endif

void qc_ndarray_floats(float *out, double *high, const QcNdarray *a, uint64_t at, uint64_t stride, uint64_t n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint8_t *from = a->data + at * a->item;
    uint64_t step = stride * a->item;
    if (!a->swapped && a->kind == 'f' && a->item == 4) return (void)(*high = read_floats(out, from, step, n));
    if (!a->swapped && a->kind == 'f' && a->item == 8) return (void)(*high = read_doubles(out, from, step, n));
    if (!a->swapped && a->kind == 'i' && a->item == 2) return (void)(*high = read_i16s(out, from, step, n));
    if (a->kind == 'u' && a->item == 1) return (void)(*high = read_u8s(out, from, step, n));
#endif
    *high = 0;
    for (uint64_t k = 0; k < n; k++) {
        double value = qc_ndarray_real(a, at + k * stride);
        out[k] = (float)value;
        if (!isnan(*high) && !(fabs(value) <= *high)) *high = fabs(value);
    }
}

int qc_ndarray_whole(uint64_t *value, const QcNdarray *a, uint64_t at)
{
    if (a->kind != 'i' && a->kind != 'u') return -1;
    *value = bits(a, a->data + at * a->item, a->item);
    return a->kind == 'i' && signed_bits(a, *value) < 0 ? -1 : 0;
}

static int put_utf8(char *text, size_t room, size_t *n, uint32_t c)
{
    char out[4];
    int length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || *n + (size_t)length >= room) return -1;
    for (int k = length - 1; k > 0; k--, c >>= 6) out[k] = (char)(0x80 | (c & 63));
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[length] | c);
    memcpy(text + *n, out, (size_t)length);
    *n += (size_t)length;
    return 0;
}

/* Texts are padded with zeros, which are removed. */
static int copy_text(char *text, size_t room, const QcNdarray *a, uint64_t at)
{
    const uint8_t *from = a->data + at * a->item;
    uint32_t each = a->kind == 'U' ? 4 : 1, length = a->item / each;
    size_t n = 0;
    while (length && !bits(a, from + (length - 1) * each, each)) length--;
    for (uint32_t k = 0; k < length; k++) {
        uint32_t c = (uint32_t)bits(a, from + k * each, each);
        if (!c) return -1;
        if (each == 4 ? put_utf8(text, room, &n, c) : n + 1 >= room) return -1;
        if (each == 1) text[n++] = (char)c;
    }
    text[n] = 0;
    return 0;
}

int qc_ndarray_text(char *text, size_t room, const QcNdarray *a, uint64_t at)
{
    if (qc_ndarray_is_text(a)) return copy_text(text, room, a, at);
    int n;
    if (a->kind == 'f') {
        double real = qc_ndarray_real(a, at);
        if (!(fabs(real) <= 9007199254740992.0) || real != floor(real)) return -1;
        n = snprintf(text, room, "%.0f", real == 0 ? 0.0 : real);
    } else {
        uint64_t v = bits(a, a->data + at * a->item, a->item);
        n = a->kind == 'i' ? snprintf(text, room, "%lld", (long long)signed_bits(a, v))
                           : snprintf(text, room, "%llu", (unsigned long long)v);
    }
    return n < 0 || (size_t)n >= room ? -1 : 0;
}
