/* The dataset as a data file (kind "data"), for qc-formats(5). All sections but the last are critical.
 *
 *   shape       u32 n, channels, height, length, capacity (0: plain data; else a coreset and n <= capacity)
 *   x           f32 [n][channels][height][length], finite, |x| <= 1e30; exactly that long
 *   examples    i32 label[n] (-1: none), u64 id[n] (unique), u32 group[n], u32 recording[n]
 *   names       three tables: labels, groups, recordings; each a u32 count and that many texts, unique within the
 *               table. Where a table of groups or recordings is empty, all examples are of group or recording 0
 *   coreset     u32 misses[n], u8 flags[n] (1 reserved, 2 never right, 4 from a stream); there just when capacity > 0
 *   frontend    u32 rate, frame, hop, bands, coefficients, if the values are features of sound (device/frontend.h)
 *   provenance  (optional) one text for each program that made this file
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"

enum {
    MAX_DIM = 1 << 24,
    PIECE = 4096 /* values */,
    KNOWN_FLAGS = QC_EXAMPLE_RESERVED | QC_EXAMPLE_NEVER_RIGHT | QC_EXAMPLE_STREAM
};

static const char *const known_sections[] = {"shape",   "x",        "examples",   "names",
                                             "coreset", "frontend", "provenance", NULL};

static void put_names(QcWriter *w, const QcNames *names)
{
    qc_put_u32(w, names->n);
    for (uint32_t i = 0; i < names->n; i++) qc_put_text(w, names->names[i]);
}

static int add_shape(const QcDataset *d, QcContainer *c, QcErr *err)
{
    QcWriter w = {0};
    const uint32_t shape[] = {d->n, d->channels, d->height, d->length, d->capacity};
    qc_put_u32s(&w, shape, 5);
    return qc_container_add(c, "shape", 0, &w, err);
}

static int add_values(const QcDataset *d, QcContainer *c, QcErr *err)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ /* little-endian memory has the byte order of the file, so values are
                                               * written without a copy */
    return qc_container_borrow(c, "x", 0, d->x, d->n * qc_dataset_values(d) * sizeof *d->x, err);
#else
    QcWriter w = {0};
    qc_put_f32s(&w, d->x, d->n * qc_dataset_values(d));
    return qc_container_add(c, "x", 0, &w, err);
#endif
}

static int add_examples(const QcDataset *d, QcContainer *c, QcErr *err)
{
    QcWriter w = {0};
    qc_put_i32s(&w, d->label, d->n);
    qc_put_u64s(&w, d->id, d->n);
    qc_put_u32s(&w, d->group, d->n);
    qc_put_u32s(&w, d->recording, d->n);
    return qc_container_add(c, "examples", 0, &w, err);
}

static int add_names(const QcDataset *d, QcContainer *c, QcErr *err)
{
    QcWriter w = {0};
    put_names(&w, &d->labels);
    put_names(&w, &d->groups);
    put_names(&w, &d->recordings);
    return qc_container_add(c, "names", 0, &w, err);
}

static int add_coreset(const QcDataset *d, QcContainer *c, QcErr *err)
{
    if (!d->capacity) return 0;
    QcWriter w = {0};
    qc_put_u32s(&w, d->misses, d->n);
    qc_put_bytes(&w, d->flags, d->n);
    return qc_container_add(c, "coreset", 0, &w, err);
}

static int add_provenance(const QcDataset *d, QcContainer *c, QcErr *err)
{
    QcWriter w = {0};
    qc_provenance_encode(&w, &d->provenance);
    return qc_container_add(c, "provenance", QC_SECTION_OPTIONAL, &w, err);
}

int qc_dataset_encode(const QcDataset *d, QcContainer *c, QcErr *err)
{
    if (!d->n) return qc_fail(err, QC_EUSAGE, "a data file without examples is of no use and is not written");
    return add_shape(d, c, err) || add_values(d, c, err) || add_examples(d, c, err) || add_names(d, c, err) ||
                   add_coreset(d, c, err) || qc_frontfile_put(c, &d->front, err) || add_provenance(d, c, err)
               ? -1
               : 0;
}

