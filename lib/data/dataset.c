/* The dataset in memory: created, cut, joined. Its file form is datasetfile.c; its form for models is datasetview.c. */
#include "dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

enum { NAMES_ROOM = 8 };

static int init_examples(QcDataset *d, QcErr *err)
{
    uint32_t n = d->n;
    d->label = qc_arena_take(&d->arena, n, sizeof *d->label, err);
    d->id = qc_arena_take(&d->arena, n, sizeof *d->id, err);
    d->group = qc_arena_take(&d->arena, n, sizeof *d->group, err);
    d->recording = qc_arena_take(&d->arena, n, sizeof *d->recording, err);
    int ok = d->label && d->id && d->group && d->recording;
    if (ok && d->capacity) {
        d->misses = qc_arena_take(&d->arena, n, sizeof *d->misses, err);
        d->flags = qc_arena_take(&d->arena, n, sizeof *d->flags, err);
        ok = d->misses && d->flags;
    }
    for (uint32_t i = 0; ok && i < n; i++) {
        d->label[i] = -1;
        d->id[i] = i;
    }
    return ok ? 0 : -1;
}

int qc_dataset_init_windowless(QcDataset *d, uint32_t n, uint32_t channels, uint32_t height, uint32_t length,
                               uint32_t capacity, QcErr *err)
{
    *d = (QcDataset){.n = n, .channels = channels, .height = height, .length = length, .capacity = capacity};
    if (!init_examples(d, err)) return 0;
    qc_dataset_release(d);
    return -1;
}

int qc_dataset_init(QcDataset *d, uint32_t n, uint32_t channels, uint32_t height, uint32_t length, uint32_t capacity,
                    QcErr *err)
{
    *d = (QcDataset){.n = n, .channels = channels, .height = height, .length = length, .capacity = capacity};
    size_t values;
    if (__builtin_mul_overflow((size_t)n, qc_dataset_values(d), &values))
        return qc_fail_memory(err, "that many values");
    d->x = qc_arena_take(&d->arena, values, sizeof *d->x, err);
    if (d->x && !init_examples(d, err)) return 0;
    qc_dataset_release(d);
    return -1;
}

void qc_dataset_release(QcDataset *d)
{
    if (!d) return;
    qc_pieces_close(d->file);
    qc_arena_release(&d->arena);
    *d = (QcDataset){0};
}

uint64_t qc_dataset_values(const QcDataset *d) { return (uint64_t)d->channels * d->height * d->length; }

const float *qc_dataset_window(const QcDataset *d, uint32_t i)
{
    assert(d->x);
    return d->x + i * qc_dataset_values(d);
}

int64_t qc_dataset_empty_class(const QcDataset *d, QcErr *err)
{
    QcArena scratch = {0};
    uint8_t *seen = qc_arena_take(&scratch, d->labels.n, 1, err);
    int64_t c = seen ? 0 : -1;
    for (uint32_t i = 0; seen && i < d->n; i++)
        if (d->label[i] >= 0) seen[d->label[i]] = 1;
    while (seen && c < d->labels.n && seen[c]) c++;
    qc_arena_release(&scratch);
    return c;
}

int64_t qc_names_find(const QcNames *names, const char *name)
{
    int64_t found = qc_nametable_find(&names->table, name);
    for (uint32_t i = names->table.n; found < 0 && i < names->n; i++)
        if (!strcmp(names->names[i], name)) found = i;
    return found;
}

int qc_names_index(QcNames *names, QcArena *arena, QcErr *err)
{
    int known = 0;
    while (!known && names->table.n < names->n)
        known = qc_nametable_add(&names->table, arena, names->names[names->table.n], names->table.n, err);
    return known;
}

/* The array has room for a power of two (at least NAMES_ROOM) of names, so it is full just when n is such a number. */
static int names_grow(QcNames *names, QcArena *arena, QcErr *err)
{
    uint32_t n = names->n;
    if (n && (n < NAMES_ROOM || (n & (n - 1)))) return 0;
    char **larger = qc_arena_take(arena, n ? (size_t)n * 2 : NAMES_ROOM, sizeof *larger, err);
    if (!larger) return -1;
    if (n) memcpy(larger, names->names, n * sizeof *larger);
    names->names = larger;
    return 0;
}

