/* USC Human Activity Dataset: DIR/SubjectN/aNtN.mat (activity, trial), or one such folder. A file is a recording of six
 * channels at 100 Hz, cut into windows.
 *
 * Label: the activity by its number, named as in the set's own Readme (the names in the files differ from subject to
 * subject). Group SubjectN, recording SubjectN/aNtN. Ids are readable: subject 2, activity 10, trial 3, window 7 is
 * 210003000007.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "jobs.h"
#include "matfile.h"
#include "series.h"
#include "span.h"
#include "tree.h"

enum { CHANNELS = 6, RATE = 100, WINDOW = 500, ACTIVITIES = 12 };

static const char *const activities[ACTIVITIES] = {
    "Walking Forward", "Walking Left", "Walking Right", "Walking Upstairs", "Walking Downstairs", "Running Forward",
    "Jumping Up",      "Sitting",      "Standing",      "Sleeping",         "Elevator Up",        "Elevator Down"};

typedef struct Trial {
    char *path;
    uint32_t subject, activity, trial; /* as the names say */
    const char *group;
    uint32_t named; /* activity by the name: what ids and recordings go by */
    double *values; /* [rows][CHANNELS]; malloc'd */
    uint32_t rows;
} Trial;

typedef struct Tree {
    QcArena arena;
    Trial *trials;
    uint32_t n, room;
    QcTrust trust;
    QcNames subjects; /* all that are there, wanted or not */
} Tree;

/* "a10t3.mat" */
static int is_trial(const char *name, uint32_t *activity, uint32_t *trial)
{
    char front[32];
    const char *t = strchr(name, 't');
    if (!t || t - name >= (int)sizeof front) return 0;
    snprintf(front, sizeof front, "%.*s", (int)(t - name), name);
    *activity = qc_name_number(front, "a", "");
    *trial = qc_name_number(t, "t", ".mat");
    return *activity && *trial && *activity < 1000 && *trial < 1000;
}

static int add_trial(Tree *tree, const Trial *trial, QcErr *err)
{
    if (tree->n == tree->room) {
        tree->room = tree->room ? tree->room * 2 : 64;
        Trial *larger = realloc(tree->trials, tree->room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "a list of files");
        tree->trials = larger;
    }
    tree->trials[tree->n++] = *trial;
    return 0;
}

static int add_subject(Tree *tree, const char *path, const char *name, const QcImportOptions *o, QcErr *err)
{
    QcFolder folder;
    uint32_t index;
    if (qc_folder_read(&folder, path, &tree->arena, err) ||
        qc_names_add(&tree->subjects, &tree->arena, name, &index, err))
        return -1;
    for (uint32_t k = 0; k < folder.n && qc_import_wants(o, name); k++) {
        QcEntry *e = &folder.entries[k];
        Trial trial = {.path = (char *)e->path,
                       .subject = qc_name_number(name, "Subject", ""),
                       .group = tree->subjects.names[index]};
        if (e->is_folder || !is_trial(e->name, &trial.activity, &trial.trial)) continue;
        trial.named = trial.activity;
        if (add_trial(tree, &trial, err)) return -1;
    }
    return 0;
}

static int find_trials(Tree *tree, const char *path, const QcImportOptions *o, QcErr *err)
{
    QcFolder folder;
    char own[QC_PATH_ROOM];
    if (qc_need_folder(path, "a USC-HAD tree", err) || qc_folder_read(&folder, path, &tree->arena, err) ||
        qc_path_name(own, path, err))
        return -1;
    if (qc_name_number(own, "Subject", "")) {
        if (add_subject(tree, path, own, o, err)) return -1;
    } else {
        for (uint32_t k = 0; k < folder.n; k++)
            if (folder.entries[k].is_folder && qc_name_number(folder.entries[k].name, "Subject", "") &&
                add_subject(tree, folder.entries[k].path, folder.entries[k].name, o, err))
                return -1;
    }
    if (qc_import_check_groups(o, &tree->subjects, path, err)) return -1;
    return tree->n ? 0 : qc_fail(err, QC_EFORMAT, "%.300s is no USC-HAD tree: it has no file SubjectN/aNtN.mat", path);
}

static int qc_recognise_uschad(const char *path)
{
    Tree tree = {0};
    QcErr err;
    int found = qc_is_folder(path) && !find_trials(&tree, path, &qc_import_defaults, &err);
    free(tree.trials);
    qc_arena_release(&tree.arena);
    return found;
}

/* One file in the set spells it activity_numbr. */
static int check_activity(Trial *t, QcMat *mat, QcTrust trust, QcErr *err)
{
    uint32_t number;
    if (qc_mat_number(&number, mat, "activity_number", err) ||
        (!number && qc_mat_number(&number, mat, "activity_numbr", err)))
        return -1;
    if (!number) return qc_fail(err, QC_EFORMAT, "%.300s has no variable 'activity_number'", t->path);
    if (number > ACTIVITIES)
        return qc_fail(err, QC_EFORMAT, "%.300s: there is no activity %u in USC-HAD", t->path, number);
    if (number == t->activity || trust == QC_TRUST_NAME) return 0;
    if (trust == QC_TRUST_FIELD) return t->activity = number, 0;
    return qc_fail(err, QC_EFORMAT,
                   "%.300s says inside that it is of activity %u: say with --trust name or field which is right",
                   t->path, number);
}

