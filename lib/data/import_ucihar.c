/* UCI Human Activity Recognition Using Smartphones: DIR/activity_labels.txt and, in DIR/train and DIR/test, y_PART.txt,
 * subject_PART.txt and "Inertial Signals"/SIGNAL_AXIS_PART.txt: a window per line, in all files in the same order. DIR
 * may also be the folder around it, or one of the parts.
 *
 * Nine channels: total_acc, body_acc, body_gyro, each x, y, z. Label: the activity's name; group: the subject's number.
 * Lines of one subject and activity that follow each other are a recording (windows overlap by half, so a fair split
 * keeps recordings whole). Ids: 1000000 + line of train, 2000000 + line of test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "jobs.h"
#include "lines.h"
#include "tree.h"

enum { CHANNELS = 9, PARTS = 2, NUMBER_MAX = 9999 };

static const char *const part_names[PARTS] = {"train", "test"};
static const char *const signals[CHANNELS] = {"total_acc_x", "total_acc_y", "total_acc_z", "body_acc_x", "body_acc_y",
                                              "body_acc_z",  "body_gyro_x", "body_gyro_y", "body_gyro_z"};

typedef struct Part {
    char path[QC_PATH_ROOM]; /* "" = not asked for */
    uint32_t *activity, *subject; /* [n]; malloc'd */
    uint32_t n, kept, first; /* lines; examples of wanted subjects, from `first` on in the dataset */
} Part;

typedef struct Tree {
    const QcImportOptions *o;
    char root[QC_PATH_ROOM];
    Part parts[PARTS];
    QcArena arena;
    QcNames names, subjects;          /* activities in the order of the file; all subjects that are there */
    uint32_t number[NUMBER_MAX + 1];  /* of an activity: its place in names, from 1; 0 = there is none */
    QcDataset *d;
} Tree;

static int has_labels(const char *folder)
{
    char file[QC_PATH_ROOM];
    if (qc_path_join(file, folder, "activity_labels.txt", NULL) || !qc_is_regular(file)) return 0;
    for (int p = 0; p < PARTS; p++) { /* other sets have a file of that name, too */
        char part[32];
        snprintf(part, sizeof part, "%s/Inertial Signals", part_names[p]);
        if (!qc_path_join(file, folder, part, NULL) && qc_is_folder(file)) return 1;
    }
    return 0;
}

/* The folder with activity_labels.txt; `only` is the part that the path names, or -1. */
static int find_root(char root[QC_PATH_ROOM], int *only, const char *path)
{
    char own[QC_PATH_ROOM];
    *only = -1;
    snprintf(root, QC_PATH_ROOM, "%.4000s", path);
    if (has_labels(root)) return 1;
    if (!qc_path_join(root, path, "UCI HAR Dataset", NULL) && has_labels(root)) return 1;
    if (qc_path_name(own, path, NULL) || qc_path_join(root, path, "..", NULL) || !has_labels(root)) return 0;
    for (int p = 0; p < PARTS; p++)
        if (!strcmp(own, part_names[p])) *only = p;
    return *only >= 0;
}

static int qc_recognise_ucihar(const char *path)
{
    char root[QC_PATH_ROOM];
    int only;
    return qc_is_folder(path) && find_root(root, &only, path);
}

static int need_file(char out[QC_PATH_ROOM], const char *folder, const char *name, QcErr *err)
{
    if (qc_path_join(out, folder, name, err)) return -1;
    return qc_is_regular(out) ? 0 : qc_fail(err, QC_EFORMAT, "%.400s is not there", out);
}

static int read_number(uint32_t *number, const QcLines *l, QcField field, QcErr *err)
{
    *number = 0;
    for (const char *at = field.at; at < field.end; at++) {
        if (*at < '0' || *at > '9' || (*number = *number * 10 + (uint32_t)(*at - '0')) > NUMBER_MAX)
            return qc_lines_fail(l, err, "'%.*s' is no number from 1 to %d", QC_FIELD(field), NUMBER_MAX);
    }
    return *number ? 0 : qc_lines_fail(l, err, "'%.*s' is no number from 1 to %d", QC_FIELD(field), NUMBER_MAX);
}

