/* MAT-File Format, MathWorks, "Level 5": 128 bytes of header, then elements: type and length (u32 each), data. An
 * element is an array (14), or an array that is compressed with zlib (15). An array has flags (its class), dimensions,
 * name, and the data of its class, each as an element padded to 8 bytes. Data of at most four bytes are in the second
 * half of the tag itself. An array of numbers has values, an array of cells one array per cell. A structure has the
 * length of its fields' names, the names, and for each of its elements an array per field.
 */
#include "matfile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/file.h"
#include "inflate.h"

enum {
    HEADER = 128,
    NAME_ROOM = 256,
    LEVELS_MAX = 8,
    VARIABLES_MAX = 1 << 17,
    /* types of elements */
    I8 = 1,
    I32 = 5,
    U32 = 6,
    MATRIX = 14,
    COMPRESSED = 15,
    UTF8 = 16,
    /* classes of arrays */
    CELL = 1,
    STRUCT = 2,
    OBJECT = 3,
    CHAR = 4,
    SPARSE = 5,
    DOUBLE = 6,
    U64_CLASS = 15,
    FLAG_COMPLEX = 8
};

/* Bytes of an array or of a part of an array; reading moves `at` on. */
typedef struct Bytes {
    const uint8_t *at, *end;
} Bytes;

typedef struct Reader {
    QcMat *mat;
    int swapped;       /* the file is big-endian */
    uint64_t inflated; /* so far */
} Reader;

typedef struct Part {
    uint32_t type, length;
    const uint8_t *data;
} Part;

static uint32_t u32(const Reader *r, const uint8_t *at)
{
    return r->swapped ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                      : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static int fail(const Reader *r, QcErr *err, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "%.300s: %s", r->mat->path, what);
}

static int next_part(Part *p, const Reader *r, Bytes *b, QcErr *err)
{
    if (b->end - b->at < 8) return fail(r, err, "a variable ends too early");
    uint32_t type = u32(r, b->at);
    if (type >> 16) { /* the small form */
        *p = (Part){type & 0xffff, type >> 16, b->at + 4};
        b->at += 8;
        return p->length <= 4 ? 0 : fail(r, err, "a variable has a part of impossible length");
    }
    *p = (Part){type, u32(r, b->at + 4), b->at + 8};
    uint64_t left = (uint64_t)(b->end - p->data), padded = ((uint64_t)p->length + 7) & ~(uint64_t)7;
    if (p->length > left) return fail(r, err, "a variable ends too early");
    b->at = p->data + (padded < left ? padded : left);
    return 0;
}

/* --- names and values -------------------------------------------------------------------------------------- */

static QcMatVariable *add_variable(const Reader *r, const char *name, uint32_t level, QcErr *err)
{
    QcMat *m = r->mat;
    if (m->n == VARIABLES_MAX) {
        fail(r, err, "has too many variables");
        return NULL;
    }
    if (m->n == m->room) {
        uint32_t room = m->room ? 2 * m->room : 64;
        QcMatVariable *larger = realloc(m->variables, room * sizeof *larger);
        if (!larger) {
            qc_fail_memory(err, "variables");
            return NULL;
        }
        m->variables = larger;
        m->room = room;
    }
    char *copy = qc_arena_text(&m->arena, name, strlen(name), err);
    if (!copy) return NULL;
    QcMatVariable *v = &m->variables[m->n++];
    *v = (QcMatVariable){.name = copy, .level = level};
    return v;
}

static int read_shape(QcNdarray *a, const Reader *r, const Part *dims, QcErr *err)
{
    uint32_t rank = dims->length / 4;
    if (dims->type != I32 || dims->length % 4 || rank < 2 || rank > QC_RANK_MAX)
        return fail(r, err, "a variable has an impossible shape");
    a->rank = rank;
    a->count = 1;
    for (uint32_t k = 0; k < rank; k++) {
        a->shape[k] = u32(r, dims->data + 4 * k);
        a->stride[k] = a->count;
        if (a->shape[k] > INT32_MAX || __builtin_mul_overflow(a->count, a->shape[k], &a->count) ||
            a->count > (uint64_t)1 << 40)
            return fail(r, err, "a variable declares too many values");
    }
    return 0;
}