int qc_dataset_sign(QcDataset *d, const char *command, const uint8_t input[QC_DIGEST_BYTES], QcErr *err)
{
    if (!input) return qc_provenance_add(&d->provenance, &d->arena, command, err);
    char line[1024], digest[QC_DIGEST_TEXT];
    qc_digest_text(digest, input);
    snprintf(line, sizeof line, "%.950s ; data=sha256:%.16s", command, digest);
    return qc_provenance_add(&d->provenance, &d->arena, line, err);
}

int qc_dataset_save(QcDataset *d, const char *path, QcErr *err)
{
    QcContainer c;
    qc_container_init(&c, QC_KIND_DATA);
    int status = qc_dataset_encode(d, &c, err) || qc_container_save(&c, path, err) ? -1 : 0;
    qc_container_release(&c);
    return status;
}

/* Writes the whole file, but under a temporary name. */
static int write_aside(QcOutput *out, QcDataset *d, const char *path, QcErr *err)
{
    QcContainer c;
    qc_container_init(&c, QC_KIND_DATA);
    int status = qc_dataset_encode(d, &c, err) || qc_output_open(out, path, 1, err) ||
                         qc_container_write(&c, out, path, err)
                     ? -1
                     : 0;
    qc_container_release(&c);
    return status;
}

int qc_dataset_save_pair(QcDataset *a, const char *path_a, QcDataset *b, const char *path_b, QcErr *err)
{
    QcOutput out_a = {0}, out_b = {0};
    int status = write_aside(&out_a, a, path_a, err) || write_aside(&out_b, b, path_b, err) ? -1 : 0;
    if (!status) status = qc_output_commit_pair(&out_a, &out_b, err);
    qc_output_release(&out_a);
    qc_output_release(&out_b);
    return status;
}

static int need_section(QcCursor *cursor, const QcContainer *c, const char *name, QcErr *err)
{
    return qc_container_find(c, name, cursor) ? 0 : qc_fail(err, QC_EFORMAT, "the data file has no section '%s'", name);
}

static int read_shape(QcDataset *d, const QcContainer *c, QcErr *err)
{
    QcCursor cursor, values;
    if (need_section(&cursor, c, "shape", err) || need_section(&values, c, "x", err)) return -1;
    uint32_t n = qc_get_u32(&cursor), channels = qc_get_u32(&cursor), height = qc_get_u32(&cursor),
             length = qc_get_u32(&cursor), capacity = qc_get_u32(&cursor);
    if (qc_cursor_end(&cursor, "section 'shape'", err)) return -1;
    if (!n) return qc_fail(err, QC_EFORMAT, "the data file holds no examples");
    if (!channels || !height || !length || channels > MAX_DIM || height > MAX_DIM || length > MAX_DIM)
        return qc_fail(err, QC_EFORMAT, "windows of %u x %u x %u are not possible (1 to %d each)", channels, height,
                       length, MAX_DIM);
    if (capacity && n > capacity)
        return qc_fail(err, QC_EFORMAT, "the coreset has %u examples, but a capacity of %u", n, capacity);
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)channels * height, (uint64_t)length, &bytes) ||
        __builtin_mul_overflow(bytes, (uint64_t)n * sizeof(float), &bytes) || bytes != values.length)
        return qc_fail(err, QC_EFORMAT, "%u windows of %u x %u x %u do not fit %zu bytes of values", n, channels,
                       height, length, values.length);
    /* the other sections must exist before memory is allocated for the sizes in this section */
    QcCursor examples;
    if (need_section(&examples, c, "examples", err)) return -1;
    if (examples.length != (uint64_t)n * 20)
        return qc_fail(err, QC_EFORMAT, "section 'examples' has %zu bytes instead of %llu", examples.length,
                       (unsigned long long)n * 20);
    int stays = !values.bytes;
    return (stays ? qc_dataset_init_windowless : qc_dataset_init)(d, n, channels, height, length, capacity, err);
}

static int check_values(const QcDataset *d, const float *x, uint64_t first, uint64_t n, QcErr *err)
{
    uint64_t values = qc_dataset_values(d);
    for (uint64_t k = 0; k < n; k++)
        if (!(fabsf(x[k]) <= QC_VALUE_MAX))
            return qc_fail(err, QC_EFORMAT, "value %llu of example %llu is %s",
                           (unsigned long long)((first + k) % values), (unsigned long long)((first + k) / values),
                           isnan(x[k]) ? "not a number (NaN)" : "infinite or larger than 1e30");
    return 0;
}

