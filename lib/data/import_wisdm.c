/* WISDM v1.1: WISDM_ar_v1.1_raw.txt, or a folder with it. A record is "user,activity,timestamp,x,y,z;", the time in
 * nanoseconds, 20 per second; a line may hold several.
 *
 * Records of one user and activity that follow each other without a gap are a recording, which is cut into windows.
 * Label: the activity; group: the user. Ids are counted from the file's digest, by records.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "lines.h"
#include "number.h"
#include "runs.h"
#include "series.h"
#include "span.h"
#include "tree.h"

enum { CHANNELS = 3, FIELDS = 6, RATE = 20, WINDOW = 200, CLASSES_MAX = 4096 };
static const double gap = 1e9; /* a second without a record ends a recording */
static const char file_name[] = "WISDM_ar_v1.1_raw.txt";

typedef struct Reader {
    QcLines lines;
    const QcImportOptions *o;
    QcSeriesList list;
    QcNames users; /* all that are there */
    QcRecording run;
    char recording[3 * QC_FIELD_NAME];
    uint64_t records, base;
} Reader;

typedef struct Record {
    char user[QC_FIELD_NAME], activity[QC_FIELD_NAME];
    double time;
    float x[CHANNELS];
} Record;

/* The file itself, or where it lies in the archive. */
static int find_file(char path[QC_PATH_ROOM], const char *given, QcErr *err)
{
    static const char *const places[] = {file_name, "WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt"};
    if (qc_is_standard(given) || !qc_is_folder(given)) {
        snprintf(path, QC_PATH_ROOM, "%.4000s", given ? given : "-");
        return 0;
    }
    for (size_t k = 0; k < sizeof places / sizeof *places; k++)
        if (!qc_path_join(path, given, places[k], err) && qc_is_regular(path)) return 0;
    return qc_fail(err, QC_EFORMAT, "%.300s has no file %s", given, file_name);
}

static int qc_recognise_wisdm(const char *path)
{
    char file[QC_PATH_ROOM];
    QcErr err;
    if (qc_is_folder(path)) return !find_file(file, path, &err);
    const char *slash = strrchr(path, '/');
    return !strcmp(slash ? slash + 1 : path, file_name) && qc_is_regular(path);
}

static int read_number(double *value, const Reader *r, QcField field, const char *what, QcErr *err)
{
    const char *at = field.at, *wrong = qc_number_read_double(value, &at, field.end);
    if (!wrong && at != field.end) wrong = "is not a number";
    return wrong ? qc_lines_fail(&r->lines, err, "the %s '%.*s' %s", what, QC_FIELD(field), wrong) : 0;
}

static int read_record(Record *record, Reader *r, QcField text, QcErr *err)
{
    static const char *const names[CHANNELS] = {"x", "y", "z"};
    QcField field;
    const char *wrong;
    uint32_t fields = qc_field_count(text, ',');
    if (fields != FIELDS)
        return qc_lines_fail(&r->lines, err, "a record has %u fields instead of %d (user,activity,timestamp,x,y,z;)",
                             fields, FIELDS);
    double user;
    qc_field_next(&text, &field, ',');
    if (read_number(&user, r, field, "user", err) || qc_field_name(record->user, &r->lines, field, err)) return -1;
    qc_field_next(&text, &field, ',');
    if (qc_field_name(record->activity, &r->lines, field, err)) return -1;
    qc_field_next(&text, &field, ',');
    if (read_number(&record->time, r, field, "timestamp", err)) return -1;
    for (int c = 0; c < CHANNELS; c++) {
        qc_field_next(&text, &field, ',');
        if (qc_series_value(&record->x[c], field, r->o->missing != QC_MISSING_REFUSE, &wrong))
            return qc_lines_fail(&r->lines, err, "%s '%.*s' %s", names[c], QC_FIELD(field), wrong);
    }
    return 0;
}

static int end_run(Reader *r, QcErr *err)
{
    return qc_recording_end(&r->run, &r->list, r->recording, r->lines.name, err);
}