/* Values may be stored in fewer bytes than their class has. */
static int read_values(QcMatVariable *v, const Reader *r, Bytes *b, QcErr *err)
{
    static const struct {
        char kind;
        uint8_t item;
    } types[19] = {[1] = {'i', 1},  [2] = {'u', 1},  [3] = {'i', 2}, [4] = {'u', 2},  [5] = {'i', 4},
                   [6] = {'u', 4},  [7] = {'f', 4},  [9] = {'f', 8}, [12] = {'i', 8}, [13] = {'u', 8},
                   [16] = {'u', 1}, [17] = {'u', 2}, [18] = {'u', 4}};
    Part p = {0};
    QcNdarray *a = &v->a;
    if (!a->count && b->at == b->end) return a->kind = 'f', a->item = 8, 0;
    if (next_part(&p, r, b, err)) return -1;
    if (p.type >= sizeof types / sizeof *types || !types[p.type].item)
        return fail(r, err, "a variable holds values of an unknown type");
    a->kind = types[p.type].kind;
    a->item = types[p.type].item;
    a->swapped = r->swapped;
    a->data = p.data;
    if (v->kind == QC_MAT_TEXT && p.type == UTF8 && p.length >= a->count && p.length <= 4 * a->count)
        a->count = p.length; /* letters of several bytes */
    if (a->count * a->item != p.length) return fail(r, err, "a variable's shape does not fit the values that follow");
    return 0;
}

/* --- arrays -------------------------------------------------------------------------------------------------- */

static int read_array(const Reader *r, Bytes b, const char *outer, uint32_t level, QcErr *err);

/* The next array within an array, called `name`. */
static int read_inner(const Reader *r, Bytes *b, const char *name, uint32_t level, QcErr *err)
{
    Part p = {0};
    if (next_part(&p, r, b, err)) return -1;
    if (p.type != MATRIX) return fail(r, err, "a part of a variable is not an array");
    return read_array(r, (Bytes){p.data, p.data + p.length}, name, level, err);
}

/* index: of this variable in the list; not a pointer, since the list's memory may move. */
static int read_cells(const Reader *r, Bytes *b, uint32_t index, QcErr *err)
{
    const QcMatVariable *v = &r->mat->variables[index];
    const uint64_t n = v->a.count;
    const char *outer = v->name;
    uint32_t level = v->level + 1;
    char name[NAME_ROOM];
    for (uint64_t k = 0; k < n; k++) {
        snprintf(name, sizeof name, "%.200s{%llu}", outer, (unsigned long long)k + 1);
        if (read_inner(r, b, name, level, err)) return -1;
    }
    r->mat->variables[index].inside = (uint32_t)n;
    return 0;
}

static int read_fields(const Reader *r, Bytes *b, uint32_t index, QcErr *err)
{
    Part length = {0}, names = {0};
    const QcMatVariable *v = &r->mat->variables[index];
    const uint64_t n = v->a.count;
    const char *outer = v->name;
    uint32_t level = v->level + 1;
    if (next_part(&length, r, b, err) || next_part(&names, r, b, err)) return -1;
    uint32_t room = length.type == I32 && length.length == 4 ? u32(r, length.data) : 0;
    if (!room || room > NAME_ROOM || names.type != I8 || names.length % room)
        return fail(r, err, "a structure has invalid names of fields");
    uint32_t fields = names.length / room;
    char name[NAME_ROOM];
    for (uint64_t k = 0; fields && k < n; k++)
        for (uint32_t f = 0; f < fields; f++) {
            const char *field = (const char *)names.data + (size_t)f * room;
            int letters = (int)strnlen(field, room < 64 ? room : 64);
            if (n == 1) snprintf(name, sizeof name, "%.150s.%.*s", outer, letters, field);
            else snprintf(name, sizeof name, "%.150s(%llu).%.*s", outer, (unsigned long long)k + 1, letters, field);
            if (read_inner(r, b, name, level, err)) return -1;
        }
    r->mat->variables[index].inside = (uint32_t)(n * fields);
    return 0;
}

/* What an array of this class is called. */
static const char *class_name(uint32_t class, int is_complex)
{
    static const char *const names[] = {[CELL] = "an array of cells", [STRUCT] = "a structure", [OBJECT] = "an object",
                                        [CHAR] = "text", [SPARSE] = "a sparse matrix"};
    if (class && class < sizeof names / sizeof *names) return names[class];
    return class > U64_CLASS || !class ? "an object or a function" : is_complex ? "complex numbers" : "numbers";
}

