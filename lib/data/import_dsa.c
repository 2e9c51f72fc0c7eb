/* UCI Daily and Sports Activities: DIR/aNN/pN/sNN.txt, a window per file, a time step per line, a channel per column.
 *
 * Label aNN, group pN, recording aNN/pN, and the id is readable: a19, p2, s60 is 19002060.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "jobs.h"
#include "lines.h"
#include "tree.h"

enum { NUMBER_MAX = 999 };

typedef struct Segment {
    uint32_t activity, person, segment; /* the numbers in the names */
    char names[3][16];                  /* "a01", "p1", "s01.txt": leading zeros are kept */
} Segment;

typedef struct Tree {
    char root[QC_PATH_ROOM];
    Segment *segments;
    uint32_t n, room;
} Tree;

/* "a01" with letter 'a' and no suffix is 1; 0 if the name is of another kind. */
static uint32_t numbered(const char *name, char letter, const char *suffix)
{
    if (name[0] != letter || name[1] < '0' || name[1] > '9') return 0;
    char *behind;
    unsigned long number = strtoul(name + 1, &behind, 10);
    return strcmp(behind, suffix) || number > NUMBER_MAX || strlen(name) > 15 ? 0 : (uint32_t)number;
}

static int has_activities(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return 0;
    int found = 0;
    for (struct dirent *e; !found && (e = readdir(folder));) found = numbered(e->d_name, 'a', "") > 0;
    closedir(folder);
    return found;
}

/* The archive unpacks into a folder "data": the path may name this folder or its parent. */
static int find_root(char *root, const char *path)
{
    snprintf(root, QC_PATH_ROOM, "%.4000s", path);
    if (has_activities(root)) return 1;
    snprintf(root, QC_PATH_ROOM, "%.4000s/data", path);
    return has_activities(root);
}

static int qc_recognise_dsa(const char *path)
{
    char root[QC_PATH_ROOM];
    return qc_is_folder(path) && find_root(root, path);
}

static int add_segment(Tree *tree, const Segment *segment, QcErr *err)
{
    if (tree->n == tree->room) {
        tree->room = tree->room ? tree->room * 2 : 1024;
        Segment *larger = realloc(tree->segments, tree->room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "a list of files");
        tree->segments = larger;
    }
    tree->segments[tree->n++] = *segment;
    return 0;
}

/* Walks the three levels; files whose names do not fit the level are ignored (notes, checksums). */
static int walk(Tree *tree, const char *path, int level, Segment *so_far, QcErr *err)
{
    static const char letters[] = "aps";
    DIR *folder = opendir(path);
    if (!folder) return qc_fail(err, QC_EIO, "cannot read the folder %.300s: %s", path, strerror(errno));
    int status = 0;
    for (struct dirent *e; !status && (e = readdir(folder));) {
        uint32_t number = numbered(e->d_name, letters[level], level == 2 ? ".txt" : "");
        if (!number) continue;
        *(level == 0 ? &so_far->activity : level == 1 ? &so_far->person : &so_far->segment) = number;
        memcpy(so_far->names[level], e->d_name, strlen(e->d_name) + 1);
        char below[QC_PATH_ROOM];
        status = qc_path_join(below, path, e->d_name, err);
        if (!status && level == 2 && !qc_is_regular(below))
            status = qc_fail(err, QC_EFORMAT, "%.300s is not a regular file", below);
        if (!status) status = level == 2 ? add_segment(tree, so_far, err) : walk(tree, below, level + 1, so_far, err);
    }
    closedir(folder);
    return status;
}

static int compare_segments(const void *a, const void *b)
{
    const Segment *p = a, *q = b;
    if (p->activity != q->activity) return p->activity < q->activity ? -1 : 1;
    if (p->person != q->person) return p->person < q->person ? -1 : 1;
    return p->segment < q->segment ? -1 : p->segment > q->segment;
}

static int check_wanted_exist(const Tree *tree, const QcImportOptions *o, QcErr *err)
{
    for (uint32_t k = 0; k < o->n_groups; k++) {
        uint32_t i = 0;
        while (i < tree->n && strcmp(tree->segments[i].names[1], o->groups[k])) i++;
        if (i == tree->n)
            return qc_fail(err, QC_EUSAGE, "there is no person '%.40s' in %.300s", o->groups[k], tree->root);
    }
    return 0;
}

static int find_segments(Tree *tree, const char *path, const QcImportOptions *o, QcErr *err)
{
    if (qc_need_folder(path, "a UCI-DSA tree", err)) return -1;
    if (!find_root(tree->root, path))
        return qc_fail(err, QC_EFORMAT,
                       "%.300s is no UCI-DSA tree: it has no folder a01, a02, ... (with pN/sNN.txt in it)", path);
    Segment segment = {0};
    if (walk(tree, tree->root, 0, &segment, err)) return -1;
    if (!tree->n) return qc_fail(err, QC_EFORMAT, "%.300s is no UCI-DSA tree: no file aNN/pN/sNN.txt is in it", path);
    if (check_wanted_exist(tree, o, err)) return -1;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tree->n; i++)
        if (qc_import_wants(o, tree->segments[i].names[1])) tree->segments[kept++] = tree->segments[i];
    tree->n = kept;
    qsort(tree->segments, tree->n, sizeof *tree->segments, compare_segments);
    for (uint32_t i = 1; i < tree->n; i++)
        if (!compare_segments(&tree->segments[i - 1], &tree->segments[i]))
            return qc_fail(err, QC_EFORMAT, "%.300s has two files for activity %u, person %u, segment %u", path,
                           tree->segments[i].activity, tree->segments[i].person, tree->segments[i].segment);
    return 0;
}