/* Checks values that stay in the file once, a piece at a time. */
static int pass_values(QcDataset *d, QcContainer *c, QcErr *err)
{
    float piece[PIECE];
    uint64_t values = qc_dataset_values(d);
    d->file = c->pieces; /* d owns the pieces from here on */
    c->pieces = NULL;
    for (uint32_t i = 0; i < c->n; i++)
        if (!strcmp(c->sections[i].name, "x")) d->at = c->sections[i].offset;
    for (uint32_t i = 0; i < d->n; i++)
        for (uint64_t from = 0, n; from < values; from += n) {
            n = values - from < PIECE ? values - from : PIECE;
            if (qc_dataset_read(piece, d, i, from, n, err) || check_values(d, piece, i * values + from, n, err))
                return -1;
        }
    return 0;
}

static int read_values(QcDataset *d, QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    if (need_section(&cursor, c, "x", err)) return -1;
    if (!d->x) return pass_values(d, c, err);
    uint64_t n = d->n * qc_dataset_values(d);
    for (uint64_t k = 0; k < n; k++) d->x[k] = qc_get_f32(&cursor);
    return check_values(d, d->x, 0, n, err) ? -1 : qc_cursor_end(&cursor, "section 'x'", err);
}

int qc_dataset_read(float *out, const QcDataset *d, uint32_t i, uint64_t from, uint64_t n, QcErr *err)
{
    uint64_t first = i * qc_dataset_values(d) + from;
    if (d->x) {
        memcpy(out, d->x + first, n * sizeof *out);
        return 0;
    }
    if (qc_pieces_read(d->file, out, d->at + first * sizeof *out, n * sizeof *out, err)) return -1;
    for (uint64_t k = 0; k < n; k++) {
        QcCursor one = {.bytes = (const uint8_t *)(out + k), .length = sizeof *out};
        out[k] = qc_get_f32(&one);
    }
    return 0;
}

static int read_examples(QcDataset *d, const QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    if (need_section(&cursor, c, "examples", err)) return -1;
    for (uint32_t i = 0; i < d->n; i++) d->label[i] = qc_get_i32(&cursor);
    for (uint32_t i = 0; i < d->n; i++) d->id[i] = qc_get_u64(&cursor);
    for (uint32_t i = 0; i < d->n; i++) d->group[i] = qc_get_u32(&cursor);
    for (uint32_t i = 0; i < d->n; i++) d->recording[i] = qc_get_u32(&cursor);
    return qc_cursor_end(&cursor, "section 'examples'", err);
}

static int get_names(QcNames *names, QcCursor *cursor, QcArena *arena, const char *what, QcErr *err)
{
    uint32_t n = qc_get_count(cursor, 4), room = 8;
    while (room < n) room *= 2; /* the room that qc_names_add expects; n is bounded by the file's length */
    names->names = qc_arena_take(arena, room, sizeof *names->names, err);
    if (!names->names) return -1;
    for (uint32_t i = 0; i < n; i++) {
        names->names[i] = qc_get_text(cursor, arena);
        if (!names->names[i])
            return qc_fail(err, QC_EFORMAT, "name %u of the %s is cut off or no valid UTF-8", i, what);
    }
    names->n = n;
    int twice = qc_names_index(names, arena, err);
    return twice > 0 ? qc_fail(err, QC_EFORMAT, "two %s have the name '%.60s'", what, names->names[names->table.n])
                     : twice;
}

static int read_names(QcDataset *d, const QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    if (need_section(&cursor, c, "names", err) || get_names(&d->labels, &cursor, &d->arena, "labels", err) ||
        get_names(&d->groups, &cursor, &d->arena, "groups", err) ||
        get_names(&d->recordings, &cursor, &d->arena, "recordings", err))
        return -1;
    return qc_cursor_end(&cursor, "section 'names'", err);
}

static int read_coreset(QcDataset *d, const QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    int there = qc_container_find(c, "coreset", &cursor);
    if (there != (d->capacity > 0))
        return qc_fail(err, QC_EFORMAT,
                       there ? "plain data has a section 'coreset'" : "the coreset has no section 'coreset'");
    if (!there) return 0;
    for (uint32_t i = 0; i < d->n; i++) d->misses[i] = qc_get_u32(&cursor);
    for (uint32_t i = 0; i < d->n; i++) {
        d->flags[i] = qc_get_u8(&cursor);
        if (d->flags[i] & ~KNOWN_FLAGS)
            return qc_fail(err, QC_EFORMAT, "example %u of the coreset has unknown flags %u", i, d->flags[i]);
    }
    return qc_cursor_end(&cursor, "section 'coreset'", err);
}