static void begin_run(Reader *r, const Record *record, uint32_t label, uint32_t group)
{
    r->run.label = (int32_t)label;
    r->run.group = group;
    r->run.line = r->lines.line;
    r->run.id = r->base + r->records;
    snprintf(r->recording, sizeof r->recording, "%s/%s/%llu", record->user, record->activity,
             (unsigned long long)r->records + 1);
}

static int take_record(Reader *r, const Record *record, QcErr *err)
{
    uint32_t label, group;
    if (qc_names_add(&r->users, &r->list.arena, record->user, NULL, err)) return -1;
    if (!qc_import_wants(r->o, record->user)) return end_run(r, err);
    if (qc_names_add(&r->list.labels, &r->list.arena, record->activity, &label, err) ||
        qc_names_add(&r->list.groups, &r->list.arena, record->user, &group, err))
        return -1;
    if (r->list.labels.n > CLASSES_MAX)
        return qc_lines_fail(&r->lines, err, "more than %d different activities", CLASSES_MAX);
    int goes_on = r->run.steps && r->run.label == (int32_t)label && r->run.group == group &&
                  record->time >= r->run.time && record->time - r->run.time <= gap;
    if (!goes_on) {
        if (end_run(r, err)) return -1;
        begin_run(r, record, label, group);
    }
    float *step = qc_recording_step(&r->run, err);
    if (!step) return -1;
    memcpy(step, record->x, sizeof record->x);
    r->run.time = record->time;
    return 0;
}

/* The records of a line, each of which ends in a semicolon. */
static int read_line(Reader *r, QcField line, QcErr *err)
{
    int lenient = r->o->missing == QC_MISSING_DROP;
    while (line.at < line.end) {
        const char *semicolon = memchr(line.at, ';', (size_t)(line.end - line.at));
        QcField text = qc_field_trim((QcField){line.at, semicolon ? semicolon : line.end});
        Record record;
        int status = semicolon ? read_record(&record, r, text, err)
                               : qc_lines_fail(&r->lines, err, "a record does not end in ';'");
        if (status && !lenient) return -1;
        if (status ? end_run(r, err) : take_record(r, &record, err)) return -1;
        r->records++;
        line = qc_field_trim((QcField){semicolon ? semicolon + 1 : line.end, line.end});
    }
    return 0;
}

static int read_all(Reader *r, QcErr *err)
{
    QcField line;
    r->base = qc_lines_id(&r->lines);
    while (qc_lines_next(&r->lines, &line)) {
        if (read_line(r, line, err)) return -1;
        qc_lines_progress(&r->lines, r->o->progress, r->o->ctx);
    }
    if (!r->records) return qc_fail(err, QC_EFORMAT, "%.300s is empty", r->lines.name);
    return end_run(r, err) || qc_import_check_groups(r->o, &r->users, r->lines.name, err) ? -1 : 0;
}

static int qc_import_wisdm(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .list.channels = CHANNELS, .run.channels = CHANNELS};
    uint32_t window, stride;
    char file[QC_PATH_ROOM];
    if (qc_span_read(&window, o->window, "window", RATE, WINDOW, err) ||
        qc_span_read(&stride, o->stride, "stride", RATE, window, err) || find_file(file, path, err) ||
        qc_lines_open(&r.lines, file, err))
        return -1;
    int status = read_all(&r, err) || qc_series_cut(d, &r.list, window, stride, o, err) || qc_import_sort_labels(d, err)
                     ? -1
                     : 0;
    qc_recording_release(&r.run);
    qc_series_release(&r.list);
    qc_lines_close(&r.lines);
    return status;
}

static const QcImportRow *const rows[] = {&qc_row_window, &qc_row_stride, &qc_row_missing, NULL};

const QcImporter qc_importer_wisdm = {
    "wisdm", "WISDM v1.1: WISDM_ar_v1.1_raw.txt, or a folder with it", rows, qc_recognise_wisdm, qc_import_wisdm, NULL,
    0};