static int read_array(const Reader *r, Bytes b, const char *outer, uint32_t level, QcErr *err)
{
    Part flags = {0}, dims = {0}, name = {0};
    char own[NAME_ROOM];
    if (level > LEVELS_MAX) return fail(r, err, "has structures or cells nested too deeply");
    if (b.at == b.end && level) { /* an empty cell */
        QcMatVariable *v = add_variable(r, outer, level, err);
        if (v) v->kind = QC_MAT_OTHER, v->what = "empty", v->a.rank = 2;
        return v ? 0 : -1;
    }
    if (next_part(&flags, r, &b, err)) return -1;
    if (flags.type != U32 || flags.length != 8) return fail(r, err, "a variable does not begin with its class");
    uint32_t word = u32(r, flags.data), class = word & 0xff;
    int is_complex = word >> 8 & FLAG_COMPLEX ? 1 : 0;
    if (class > U64_CLASS) { /* objects and functions have parts of another form */
        QcMatVariable *v = add_variable(r, level ? outer : "?", level, err);
        if (v) v->kind = QC_MAT_OTHER, v->what = class_name(class, 0);
        return v ? 0 : -1;
    }
    if (next_part(&dims, r, &b, err) || next_part(&name, r, &b, err)) return -1;
    if (name.type != I8 || name.length >= sizeof own) return fail(r, err, "a variable has an invalid name");
    snprintf(own, sizeof own, "%.*s", (int)name.length, (const char *)name.data);
    uint32_t index = r->mat->n;
    QcMatVariable *v = add_variable(r, level ? outer : own, level, err);
    if (!v || read_shape(&v->a, r, &dims, err)) return -1;
    v->what = class_name(class, is_complex);
    v->kind = class == CHAR                                          ? QC_MAT_TEXT
              : class >= DOUBLE && class <= U64_CLASS && !is_complex ? QC_MAT_NUMBERS
                                                                     : QC_MAT_OTHER;
    if (class == CELL) v->kind = QC_MAT_CELLS;
    if (class == STRUCT) v->kind = QC_MAT_STRUCTURE;
    switch (v->kind) {
    case QC_MAT_CELLS: return read_cells(r, &b, index, err);
    case QC_MAT_STRUCTURE: return read_fields(r, &b, index, err);
    case QC_MAT_OTHER: return 0;
    default: return read_values(v, r, &b, err);
    }
}

/* --- the file ------------------------------------------------------------------------------------------------ */

static int fail_deflate(const Reader *r, QcErr *err)
{
    return fail(r, err, "a compressed variable is damaged or cut off");
}

/* Inflates the array of a zlib stream; the array's tag gives its length. */
static int inflate_array(Bytes *array, Reader *r, z_stream *z, QcErr *err)
{
    uint8_t tag[8];
    z->next_out = tag;
    z->avail_out = sizeof tag;
    int state = inflate(z, Z_SYNC_FLUSH);
    if ((state != Z_OK && state != Z_STREAM_END) || z->avail_out) return fail_deflate(r, err);
    uint32_t length = u32(r, tag + 4);
    if (u32(r, tag) != MATRIX) return fail(r, err, "has an element that is no variable");
    r->inflated += sizeof tag + (uint64_t)length;
    if (qc_inflate_check(r->mat->path, r->mat->view.length, r->inflated, err)) return -1;
    uint8_t *bytes = malloc(length + 1); /* one byte more shows whether the stream has more than it declares */
    if (!bytes) return qc_fail_memory(err, "a variable");
    if (qc_arena_adopt(&r->mat->arena, bytes, err)) return -1;
    z->next_out = bytes;
    z->avail_out = length + 1;
    while (state == Z_OK) {
        uInt before = z->avail_out;
        state = inflate(z, Z_NO_FLUSH);
        if (state == Z_OK && (before == z->avail_out || !z->avail_out)) break;
    }
    if (!z->avail_out) return fail(r, err, "a compressed variable inflates to more than it declares");
    if (state != Z_STREAM_END) return fail_deflate(r, err);
    if (z->avail_out != 1) return fail(r, err, "a compressed variable is not as long as it declares");
    *array = (Bytes){bytes, bytes + length};
    return 0;
}

static int read_compressed(Reader *r, Bytes packed, QcErr *err)
{
    Bytes array;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.at, .avail_in = (uInt)(packed.end - packed.at)};
    if (inflateInit(&z) != Z_OK) return qc_fail_memory(err, "inflating");
    int status = inflate_array(&array, r, &z, err);
    inflateEnd(&z);
    return status ? -1 : read_array(r, array, "", 0, err);
}

static int read_element(Reader *r, Bytes *file, QcErr *err)
{
    if (file->end - file->at < 8) return fail(r, err, "is cut off");
    uint32_t type = u32(r, file->at), length = u32(r, file->at + 4);
    Bytes data = {file->at + 8, file->at + 8};
    if (length > file->end - data.at) return fail(r, err, "is cut off");
    data.end = file->at = data.at + length;
    if (type == COMPRESSED) return read_compressed(r, data, err);
    if (type != MATRIX) return fail(r, err, "has an element that is no variable");
    if (length % 8) return fail(r, err, "a variable's length is not a multiple of 8");
    return read_array(r, data, "", 0, err);
}

