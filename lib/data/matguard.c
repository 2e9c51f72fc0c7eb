/* MAT-File Format, MathWorks, "Level 5": 128 bytes of header, then elements: type and length (u32 each), data. An
 * element is an array (14), or one that is compressed with zlib (15). An array is: flags (its class), dimensions, name,
 * values, each an element padded to 8 bytes; four bytes or less stand in the upper half of the tag itself.
 */
#include "matguard.h"

#include <string.h>
#include <zlib.h>

#include "inflate.h"

enum {
    HEADER = 128,
    HEAD_ROOM = 256,
    DIMS_MAX = 8,
    NAME_MAX_BYTES = 64,
    MATRIX = 14,
    COMPRESSED = 15,
    CLASS_CHAR = 4,
    CLASS_FIRST = 6,
    CLASS_LAST = 15,
    UTF8 = 16,
    FLAG_COMPLEX = 8
};

typedef struct Guard {
    const char *name;
    const uint8_t *bytes;
    size_t length, at;
    int swapped;       /* the file is big-endian */
    uint64_t inflated; /* so far */
} Guard;

static uint32_t u32(const Guard *g, const uint8_t *at)
{
    return g->swapped ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                      : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static int fail(const Guard *g, QcErr *err, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "%.300s: %s", g->name, what);
}

static uint32_t type_bytes(uint32_t type)
{
    static const uint8_t bytes[19] = {[1] = 1, [2] = 1,  [3] = 2,  [4] = 2,  [5] = 4,  [6] = 4, [7] = 4,
                                      [9] = 8, [12] = 8, [13] = 8, [16] = 1, [17] = 2, [18] = 4};
    return type < sizeof bytes ? bytes[type] : 0;
}

/* --- an array, of which `head` bytes (at most HEAD_ROOM) are at hand and `length` there are in all ------------ */

typedef struct Head {
    const uint8_t *bytes;
    size_t have, at;
    uint64_t length;
} Head;

typedef struct Part {
    uint32_t type, length;
    const uint8_t *data; /* NULL if it is not at hand */
} Part;

static int next_part(const Guard *g, Head *h, Part *p, QcErr *err)
{
    if (h->at + 8 > h->have) return fail(g, err, "a variable ends too early");
    uint32_t type = u32(g, h->bytes + h->at);
    if (type >> 16) { /* the small form */
        *p = (Part){type & 0xffff, type >> 16, h->bytes + h->at + 4};
        h->at += 8;
        return p->length <= 4 ? 0 : fail(g, err, "a variable has a field of a length that cannot be");
    }
    *p = (Part){type, u32(g, h->bytes + h->at + 4), NULL};
    h->at += 8;
    uint64_t padded = ((uint64_t)p->length + 7) & ~(uint64_t)7;
    if (p->length > h->length - h->at) return fail(g, err, "a variable ends too early");
    if (h->at + p->length <= h->have) p->data = h->bytes + h->at;
    h->at = padded < h->length - h->at ? h->at + (size_t)padded : (size_t)h->length;
    return 0;
}

static int count_elements(const Guard *g, const Part *dims, uint64_t *n, QcErr *err)
{
    uint32_t rank = dims->length / 4;
    if (dims->type != 5 || !dims->data || dims->length % 4 || rank < 2 || rank > DIMS_MAX)
        return fail(g, err, "a variable has a shape that cannot be");
    *n = 1;
    for (uint32_t k = 0; k < rank; k++) {
        uint32_t size = u32(g, dims->data + 4 * k);
        if (size > INT32_MAX || __builtin_mul_overflow(*n, (uint64_t)size, n) || *n > (uint64_t)1 << 40)
            return fail(g, err, "a variable is larger than can be");
    }
    return 0;
}

static int check_values(const Guard *g, const Part *values, uint32_t class, uint64_t n, QcErr *err)
{
    uint32_t each = type_bytes(values->type);
    if (!each) return fail(g, err, "a variable holds values of an unknown type");
    if (class == CLASS_CHAR && values->type == UTF8 && values->length >= n && values->length <= 4 * n) return 0;
    if (n * each != values->length) return fail(g, err, "a variable's shape does not fit the values that follow");
    return 0;
}