int qc_names_add(QcNames *names, QcArena *arena, const char *name, uint32_t *index, QcErr *err)
{
    enum { FEW = 16 };
    int64_t known = names->n >= FEW && qc_names_index(names, arena, err) ? -2 : qc_names_find(names, name);
    if (known == -2) return -1;
    if (known >= 0) {
        if (index) *index = (uint32_t)known;
        return 0;
    }
    if (!qc_text_is_utf8(name, strlen(name)))
        return qc_fail(err, QC_EFORMAT, "the name '%.200s' of a class, group or recording is not valid UTF-8", name);
    if (names_grow(names, arena, err)) return -1;
    char *copy = qc_arena_text(arena, name, strlen(name), err);
    if (!copy) return -1;
    if (index) *index = names->n;
    names->names[names->n++] = copy;
    return 0;
}

static int names_copy(QcNames *out, QcArena *arena, const QcNames *names, QcErr *err)
{
    for (uint32_t i = 0; i < names->n; i++)
        if (qc_names_add(out, arena, names->names[i], NULL, err)) return -1;
    return 0;
}

/* Adds the names that the examples of `out` use (given as indices into `names`), in the order of their first use,
 * and renumbers the examples. So the same examples in the same order have the same table, whatever dataset they come
 * from. */
static int names_compact(QcNames *out, QcArena *arena, const QcNames *names, uint32_t *used, uint32_t n, QcErr *err)
{
    if (!names->n) return 0;
    int64_t *map = malloc(names->n * sizeof *map);
    if (!map) return qc_fail_memory(err, "names");
    int status = 0;
    for (uint32_t i = 0; i < names->n; i++) map[i] = -1;
    for (uint32_t i = 0; i < n && !status; i++) {
        uint32_t index = 0;
        if (map[used[i]] < 0) status = qc_names_add(out, arena, names->names[used[i]], &index, err);
        if (map[used[i]] < 0) map[used[i]] = index;
        used[i] = (uint32_t)map[used[i]];
    }
    free(map);
    return status;
}

/* Copies all fields of example i of source; indices still refer to the name tables of source. */
static int copy_example(QcDataset *out, uint32_t at, const QcDataset *source, uint32_t i, QcErr *err)
{
    uint64_t values = qc_dataset_values(source);
    if (qc_dataset_read(out->x + at * values, source, i, 0, values, err)) return -1;
    out->label[at] = source->label[i];
    out->id[at] = source->id[i];
    out->group[at] = source->group[i];
    out->recording[at] = source->recording[i];
    if (out->capacity && source->capacity) {
        out->misses[at] = source->misses[i];
        out->flags[at] = source->flags[i];
    }
    return 0;
}

static int copy_provenance(QcDataset *out, const QcDataset *source, QcErr *err)
{
    for (uint32_t i = 0; i < source->provenance.n; i++)
        if (qc_provenance_add(&out->provenance, &out->arena, source->provenance.lines[i], err)) return -1;
    return 0;
}

int qc_dataset_subset(QcDataset *out, const QcDataset *source, const uint32_t *index, uint32_t n, uint32_t capacity,
                      QcErr *err)
{
    *out = (QcDataset){0};
    if (capacity && n > capacity)
        return qc_fail(err, QC_EUSAGE, "%u examples do not fit a coreset of capacity %u", n, capacity);
    if (qc_dataset_init(out, n, source->channels, source->height, source->length, capacity, err)) return -1;
    out->front = source->front;
    for (uint32_t i = 0; i < n; i++) {
        assert(index[i] < source->n);
        if (copy_example(out, i, source, index[i], err)) {
            qc_dataset_release(out);
            return -1;
        }
    }
    /* labels stay complete, so that a class keeps its index; unused people and recordings are dropped */
    if (names_copy(&out->labels, &out->arena, &source->labels, err) ||
        names_compact(&out->groups, &out->arena, &source->groups, out->group, n, err) ||
        names_compact(&out->recordings, &out->arena, &source->recordings, out->recording, n, err) ||
        copy_provenance(out, source, err)) {
        qc_dataset_release(out);
        return -1;
    }
    return 0;
}