static int read_all(QcMat *mat, QcErr *err)
{
    Reader r = {.mat = mat};
    const uint8_t *bytes = mat->view.bytes;
    Bytes file = {bytes + HEADER, bytes + mat->view.length};
    if (mat->view.length < HEADER || (memcmp(bytes + 126, "IM", 2) && memcmp(bytes + 126, "MI", 2)))
        return fail(&r, err, "is no MATLAB file of version 5 (saved with -v6 or -v7)");
    r.swapped = bytes[126] == 'M';
    uint32_t version = r.swapped ? (uint32_t)bytes[124] << 8 | bytes[125] : (uint32_t)bytes[125] << 8 | bytes[124];
    if (version == 0x0200)
        return fail(&r, err,
                    "is a MATLAB file of version 7.3 (HDF5): load it and save it with save('NAME.mat', '-v7'), or in "
                    "Python (h5py) with numpy.savez");
    if (version != 0x0100) return fail(&r, err, "is no MATLAB file of version 5 (saved with -v6 or -v7)");
    if (file.at == file.end) return fail(&r, err, "has no variables");
    while (file.at < file.end)
        if (read_element(&r, &file, err)) return -1;
    return 0;
}

QcMat *qc_mat_open(const char *path, QcErr *err)
{
    if (qc_is_standard(path) || !qc_is_regular(path)) {
        qc_fail(err, QC_EIO, "%.300s is not a regular file", qc_input_name(path));
        return NULL;
    }
    QcMat *mat = calloc(1, sizeof *mat);
    if (!mat) {
        qc_fail_memory(err, path);
        return NULL;
    }
    mat->path = path;
    if (!qc_inputview_open(&mat->view, path, err) && !read_all(mat, err)) return mat;
    qc_mat_close(mat);
    return NULL;
}

void qc_mat_close(QcMat *mat)
{
    if (!mat) return;
    qc_inputview_close(&mat->view);
    qc_arena_release(&mat->arena);
    free(mat->variables);
    free(mat);
}

/* --- for importers --------------------------------------------------------------------------------------------- */

const QcMatVariable *qc_mat_find(const QcMat *mat, const char *name)
{
    for (uint32_t k = 0; k < mat->n; k++)
        if (!strcmp(mat->variables[k].name, name)) return &mat->variables[k];
    return NULL;
}

int qc_mat_text(char *text, size_t room, const QcMatVariable *v)
{
    const QcNdarray *a = &v->a;
    if (v->kind == QC_MAT_NUMBERS) return a->count == 1 ? qc_ndarray_text(text, room, a, 0) : -1;
    if (v->kind != QC_MAT_TEXT || a->shape[0] > 1) return -1;
    if (a->item == 1) { /* UTF-8, or single letters */
        if (a->count >= room) return -1;
        memcpy(text, a->data, a->count);
        text[a->count] = 0;
        return memchr(text, 0, a->count) ? -1 : 0;
    }
    size_t n = 0;
    for (uint64_t k = 0; k < a->count; k++) {
        double letter = qc_ndarray_real(a, k);
        if (letter < 1 || letter > 127 || n + 1 >= room) return -1;
        text[n++] = (char)letter;
    }
    text[n] = 0;
    return 0;
}

int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, const QcMat *mat, const char *name, QcErr *err)
{
    const QcMatVariable *v = qc_mat_find(mat, name);
    if (!v) return qc_fail(err, QC_EFORMAT, "%.300s has no variable '%s' that can be read", mat->path, name);
    const QcNdarray *a = &v->a;
    if (v->kind != QC_MAT_NUMBERS || a->rank != 2)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no matrix of numbers", mat->path, name);
    uint64_t r = a->shape[0], c = a->shape[1];
    if (!r || !c || r > 1u << 30 || c > 1u << 24)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is empty or too large", mat->path, name);
    double *out = malloc(r * c * sizeof *out);
    if (!out) return qc_fail_memory(err, name);
    for (uint64_t i = 0; i < r; i++) /* MATLAB stores arrays column by column */
        for (uint64_t k = 0; k < c; k++) out[i * c + k] = qc_ndarray_real(a, k * r + i);
    *values = out;
    *rows = (uint32_t)r;
    *columns = (uint32_t)c;
    return 0;
}

int qc_mat_number(uint32_t *number, const QcMat *mat, const char *name, QcErr *err)
{
    char text[32], *end = text;
    const QcMatVariable *v = qc_mat_find(mat, name);
    *number = 0;
    if (!v) return 0;
    unsigned long n =
        qc_mat_text(text, sizeof text, v) || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9
            ? 0
            : strtoul(text, &end, 10);
    if (!n) return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no positive whole number", mat->path, name);
    *number = (uint32_t)n;
    return 0;
}
