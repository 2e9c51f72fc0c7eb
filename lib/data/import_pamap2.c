/* PAMAP2: DIR/Protocol/subjectN.dat, or one folder of such files. A line is a time step, 100 per second, of 54 columns:
 * time, activity, heart rate, then for hand, chest and ankle: temperature, acceleration (16 g), acceleration (6 g),
 * gyroscope, magnetometer, orientation.
 *
 * Taken are acceleration (16 g), gyroscope and magnetometer of the three: 27 channels. The 6 g sensor saturates and the
 * orientation is invalid, as the set's own readme says; heart rate and temperature come too seldom. Steps of one
 * activity that follow each other without a gap are a recording, which is cut into windows; activity 0 (in between) is
 * left out. Group subjectN; the id of a window is subject x 10^9 + line.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "jobs.h"
#include "lines.h"
#include "number.h"
#include "runs.h"
#include "series.h"
#include "span.h"
#include "tree.h"

enum { COLUMNS = 54, CHANNELS = 27, RATE = 100, WINDOW = 512, ACTIVITIES = 25, BEFORE_SENSORS = 3, PER_PLACE = 17 };
static const double gap = 1; /* a second without a line ends a recording */

static const char *const activities[ACTIVITIES] = {"other",
                                                   "lying",
                                                   "sitting",
                                                   "standing",
                                                   "walking",
                                                   "running",
                                                   "cycling",
                                                   "Nordic walking",
                                                   NULL,
                                                   "watching TV",
                                                   "computer work",
                                                   "car driving",
                                                   "ascending stairs",
                                                   "descending stairs",
                                                   NULL,
                                                   NULL,
                                                   "vacuum cleaning",
                                                   "ironing",
                                                   "folding laundry",
                                                   "house cleaning",
                                                   "playing soccer",
                                                   NULL,
                                                   NULL,
                                                   NULL,
                                                   "rope jumping"};

/* One file, read on its own. */
typedef struct Person {
    const char *path, *name;
    uint32_t number;
    QcSeriesList list; /* labels are activities by their numbers */
} Person;

typedef struct Tree {
    const QcImportOptions *o;
    QcArena arena;
    Person *people; /* [n] */
    uint32_t n;
    QcNames names;  /* all that are there */
} Tree;

typedef struct Reader {
    Person *person;
    const QcImportOptions *o;
    QcLines lines;
    QcRecording run;
    char recording[64];
} Reader;

/* --- finding the files ---------------------------------------------------------------------------------- */

static int add_people(Tree *tree, const QcFolder *folder, QcErr *err)
{
    tree->people = qc_arena_take(&tree->arena, folder->n, sizeof *tree->people, err);
    if (!tree->people) return -1;
    for (uint32_t k = 0; k < folder->n; k++) {
        const QcEntry *e = &folder->entries[k];
        uint32_t number = qc_name_number(e->name, "subject", ".dat"), index;
        char name[32];
        if (e->is_folder || !number) continue;
        snprintf(name, sizeof name, "%.*s", (int)(strlen(e->name) - strlen(".dat")), e->name);
        if (qc_names_add(&tree->names, &tree->arena, name, &index, err)) return -1;
        if (qc_import_wants(tree->o, name))
            tree->people[tree->n++] = (Person){
                .path = e->path, .name = tree->names.names[index], .number = number, .list.channels = CHANNELS};
    }
    return 0;
}

static int find_people(Tree *tree, const char *path, QcErr *err)
{
    QcFolder folder;
    char below[QC_PATH_ROOM];
    if (qc_need_folder(path, "a PAMAP2 tree", err) || qc_folder_read(&folder, path, &tree->arena, err) ||
        add_people(tree, &folder, err))
        return -1;
    for (int k = 0; !tree->names.n && k < 2; k++) {
        static const char *const places[] = {"Protocol", "PAMAP2_Dataset/Protocol"};
        if (qc_path_join(below, path, places[k], err)) return -1;
        if (qc_is_folder(below) &&
            (qc_folder_read(&folder, below, &tree->arena, err) || add_people(tree, &folder, err)))
            return -1;
    }
    if (qc_import_check_groups(tree->o, &tree->names, path, err)) return -1;
    return tree->n ? 0
                   : qc_fail(err, QC_EFORMAT, "%.300s is no PAMAP2 tree: it has no file Protocol/subjectN.dat", path);
}