/* "1 WALKING" */
static int read_activities(Tree *tree, QcErr *err)
{
    char file[QC_PATH_ROOM], name[QC_FIELD_NAME];
    QcLines l;
    QcField line, field;
    uint32_t number, index;
    if (need_file(file, tree->root, "activity_labels.txt", err) || qc_lines_open(&l, file, err)) return -1;
    int status = 0;
    while (!status && qc_lines_next(&l, &line)) {
        if (line.at == line.end) continue;
        qc_field_next(&line, &field, ' ');
        status = read_number(&number, &l, field, err);
        if (!status && !line.at) status = qc_lines_fail(&l, err, "an activity needs a number and a name");
        if (!status)
            status = qc_field_name(name, &l, qc_field_trim(line), err) ||
                             qc_names_add(&tree->names, &tree->arena, name, &index, err)
                         ? -1
                         : 0;
        if (!status && tree->number[number]) status = qc_lines_fail(&l, err, "activity %u is named twice", number);
        if (!status) tree->number[number] = index + 1;
    }
    qc_lines_close(&l);
    return status;
}

/* A number a line. */
static int read_numbers(uint32_t **numbers, uint32_t *n, const Part *part, const char *what, const char *name,
                        QcErr *err)
{
    char file_name[64], file[QC_PATH_ROOM];
    QcLines l;
    QcField line;
    snprintf(file_name, sizeof file_name, "%s_%s.txt", what, name);
    if (need_file(file, part->path, file_name, err) || qc_lines_open(&l, file, err)) return -1;
    uint32_t count = 0;
    while (qc_lines_next(&l, &line)) count++;
    *numbers = malloc((count ? count : 1) * sizeof **numbers);
    int status = !*numbers ? qc_fail_memory(err, file) : count ? 0 : qc_fail(err, QC_EFORMAT, "%.400s is empty", file);
    qc_lines_rewind(&l);
    for (*n = 0; !status && qc_lines_next(&l, &line); ++*n) status = read_number(&(*numbers)[*n], &l, line, err);
    qc_lines_close(&l);
    return status;
}

static const char *subject_name(char out[16], uint32_t number)
{
    snprintf(out, 16, "%u", number);
    return out;
}

static int read_part(Tree *tree, int p, QcErr *err)
{
    Part *part = &tree->parts[p];
    uint32_t n = 0;
    char name[16];
    if (qc_path_join(part->path, tree->root, part_names[p], err) ||
        read_numbers(&part->activity, &part->n, part, "y", part_names[p], err) ||
        read_numbers(&part->subject, &n, part, "subject", part_names[p], err))
        return -1;
    if (n != part->n)
        return qc_fail(err, QC_EFORMAT, "%.300s: subject_%s.txt has %u lines, but y_%s.txt has %u", part->path,
                       part_names[p], n, part_names[p], part->n);
    for (uint32_t i = 0; i < n; i++) {
        if (!tree->number[part->activity[i]])
            return qc_fail(err, QC_EFORMAT, "%.300s/y_%s.txt:%u: activity %u is not in activity_labels.txt", part->path,
                           part_names[p], i + 1, part->activity[i]);
        if (qc_names_add(&tree->subjects, &tree->arena, subject_name(name, part->subject[i]), NULL, err)) return -1;
        part->kept += qc_import_wants(tree->o, name) ? 1 : 0;
    }
    return 0;
}

static int read_parts(Tree *tree, const char *path, QcErr *err)
{
    int only;
    if (qc_need_folder(path, "a UCI-HAR tree", err)) return -1;
    if (!find_root(tree->root, &only, path))
        return qc_fail(err, QC_EFORMAT, "%.300s is no UCI-HAR tree: it has no file activity_labels.txt", path);
    if (read_activities(tree, err)) return -1;
    for (int p = 0; p < PARTS; p++)
        if ((only < 0 || only == p) && read_part(tree, p, err)) return -1;
    tree->parts[1].first = tree->parts[0].kept;
    return qc_import_check_groups(tree->o, &tree->subjects, path, err);
}

static int signal_file(char out[QC_PATH_ROOM], const Part *part, int p, uint32_t channel, QcErr *err)
{
    char name[96];
    snprintf(name, sizeof name, "Inertial Signals/%s_%s.txt", signals[channel], part_names[p]);
    return need_file(out, part->path, name, err);
}

/* Values in the first line of the first file: all others must have as many. */
static int measure(uint32_t *length, const Tree *tree, QcErr *err)
{
    int p = *tree->parts[0].path ? 0 : 1;
    char file[QC_PATH_ROOM];
    QcLines l;
    QcField line;
    if (signal_file(file, &tree->parts[p], p, 0, err) || qc_lines_open(&l, file, err)) return -1;
    *length = qc_lines_next(&l, &line) && line.at < line.end ? qc_field_count(line, ' ') : 0;
    qc_lines_close(&l);
    return *length ? 0 : qc_fail(err, QC_EFORMAT, "%.400s: the first line has no values", file);
}