typedef struct Origin {
    uint64_t id;
    uint32_t part, index;
} Origin;

static int compare_origins(const void *a, const void *b)
{
    const Origin *p = a, *q = b;
    return p->id < q->id ? -1 : p->id > q->id;
}

static int check_no_collision(const QcDataset *const *parts, uint32_t n_parts, uint32_t n, QcErr *err)
{
    Origin *origins = malloc((n ? n : 1) * sizeof *origins);
    if (!origins) return qc_fail_memory(err, "ids");
    int status = 0;
    uint32_t at = 0;
    for (uint32_t p = 0; p < n_parts; p++)
        for (uint32_t i = 0; i < parts[p]->n; i++) origins[at++] = (Origin){parts[p]->id[i], p, i};
    qsort(origins, n, sizeof *origins, compare_origins);
    for (uint32_t i = 1; i < n && !status; i++) {
        const Origin *a = &origins[i - 1], *b = &origins[i];
        if (a->id == b->id)
            status = qc_fail(
                err, QC_EFORMAT,
                "example %u of data set %u and example %u of data set %u have the same id %llu (the same data twice?)",
                a->index, a->part + 1, b->index, b->part + 1, (unsigned long long)a->id);
    }
    free(origins);
    return status;
}

/* An index into a part's name table becomes one into the joined table. A part may have no names, the whole must. */
static int join_name(uint32_t *index, QcNames *out, QcArena *arena, const QcNames *names, QcErr *err)
{
    return qc_names_add(out, arena, *index < names->n ? names->names[*index] : "unnamed", index, err);
}

static int join_part(QcDataset *out, uint32_t at, const QcDataset *part, QcErr *err)
{
    if (names_copy(&out->labels, &out->arena, &part->labels, err) || copy_provenance(out, part, err)) return -1;
    for (uint32_t i = 0; i < part->n; i++, at++) {
        if (copy_example(out, at, part, i, err)) return -1;
        if (part->label[i] >= 0)
            out->label[at] = (int32_t)qc_names_find(&out->labels, part->labels.names[part->label[i]]);
        if (join_name(&out->group[at], &out->groups, &out->arena, &part->groups, err) ||
            join_name(&out->recording[at], &out->recordings, &out->arena, &part->recordings, err))
            return -1;
    }
    return 0;
}

int qc_dataset_join(QcDataset *out, const QcDataset *const *parts, uint32_t n_parts, QcErr *err)
{
    *out = (QcDataset){0};
    if (!n_parts) return qc_fail(err, QC_EUSAGE, "there are no data sets to join");
    const QcDataset *first = parts[0];
    uint64_t n = 0;
    for (uint32_t p = 0; p < n_parts; p++) {
        const QcDataset *d = parts[p];
        if (d->channels != first->channels || d->height != first->height || d->length != first->length)
            return qc_fail(err, QC_EFORMAT, "data set %u has windows of %u x %u x %u, but the first has %u x %u x %u",
                           p + 1, d->channels, d->height, d->length, first->channels, first->height, first->length);
        if (!qc_frontfile_same(&d->front, &first->front))
            return qc_fail(err, QC_EFORMAT, "data set %u and the first were made with different front-ends", p + 1);
        n += d->n;
    }
    if (n > UINT32_MAX) return qc_fail(err, QC_EUSAGE, "the data sets have more than %u examples together", UINT32_MAX);
    if (check_no_collision(parts, n_parts, (uint32_t)n, err)) return -1;
    if (qc_dataset_init(out, (uint32_t)n, first->channels, first->height, first->length, 0, err)) return -1;
    out->front = first->front;
    uint32_t at = 0;
    for (uint32_t p = 0; p < n_parts; at += parts[p++]->n)
        if (join_part(out, at, parts[p], err)) {
            qc_dataset_release(out);
            return -1;
        }
    return 0;
}