static int qc_recognise_pamap2(const char *path)
{
    Tree tree = {.o = &qc_import_defaults};
    QcErr err;
    int found = qc_is_folder(path) && !find_people(&tree, path, &err);
    qc_arena_release(&tree.arena);
    return found;
}

/* --- a file --------------------------------------------------------------------------------------------- */

/* Where a column's value goes: 0 to CHANNELS - 1, or -1 if it is not taken. */
static int channel_of(uint32_t column)
{
    if (column < BEFORE_SENSORS) return -1;
    uint32_t place = (column - BEFORE_SENSORS) / PER_PLACE, sensor = (column - BEFORE_SENSORS) % PER_PLACE;
    if (sensor >= 1 && sensor <= 3) return (int)(place * 9 + sensor - 1);
    return sensor >= 7 && sensor <= 12 ? (int)(place * 9 + sensor - 4) : -1;
}

/* Time and activity must be present. Other values may be missing, as most heart rates are, but a value must be a
 * number. */
static const char *read_column(float x[CHANNELS], double *time, double *activity, uint32_t column, QcField field)
{
    const char *wrong, *at = field.at;
    float unused;
    int channel = channel_of(column);
    if (column < 2) {
        wrong = qc_number_read_double(column ? activity : time, &at, field.end);
        return wrong || at == field.end ? wrong : "is not a number";
    }
    return qc_series_value(channel < 0 ? &unused : &x[channel], field, 1, &wrong) ? wrong : NULL;
}

/* `hole`: the first column of those taken that is NaN, from 1; 0 = none. */
static int read_columns(float x[CHANNELS], double *time, double *activity, uint32_t *hole, const Reader *r,
                        QcField line, QcErr *err)
{
    QcField field;
    uint32_t columns = qc_field_count(line, ' ');
    *hole = 0;
    if (columns != COLUMNS) return qc_lines_fail(&r->lines, err, "%u columns instead of %d", columns, COLUMNS);
    for (uint32_t c = 0; qc_field_next(&line, &field, ' '); c++) {
        const char *wrong = read_column(x, time, activity, c, field);
        if (wrong) return qc_lines_fail(&r->lines, err, "column %u '%.*s' %s", c + 1, QC_FIELD(field), wrong);
        if (!*hole && channel_of(c) >= 0 && isnan(x[channel_of(c)])) *hole = c + 1;
    }
    return 0;
}

static int end_run(Reader *r, QcErr *err)
{
    return qc_recording_end(&r->run, &r->person->list, r->recording, r->person->path, err);
}

static void begin_run(Reader *r, uint32_t activity)
{
    const Person *p = r->person;
    r->run.label = (int32_t)activity;
    r->run.line = r->lines.line;
    r->run.id = (uint64_t)p->number * 1000000000 + r->lines.line;
    snprintf(r->recording, sizeof r->recording, "%.24s/%.24s/%u", p->name, activities[activity], r->lines.line);
}

static int read_line(Reader *r, QcField line, QcErr *err)
{
    float x[CHANNELS];
    double time, number;
    uint32_t hole;
    if (read_columns(x, &time, &number, &hole, r, line, err)) return -1;
    if (!(number >= 0 && number < ACTIVITIES) || number != floor(number) || !activities[(int)number])
        return qc_lines_fail(&r->lines, err, "there is no activity %g in PAMAP2", number);
    uint32_t activity = (uint32_t)number;
    if (r->lines.line > 1 && !(time > r->run.time))
        return qc_lines_fail(&r->lines, err, "the time %g is not after the one before it", time);
    int goes_on = r->run.steps && r->run.label == (int32_t)activity && time - r->run.time <= gap;
    r->run.time = time;
    if (!goes_on) {
        if (end_run(r, err)) return -1;
        begin_run(r, activity);
    }
    if (!activity) return 0;
    if (hole && r->o->missing == QC_MISSING_REFUSE)
        return qc_lines_fail(
            &r->lines, err,
            "column %u is missing (NaN; --missing fill or drop says what becomes of the many holes of this set)", hole);
    float *step = qc_recording_step(&r->run, err);
    if (!step) return -1;
    memcpy(step, x, sizeof x);
    return 0;
}