static int read_window(float *x, const QcDataset *d, const QcLines *l, QcField line, QcErr *err)
{
    QcField field;
    const char *wrong;
    uint32_t n = qc_field_count(line, ' ');
    if (n != d->length || line.at == line.end)
        return qc_lines_fail(l, err, "%u values instead of %u", line.at == line.end ? 0 : n, d->length);
    for (uint32_t t = 0; qc_field_next(&line, &field, ' '); t++)
        if (qc_field_number(&x[t], field, &wrong))
            return qc_lines_fail(l, err, "value %u '%.*s' %s", t + 1, QC_FIELD(field), wrong);
    return 0;
}

/* One channel of one part: piece p x CHANNELS + channel. */
static int read_signal(void *ctx, uint32_t piece, QcErr *err)
{
    Tree *tree = ctx;
    const QcDataset *d = tree->d;
    int p = (int)(piece / CHANNELS);
    const Part *part = &tree->parts[p];
    uint32_t channel = piece % CHANNELS, row = 0, at = part->first;
    char file[QC_PATH_ROOM], name[16];
    QcLines l;
    QcField line;
    if (!*part->path) return 0;
    if (signal_file(file, part, p, channel, err) || qc_lines_open(&l, file, err)) return -1;
    int status = 0;
    for (; !status && qc_lines_next(&l, &line); row++) {
        if (row == part->n)
            status = qc_lines_fail(&l, err, "more lines than the %u of y_%s.txt", part->n, part_names[p]);
        else if (qc_import_wants(tree->o, subject_name(name, part->subject[row])))
            status = read_window(d->x + at++ * qc_dataset_values(d) + (uint64_t)channel * d->length, d, &l, line, err);
    }
    if (!status && row != part->n)
        status =
            qc_fail(err, QC_EFORMAT, "%.300s has %u lines, but y_%s.txt has %u", file, row, part_names[p], part->n);
    qc_lines_close(&l);
    return status;
}

static int describe(Tree *tree, int p, QcErr *err)
{
    const Part *part = &tree->parts[p];
    QcDataset *d = tree->d;
    char subject[16], recording[QC_FIELD_NAME + 64];
    uint32_t at = part->first, began = 0;
    for (uint32_t i = 0; i < part->n; i++) {
        if (!i || part->subject[i] != part->subject[i - 1] || part->activity[i] != part->activity[i - 1]) began = i + 1;
        if (!qc_import_wants(tree->o, subject_name(subject, part->subject[i]))) continue;
        int32_t label = (int32_t)tree->number[part->activity[i]] - 1;
        snprintf(recording, sizeof recording, "%s/%s/%.*s/%u", part_names[p], subject, QC_FIELD_NAME,
                 tree->names.names[label], began);
        if (qc_names_add(&d->groups, &d->arena, subject, &d->group[at], err) ||
            qc_names_add(&d->recordings, &d->arena, recording, &d->recording[at], err))
            return -1;
        d->label[at] = label;
        d->id[at++] = (uint64_t)(p + 1) * 1000000 + i + 1;
    }
    return 0;
}

static int read_tree(Tree *tree, QcErr *err)
{
    uint32_t length, n = tree->parts[0].kept + tree->parts[1].kept;
    QcDataset *d = tree->d;
    QcJobs jobs = {.threads = tree->o->jobs,
                   .work = read_signal,
                   .ctx = tree,
                   .progress = tree->o->progress,
                   .progress_ctx = tree->o->ctx};
    if (measure(&length, tree, err) || qc_dataset_init(d, n, CHANNELS, 1, length, 0, err)) return -1;
    for (uint32_t k = 0; k < tree->names.n; k++)
        if (qc_names_add(&d->labels, &d->arena, tree->names.names[k], NULL, err)) return -1;
    return describe(tree, 0, err) || describe(tree, 1, err) || qc_jobs_run(&jobs, PARTS * CHANNELS, err) ? -1 : 0;
}

static int qc_import_ucihar(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Tree *tree = calloc(1, sizeof *tree);
    if (!tree) return qc_fail_memory(err, "a tree");
    tree->o = o;
    tree->d = d;
    int status = read_parts(tree, path, err) || read_tree(tree, err) ? -1 : 0;
    for (int p = 0; p < PARTS; p++) {
        free(tree->parts[p].activity);
        free(tree->parts[p].subject);
    }
    qc_arena_release(&tree->arena);
    free(tree);
    return status;
}

static const QcImportRow *const rows[] = {NULL};

const QcImporter qc_importer_ucihar = {"ucihar",
                                       "UCI-HAR: a folder of train/ and test/ with Inertial Signals",
                                       rows,
                                       qc_recognise_ucihar,
                                       qc_import_ucihar,
                                       NULL,
                                       0};