static void segment_path(char *path, const Tree *tree, const Segment *s)
{
    snprintf(path, QC_PATH_ROOM, "%.4000s/%s/%s/%s", tree->root, s->names[0], s->names[1], s->names[2]);
}

/* Rows and columns of the first file: all others must have them, too. */
static int measure(uint32_t *channels, uint32_t *length, const char *path, QcErr *err)
{
    QcLines l;
    QcField line;
    if (qc_lines_open(&l, path, err)) return -1;
    *channels = *length = 0;
    while (qc_lines_next(&l, &line)) {
        if (line.at == line.end) continue;
        if (!*length) *channels = qc_field_count(line, ',');
        ++*length;
    }
    qc_lines_close(&l);
    return *length ? 0 : qc_fail(err, QC_EFORMAT, "%.300s is empty", path);
}

static int read_row(float *x, const QcDataset *d, uint32_t t, const QcLines *l, QcField line, QcErr *err)
{
    QcField field;
    const char *wrong;
    uint32_t c = 0;
    for (; qc_field_next(&line, &field, ','); c++) {
        if (c < d->channels && qc_field_number(&x[(uint64_t)c * d->length + t], field, &wrong))
            return qc_lines_fail(l, err, "value %u '%.*s' %s", c + 1, QC_FIELD(field), wrong);
    }
    return c == d->channels ? 0 : qc_lines_fail(l, err, "%u values instead of %u", c, d->channels);
}

static int read_window(float *x, const QcDataset *d, const char *path, QcErr *err)
{
    QcLines l;
    QcField line;
    if (qc_lines_open(&l, path, err)) return -1;
    uint32_t t = 0;
    int status = 0;
    while (!status && qc_lines_next(&l, &line)) {
        if (line.at == line.end) continue;
        if (t == d->length)
            status = qc_lines_fail(&l, err, "more than the %u rows that the first file has", d->length);
        else
            status = read_row(x, d, t++, &l, line, err);
    }
    if (!status && t < d->length)
        status = qc_fail(err, QC_EFORMAT, "%.300s: ends after %u rows instead of %u", path, t, d->length);
    qc_lines_close(&l);
    return status;
}

static int describe(QcDataset *d, uint32_t i, const Segment *s, QcErr *err)
{
    char recording[40];
    uint32_t label;
    snprintf(recording, sizeof recording, "%s/%s", s->names[0], s->names[1]);
    if (qc_names_add(&d->labels, &d->arena, s->names[0], &label, err) ||
        qc_names_add(&d->groups, &d->arena, s->names[1], &d->group[i], err) ||
        qc_names_add(&d->recordings, &d->arena, recording, &d->recording[i], err))
        return -1;
    d->label[i] = (int32_t)label;
    d->id[i] = (uint64_t)s->activity * 1000000 + s->person * 1000 + s->segment;
    return 0;
}

typedef struct Reading {
    QcDataset *d;
    const Tree *tree;
} Reading;

static int read_segment(void *ctx, uint32_t i, QcErr *err)
{
    const Reading *r = ctx;
    char path[QC_PATH_ROOM];
    segment_path(path, r->tree, &r->tree->segments[i]);
    return read_window(r->d->x + i * qc_dataset_values(r->d), r->d, path, err);
}

static int read_tree(QcDataset *d, const Tree *tree, const QcImportOptions *o, QcErr *err)
{
    char path[QC_PATH_ROOM];
    uint32_t channels, length;
    segment_path(path, tree, &tree->segments[0]);
    if (measure(&channels, &length, path, err) || qc_dataset_init(d, tree->n, channels, 1, length, 0, err)) return -1;
    for (uint32_t i = 0; i < tree->n; i++)
        if (describe(d, i, &tree->segments[i], err)) return -1;
    Reading reading = {d, tree};
    QcJobs jobs = {
        .threads = o->jobs, .work = read_segment, .ctx = &reading, .progress = o->progress, .progress_ctx = o->ctx};
    return qc_jobs_run(&jobs, tree->n, err);
}

static int qc_import_dsa(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Tree tree = {0};
    int status = find_segments(&tree, path, o, err) || read_tree(d, &tree, o, err) ? -1 : 0;
    free(tree.segments);
    return status;
}

static const QcImportRow *const rows[] = {NULL};

const QcImporter qc_importer_dsa = {
    "dsa", "UCI Daily and Sports Activities: a folder of aNN/pN/sNN.txt", rows, qc_recognise_dsa, qc_import_dsa, NULL,
    0};