static int read_readings(Trial *t, QcMat *mat, QcErr *err)
{
    uint32_t columns;
    if (qc_mat_matrix(&t->values, &t->rows, &columns, mat, "sensor_readings", err)) return -1;
    if (columns != CHANNELS)
        return qc_fail(err, QC_EFORMAT, "%.300s: 'sensor_readings' has %u columns instead of %d", t->path, columns,
                       CHANNELS);
    for (size_t k = 0; k < (size_t)t->rows * CHANNELS; k++)
        if (!(fabs(t->values[k]) <= (double)QC_VALUE_MAX))
            return qc_fail(err, QC_EFORMAT, "%.300s: row %zu of 'sensor_readings' has a value that is %s", t->path,
                           k / CHANNELS + 1,
                           isnan(t->values[k]) ? "not a number (NaN)" : "infinite or larger than 1e30");
    return 0;
}

static int read_trial(void *ctx, uint32_t i, QcErr *err)
{
    Trial *t = &((Tree *)ctx)->trials[i];
    QcMat *mat = qc_mat_open(t->path, QC_MAT_5, err);
    int status = !mat || check_activity(t, mat, ((Tree *)ctx)->trust, err) || read_readings(t, mat, err) ? -1 : 0;
    qc_mat_close(mat);
    return status;
}

static int describe(QcSeriesList *list, QcSeries *s, const Trial *t, QcErr *err)
{
    char recording[64];
    uint32_t label = 0;
    snprintf(recording, sizeof recording, "%.40s/a%ut%u", t->group, t->named, t->trial);
    if (qc_names_add(&list->labels, &list->arena, activities[t->activity - 1], &label, err) ||
        qc_names_add(&list->groups, &list->arena, t->group, &s->group, err) ||
        qc_names_add(&list->recordings, &list->arena, recording, &s->recording, err))
        return -1;
    s->label = (int32_t)label;
    s->id = (((uint64_t)t->subject * 100 + t->named) * 1000 + t->trial) * 1000000;
    s->file = t->path;
    return 0;
}

static int gather(QcSeriesList *list, Tree *tree, QcErr *err)
{
    for (uint32_t i = 0; i < tree->n; i++) {
        Trial *t = &tree->trials[i];
        QcSeries *s = qc_series_add(list, t->rows, err);
        if (!s || describe(list, s, t, err)) return -1;
        for (uint32_t k = 0; k < t->rows; k++)
            for (uint32_t c = 0; c < CHANNELS; c++)
                s->x[(size_t)c * t->rows + k] = (float)t->values[(size_t)k * CHANNELS + c];
        free(t->values);
        t->values = NULL;
    }
    return 0;
}

/* Classes come in the order of their numbers, whatever is read first. */
static int name_classes(QcSeriesList *list, const Tree *tree, QcErr *err)
{
    for (uint32_t a = 1; a <= ACTIVITIES; a++)
        for (uint32_t i = 0; i < tree->n; i++)
            if (tree->trials[i].activity == a &&
                qc_names_add(&list->labels, &list->arena, activities[a - 1], NULL, err))
                return -1;
    return 0;
}

static int qc_import_uschad(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Tree tree = {.trust = o->trust};
    QcSeriesList list = {.channels = CHANNELS};
    uint32_t window, stride;
    QcJobs jobs = {
        .threads = o->jobs, .work = read_trial, .ctx = &tree, .progress = o->progress, .progress_ctx = o->ctx};
    int status = -1;
    if (qc_span_read(&window, o->window, "window", RATE, WINDOW, err) ||
        qc_span_read(&stride, o->stride, "stride", RATE, window, err) || find_trials(&tree, path, o, err) ||
        qc_jobs_run(&jobs, tree.n, err) || name_classes(&list, &tree, err) || gather(&list, &tree, err))
        goto end;
    status = qc_series_cut(d, &list, window, stride, o, err);
end:
    for (uint32_t i = 0; i < tree.n; i++) free(tree.trials[i].values);
    free(tree.trials);
    qc_series_release(&list);
    qc_arena_release(&tree.arena);
    return status;
}

static const QcImportRow row_trust = {"trust",
                                      QC_ROW_WORD,
                                      "WHAT",
                                      "name or field: which says the activity where they disagree",
                                      offsetof(QcImportOptions, trust),
                                      "both name field",
                                      0};
static const QcImportRow *const rows[] = {&qc_row_window, &qc_row_stride, &row_trust, NULL};

const QcImporter qc_importer_uschad = {
    "uschad", "USC-HAD: a folder of SubjectN/aNtN.mat", rows, qc_recognise_uschad, qc_import_uschad, NULL, 0};
