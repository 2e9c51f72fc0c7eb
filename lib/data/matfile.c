/* MAT-File Format, MathWorks, "Level 5": 128 bytes of header, then elements: type and length (u32 each), data. An
 * element is an array (14), or an array that is compressed with zlib (15). An array has flags (its class), dimensions,
 * name, and the data of its class, each as an element padded to 8 bytes. Data of at most four bytes are in the second
 * half of the tag itself. An array of numbers has values, an array of cells one array per cell. A structure has the
 * length of its fields' names, the names, and for each of its elements an array per field.
 */
#include "matfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/file.h"
#include "inflate.h"
#include "mat73.h"

enum {
    HEADER = 128,
    /* types of elements */
    I8 = 1,
    I32 = 5,
    U32 = 6,
    MATRIX = 14,
    COMPRESSED = 15,
    UTF8 = 16,
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

static int fail(const Reader *r, QcErr *err, const char *what) { return qc_mat_fail(r->mat, err, what); }

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

/* --- shapes and values ------------------------------------------------------------------------------------- */

static int read_shape(QcMatVariable *v, const Reader *r, const Part *dims, QcErr *err)
{
    uint64_t shape[QC_RANK_MAX] = {0};
    uint32_t rank = dims->type == I32 && dims->length % 4 == 0 ? dims->length / 4 : 0;
    for (uint32_t k = 0; k < rank && k < QC_RANK_MAX; k++) shape[k] = u32(r, dims->data + 4 * k);
    return qc_mat_set_shape(v, r->mat, shape, rank, err);
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
    char name[QC_MAT_NAME_ROOM];
    for (uint64_t k = 0; k < n; k++) {
        qc_mat_name_cell(name, outer, k);
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
    if (!room || room > QC_MAT_NAME_ROOM || names.type != I8 || names.length % room)
        return fail(r, err, "a structure has invalid names of fields");
    uint32_t fields = names.length / room;
    char name[QC_MAT_NAME_ROOM];
    for (uint64_t k = 0; fields && k < n; k++)
        for (uint32_t f = 0; f < fields; f++) {
            const char *field = (const char *)names.data + (size_t)f * room;
            qc_mat_name_field(name, outer, k, n, field, strnlen(field, room));
            if (read_inner(r, b, name, level, err)) return -1;
        }
    r->mat->variables[index].inside = (uint32_t)(n * fields);
    return 0;
}

static int read_array(const Reader *r, Bytes b, const char *outer, uint32_t level, QcErr *err)
{
    Part flags = {0}, dims = {0}, name = {0};
    char own[QC_MAT_NAME_ROOM];
    if (level > QC_MAT_LEVELS_MAX) return qc_mat_fail_levels(r->mat, err);
    if (b.at == b.end && level) { /* an empty cell */
        QcMatVariable *v = qc_mat_add(r->mat, outer, level, err);
        if (v) v->kind = QC_MAT_OTHER, v->what = "empty", v->a.rank = 2;
        return v ? 0 : -1;
    }
    if (next_part(&flags, r, &b, err)) return -1;
    if (flags.type != U32 || flags.length != 8) return fail(r, err, "a variable does not begin with its class");
    uint32_t word = u32(r, flags.data), class = word & 0xff;
    int is_complex = word >> 8 & FLAG_COMPLEX ? 1 : 0;
    if (class > QC_MAT_CLASS_U64) { /* its other parts are of another form */
        QcMatVariable *v = qc_mat_add(r->mat, level ? outer : "?", level, err);
        if (v) qc_mat_classify(v, class, 0);
        return v ? 0 : -1;
    }
    if (next_part(&dims, r, &b, err) || next_part(&name, r, &b, err)) return -1;
    if (name.type != I8 || name.length >= sizeof own) return fail(r, err, "a variable has an invalid name");
    snprintf(own, sizeof own, "%.*s", (int)name.length, (const char *)name.data);
    uint32_t index = r->mat->n;
    QcMatVariable *v = qc_mat_add(r->mat, level ? outer : own, level, err);
    if (!v || read_shape(v, r, &dims, err)) return -1;
    qc_mat_classify(v, class, is_complex);
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

static int read_all(QcMat *mat, QcMatVersions versions, QcErr *err)
{
    Reader r = {.mat = mat};
    const uint8_t *bytes = mat->view.bytes;
    Bytes file = {bytes + HEADER, bytes + mat->view.length};
    if (mat->view.length < HEADER || (memcmp(bytes + 126, "IM", 2) && memcmp(bytes + 126, "MI", 2)))
        return fail(&r, err, "is no MATLAB file of version 5 (saved with -v6 or -v7)");
    r.swapped = bytes[126] == 'M';
    uint32_t version = r.swapped ? (uint32_t)bytes[124] << 8 | bytes[125] : (uint32_t)bytes[125] << 8 | bytes[124];
    if (version == 0x0200 && versions == QC_MAT_5_OR_73) return qc_mat73_read(mat, err);
    if (version == 0x0200)
        return fail(&r, err,
                    "is a MATLAB file of version 7.3 (HDF5), which only -f mat reads: save it with save('NAME.mat', "
                    "'-v7')");
    if (version != 0x0100) return fail(&r, err, "is no MATLAB file of version 5 (saved with -v6 or -v7)");
    if (file.at == file.end) return fail(&r, err, "has no variables");
    while (file.at < file.end)
        if (read_element(&r, &file, err)) return -1;
    return 0;
}

QcMat *qc_mat_open(const char *path, QcMatVersions versions, QcErr *err)
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
    if (!qc_inputview_open(&mat->view, path, err) && !read_all(mat, versions, err)) return mat;
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