static int read_person(void *ctx, uint32_t i, QcErr *err)
{
    Tree *tree = ctx;
    Reader r = {.person = &tree->people[i], .o = tree->o, .run.channels = CHANNELS};
    QcField line;
    if (qc_lines_open(&r.lines, r.person->path, err)) return -1;
    int status = 0;
    while (!status && qc_lines_next(&r.lines, &line)) status = read_line(&r, line, err);
    if (!status) status = end_run(&r, err);
    if (!status && !r.lines.line) status = qc_fail(err, QC_EFORMAT, "%.300s is empty", r.person->path);
    qc_recording_release(&r.run);
    qc_lines_close(&r.lines);
    return status;
}

/* --- all of them together ------------------------------------------------------------------------------- */

/* Classes in the order of their numbers. `map` gives an activity its class. */
static int name_classes(QcSeriesList *all, uint32_t map[ACTIVITIES], const Tree *tree, QcErr *err)
{
    int used[ACTIVITIES] = {0};
    for (uint32_t i = 0; i < tree->n; i++)
        for (uint32_t k = 0; k < tree->people[i].list.n; k++) used[tree->people[i].list.items[k].label] = 1;
    for (uint32_t a = 1; a < ACTIVITIES; a++)
        if (used[a] && qc_names_add(&all->labels, &all->arena, activities[a], &map[a], err)) return -1;
    return 0;
}

/* The values stay where they are: the lists of the people must live as long. */
static int gather(QcSeriesList *all, const Tree *tree, QcErr *err)
{
    uint32_t map[ACTIVITIES] = {0};
    if (name_classes(all, map, tree, err)) return -1;
    for (uint32_t i = 0; i < tree->n; i++) {
        const Person *p = &tree->people[i];
        for (uint32_t k = 0; k < p->list.n; k++) {
            const QcSeries *from = &p->list.items[k];
            QcSeries *s = qc_series_add(all, 0, err);
            if (!s) return -1;
            *s = *from;
            s->label = (int32_t)map[from->label];
            if (qc_names_add(&all->groups, &all->arena, p->name, &s->group, err) ||
                qc_names_add(&all->recordings, &all->arena, p->list.recordings.names[from->recording], &s->recording,
                             err))
                return -1;
        }
    }
    return 0;
}

static int qc_import_pamap2(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Tree tree = {.o = o};
    QcSeriesList all = {.channels = CHANNELS};
    QcJobs jobs = {
        .threads = o->jobs, .work = read_person, .ctx = &tree, .progress = o->progress, .progress_ctx = o->ctx};
    uint32_t window, stride;
    int status = qc_span_read(&window, o->window, "window", RATE, WINDOW, err) ||
                         qc_span_read(&stride, o->stride, "stride", RATE, window, err) ||
                         find_people(&tree, path, err) || qc_jobs_run(&jobs, tree.n, err) || gather(&all, &tree, err) ||
                         qc_series_cut(d, &all, window, stride, o, err)
                     ? -1
                     : 0;
    qc_series_release(&all);
    for (uint32_t i = 0; i < tree.n; i++) qc_series_release(&tree.people[i].list);
    qc_arena_release(&tree.arena);
    return status;
}

static const QcImportRow *const rows[] = {&qc_row_window, &qc_row_stride, &qc_row_missing, NULL};

const QcImporter qc_importer_pamap2 = {
    "pamap2", "PAMAP2: a folder of Protocol/subjectN.dat", rows, qc_recognise_pamap2, qc_import_pamap2, NULL, 0};