static int read_provenance(QcDataset *d, const QcContainer *c, QcErr *err)
{
    QcCursor cursor;
    if (!qc_container_find(c, "provenance", &cursor)) return 0;
    if (qc_provenance_decode(&d->provenance, &cursor, &d->arena, err)) return -1;
    return qc_cursor_end(&cursor, "section 'provenance'", err);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return p < q ? -1 : p > q;
}

static int check_ids_unique(const QcDataset *d, QcErr *err)
{
    uint64_t *sorted = malloc(d->n * sizeof *sorted);
    if (!sorted) return qc_fail_memory(err, "ids");
    memcpy(sorted, d->id, d->n * sizeof *sorted);
    qsort(sorted, d->n, sizeof *sorted, compare_ids);
    int status = 0;
    for (uint32_t i = 1; i < d->n && !status; i++)
        if (sorted[i - 1] == sorted[i])
            status = qc_fail(err, QC_EFORMAT, "two examples have the same id %llu", (unsigned long long)sorted[i]);
    free(sorted);
    return status;
}

/* Group 0 and recording 0 need no name. */
static int check_index(uint32_t index, const QcNames *names, uint32_t i, const char *what, QcErr *err)
{
    if (index < names->n || (!index && !names->n)) return 0;
    return qc_fail(err, QC_EFORMAT, "%s %u of example %u is not below %u", what, index, i, names->n);
}

static int check_indices(const QcDataset *d, QcErr *err)
{
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->label[i] < -1 || (d->label[i] >= 0 && (uint32_t)d->label[i] >= d->labels.n))
            return qc_fail(err, QC_EFORMAT, "label %d of example %u is not below %u", d->label[i], i, d->labels.n);
        if (check_index(d->group[i], &d->groups, i, "group", err) ||
            check_index(d->recording[i], &d->recordings, i, "recording", err))
            return -1;
    }
    return check_ids_unique(d, err);
}

int qc_dataset_decode(QcDataset *d, QcContainer *c, QcErr *err)
{
    *d = (QcDataset){0};
    if (qc_container_expect(c, known_sections, err) || read_shape(d, c, err)) return -1;
    if (read_values(d, c, err) || read_examples(d, c, err) || read_names(d, c, err) || read_coreset(d, c, err) ||
        qc_frontfile_get(&d->front, c, d->channels, d->height, err) || read_provenance(d, c, err) ||
        check_indices(d, err)) {
        qc_dataset_release(d);
        return -1;
    }
    memcpy(d->digest, c->digest, sizeof d->digest);
    return 0;
}

static int load(QcDataset *d, const char *path, const char *stays, QcErr *err)
{
    *d = (QcDataset){0};
    QcContainer c;
    if (stays ? qc_container_open(&c, path, QC_KIND_DATA, stays, err) : qc_container_load(&c, path, QC_KIND_DATA, err))
        return -1;
    int status = qc_dataset_decode(d, &c, err);
    if (status) qc_within(err, qc_input_name(path));
    qc_container_release(&c);
    return status;
}

int qc_dataset_load(QcDataset *d, const char *path, QcErr *err) { return load(d, path, NULL, err); }
int qc_dataset_open(QcDataset *d, const char *path, QcErr *err) { return load(d, path, "x", err); }

static int expect_coreset(QcDataset *d, const char *path, QcErr *err)
{
    if (d->capacity) return 0;
    qc_dataset_release(d);
    qc_fail(err, QC_EFORMAT, "is a data file, not a coreset (qc-coreset makes one)");
    return qc_within(err, qc_input_name(path));
}

int qc_dataset_load_coreset(QcDataset *d, const char *path, QcErr *err)
{
    return qc_dataset_load(d, path, err) ? -1 : expect_coreset(d, path, err);
}
int qc_dataset_open_coreset(QcDataset *d, const char *path, QcErr *err)
{
    return qc_dataset_open(d, path, err) ? -1 : expect_coreset(d, path, err);
}