static int check_array(const Guard *g, Head *h, QcErr *err)
{
    Part flags = {0}, dims = {0}, name = {0}, values = {0};
    uint64_t n = 0;
    if (next_part(g, h, &flags, err)) return -1;
    if (flags.type != 6 || flags.length != 8 || !flags.data)
        return fail(g, err, "a variable does not begin with its class");
    uint32_t word = u32(g, flags.data), class = word & 0xff;
    if (class != CLASS_CHAR && (class < CLASS_FIRST || class > CLASS_LAST))
        return fail(g, err,
                    "holds a variable that is neither numbers nor text (a cell, a structure, a sparse matrix ...)");
    if (word >> 8 & FLAG_COMPLEX) return fail(g, err, "holds complex numbers");
    if (next_part(g, h, &dims, err) || count_elements(g, &dims, &n, err) || next_part(g, h, &name, err)) return -1;
    if (name.type != 1 || name.length > NAME_MAX_BYTES || !name.data)
        return fail(g, err, "a variable has no proper name");
    return next_part(g, h, &values, err) || check_values(g, &values, class, n, err) ? -1 : 0;
}

/* --- elements ----------------------------------------------------------------------------------------------- */

/* Inflates the stream to its end without keeping more than its first bytes. -1: damaged, cut off, or longer than it may
 * be. */
static int inflate_through(Guard *g, z_stream *z, uint8_t head[HEAD_ROOM], size_t *have, uint64_t *total, QcErr *err)
{
    uint8_t page[16384];
    int state = Z_OK;
    *have = 0;
    *total = 0;
    while (state != Z_STREAM_END) {
        z->next_out = page;
        z->avail_out = sizeof page;
        state = inflate(z, Z_NO_FLUSH);
        size_t got = sizeof page - z->avail_out;
        if ((state != Z_OK && state != Z_STREAM_END) || (!got && state == Z_OK))
            return fail(g, err, "a compressed variable is damaged or cut off");
        size_t keep = got < HEAD_ROOM - *have ? got : HEAD_ROOM - *have;
        memcpy(head + *have, page, keep);
        *have += keep;
        *total += got;
        if (qc_inflate_check(g->name, g->length, g->inflated + *total, err)) return -1;
        /* the stream must not be longer than the length declared at its beginning */
        if (*have >= 8 && *total > (uint64_t)u32(g, head + 4) + 8)
            return fail(g, err, "a compressed variable inflates to more than it declares");
    }
    return 0;
}

static int check_compressed(Guard *g, const uint8_t *data, uint32_t length, QcErr *err)
{
    uint8_t head[HEAD_ROOM];
    size_t have;
    uint64_t total;
    z_stream z = {.next_in = (Bytef *)data, .avail_in = length};
    if (inflateInit(&z) != Z_OK) return qc_fail_memory(err, "inflating");
    int status = inflate_through(g, &z, head, &have, &total, err);
    inflateEnd(&z);
    if (status) return -1;
    g->inflated += total;
    if (have < 8 || u32(g, head) != MATRIX || total != (uint64_t)u32(g, head + 4) + 8)
        return fail(g, err, "a compressed variable is not as long as it declares");
    Head h = {head + 8, have - 8, 0, total - 8};
    return check_array(g, &h, err);
}

static int check_element(Guard *g, QcErr *err)
{
    if (g->length - g->at < 8) return fail(g, err, "is cut off");
    uint32_t type = u32(g, g->bytes + g->at), length = u32(g, g->bytes + g->at + 4);
    const uint8_t *data = g->bytes + g->at + 8;
    if (length > g->length - g->at - 8) return fail(g, err, "is cut off");
    g->at += 8 + (size_t)length;
    if (type == COMPRESSED) return check_compressed(g, data, length, err);
    if (type != MATRIX) return fail(g, err, "has an element that is no variable");
    if (length % 8) return fail(g, err, "a variable's length is not a multiple of 8");
    Head h = {data, length < HEAD_ROOM ? length : HEAD_ROOM, 0, length};
    return check_array(g, &h, err);
}

int qc_mat_guard(const char *name, const uint8_t *bytes, size_t length, QcErr *err)
{
    Guard g = {.name = name, .bytes = bytes, .length = length, .at = HEADER};
    if (length < HEADER || (memcmp(bytes + 126, "IM", 2) && memcmp(bytes + 126, "MI", 2)))
        return fail(&g, err, "is no MATLAB file of version 5 (saved with -v6 or -v7)");
    g.swapped = bytes[126] == 'M';
    uint32_t version = g.swapped ? (uint32_t)bytes[124] << 8 | bytes[125] : (uint32_t)bytes[125] << 8 | bytes[124];
    if (version == 0x0200) return fail(&g, err, "is a MATLAB file of version 7.3: save it with -v7");
    if (version != 0x0100) return fail(&g, err, "is no MATLAB file of version 5 (saved with -v6 or -v7)");
    if (length == HEADER) return fail(&g, err, "has no variables");
    while (g.at < g.length)
        if (check_element(&g, err)) return -1;
    return 0;
}
