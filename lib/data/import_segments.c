/* Recordings as tables of samples (a row a sample), whose labels lie in a file of segments: lines "RECORDING GROUP
 * LABEL FIRST LAST", samples counted from 1, both ends included (HAPT's form); without groups four numbers, of a single
 * recording three. Names of files say recording and group; files that differ in {channels} alone are the channels of
 * one recording, in the order of that name (acc, gyro).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "namepattern.h"
#include "number.h"
#include "recordingindex.h"
#include "series.h"
#include "table.h"
#include "tree.h"

typedef struct Part {
    const char *path;
    QcNameParts parts;
} Part;

typedef struct Recording {
    const char *recording, *group, *path;
    float *x; /* [channels][length] in the arena */
    uint32_t channels, length;
    uint64_t id, next; /* of the next segment, counted from id: by samples, so that no two windows share one */
    uint32_t copies; /* others so far with the same bytes */
} Recording;

typedef struct Set {
    const QcImportOptions *o;
    QcArena arena;
    Part *parts;
    Recording *recordings;
    QcRecordingIndex index;
    QcNameTable ids; /* as text, of recordings */
    uint32_t n_parts, part_room, n, others, missed; /* missed: segments of recordings that are not there */
    const char *first_other;
    QcSeriesList list;
} Set;

static int add_part(Set *set, const char *path, const QcNameParts *parts, QcErr *err)
{
    if (set->n_parts == set->part_room) {
        uint32_t room = set->part_room ? set->part_room * 2 : 64;
        Part *larger = realloc(set->parts, room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "a list of files");
        set->parts = larger;
        set->part_room = room;
    }
    set->parts[set->n_parts++] = (Part){path, *parts};
    return 0;
}

static int walk(Set *set, const char *path, int depth, QcErr *err)
{
    QcFolder folder;
    if (depth > 16) return qc_fail(err, QC_EFORMAT, "%.300s: folders too deep", path);
    if (qc_folder_read(&folder, path, &set->arena, err)) return -1;
    for (uint32_t k = 0; k < folder.n; k++) {
        const QcEntry *e = &folder.entries[k];
        QcNameParts parts;
        if (e->is_folder) {
            if (walk(set, e->path, depth + 1, err)) return -1;
            continue;
        }
        int ways = qc_namepattern_match(&parts, set->o->name_pattern, e->path);
        if (ways > 1) return qc_fail(err, QC_EFORMAT, "%.300s fits the name pattern in more than one way", e->path);
        if (ways ? add_part(set, e->path, &parts, err) : !set->others++ ? (set->first_other = e->path, 0) : 0)
            return -1;
    }
    return 0;
}

/* By group and recording, numbers by value, then by channels. */
static int compare_parts(const void *a, const void *b)
{
    const Part *p = a, *q = b;
    static const int order[] = {QC_PART_GROUP, QC_PART_RECORDING, QC_PART_CHANNELS};
    for (int k = 0; k < 3; k++) {
        int c = strverscmp(p->parts.text[order[k]], q->parts.text[order[k]]);
        if (c) return c;
    }
    return strverscmp(p->path, q->path);
}

/* --- recordings ---------------------------------------------------------------------------------------------- */

static int64_t find_id(const Set *set, char text[24], uint64_t id)
{
    snprintf(text, 24, "%llx", (unsigned long long)id);
    return qc_nametable_find(&set->ids, text);
}

/* Recordings with identical bytes get different ids. */
static int choose_id(Set *set, Recording *r, uint64_t digest, QcErr *err)
{
    const uint64_t step = (uint64_t)1 << 32, most = ((uint64_t)1 << 53) - 1;
    char text[24];
    int64_t first = find_id(set, text, digest);
    r->id = digest;
    while (find_id(set, text, r->id) >= 0) r->id = (digest + step * ++set->recordings[first].copies) & most;
    const char *kept = qc_arena_text(&set->arena, text, strlen(text), err);
    return kept ? qc_nametable_add(&set->ids, &set->arena, kept, (uint32_t)(r - set->recordings), err) : -1;
}

/* The channels of s [channels] follow those that the recording has. */
static int add_channels(Set *set, Recording *r, const QcSeries *s, uint32_t channels, QcErr *err)
{
    uint32_t all = r->channels + channels;
    float *x = qc_arena_take(&set->arena, (uint64_t)all * s->length, sizeof *x, err);
    if (!x) return -1;
    if (r->channels) memcpy(x, r->x, (size_t)r->channels * r->length * sizeof *x);
    for (uint32_t c = 0; c < channels; c++)
        qc_series_channel(x + (size_t)(r->channels + c) * s->length, s, channels, c);
    r->x = x;
    r->channels = all;
    r->length = s->length;
    return 0;
}

/* Adds the columns of one file to the recording. */
static int read_part(Set *set, Recording *r, const char *path, QcErr *err)
{
    QcSeriesList list = {0};
    QcImportOptions o = *set->o;
    o.label = "none";
    o.groups = NULL;
    o.n_groups = 0;
    o.progress = NULL;
    if (set->n > 1 || r->channels) o.note = NULL;
    int status = qc_importer_csv.gather(&list, path, &o, err);
    if (!status && list.n != 1) status = qc_fail(err, QC_EFORMAT, "%.300s is not one uninterrupted recording", path);
    const QcSeries *s = list.items;
    if (!status && r->channels && s->length != r->length)
        status = qc_fail(err, QC_EFORMAT, "%.250s has %u samples, but %.200s has %u", path, s->length, r->path,
                         r->length);
    if (!status && !r->channels) {
        r->path = path;
        status = choose_id(set, r, s->id, err);
    }
    if (!status) status = add_channels(set, r, s, list.channels, err);
    qc_series_release(&list);
    return status;
}

static int read_recordings(Set *set, QcErr *err)
{
    qsort(set->parts, set->n_parts, sizeof *set->parts, compare_parts);
    set->recordings = qc_arena_take(&set->arena, set->n_parts, sizeof *set->recordings, err);
    if (!set->recordings) return -1;
    for (uint32_t k = 0; k < set->n_parts; k++) {
        const Part *p = &set->parts[k], *before = k ? &set->parts[k - 1] : NULL;
        const char *recording = p->parts.text[QC_PART_RECORDING], *group = p->parts.text[QC_PART_GROUP];
        int same = before && !strcmp(recording, before->parts.text[QC_PART_RECORDING]) &&
                   !strcmp(group, before->parts.text[QC_PART_GROUP]);
        if (same && !strcmp(p->parts.text[QC_PART_CHANNELS], before->parts.text[QC_PART_CHANNELS]))
            return qc_fail(err, QC_EFORMAT, "%.200s and %.200s say the same in their names", before->path, p->path);
        if (!same) set->recordings[set->n++] = (Recording){.recording = recording, .group = group};
        if (read_part(set, &set->recordings[set->n - 1], p->path, err)) return -1;
        if (set->o->progress) set->o->progress(set->o->ctx, k + 1, set->n_parts);
    }
    return 0;
}

/* --- segments -------------------------------------------------------------------------------------------------- */

static int read_place(uint32_t *place, const QcLines *l, QcField field, QcErr *err)
{
    double value;
    const char *at = field.at;
    if (qc_number_read_double(&value, &at, field.end) || at != field.end || !(value >= 1 && value < UINT32_MAX))
        return qc_lines_fail(l, err, "'%.*s' is no sample, counted from 1", QC_FIELD(field));
    return *place = (uint32_t)value, 0;
}

static int add_segment(Set *set, Recording *r, const QcLines *l, QcField label_field, uint32_t first, uint32_t last,
                       QcErr *err)
{
    QcSeriesList *list = &set->list;
    QcTable t = {.lines = *l, .o = set->o};
    char name[QC_FIELD_NAME], recording[2 * QC_PART_ROOM + 2];
    uint32_t label;
    if (last < first || last > r->length)
        return qc_lines_fail(l, err, "the segment from %u to %u is not within the %u samples of %.200s", first, last,
                             r->length, r->path);
    if (qc_series_channels(list, r->channels, r->path, err)) return -1;
    QcSeries *s = qc_series_add(list, last - first + 1, err);
    if (!s || qc_table_name(name, &t, label_field, 1, err) ||
        qc_names_add(&list->labels, &list->arena, name, &label, err))
        return -1;
    if (list->labels.n > QC_CLASSES_MAX) return qc_lines_fail(l, err, "more than %d different labels", QC_CLASSES_MAX);
    s->label = (int32_t)label;
    if (*r->group && qc_names_add(&list->groups, &list->arena, r->group, &s->group, err)) return -1;
    snprintf(recording, sizeof recording, "%s%s%s", r->group, *r->group && *r->recording ? "/" : "", r->recording);
    if (*recording && qc_names_add(&list->recordings, &list->arena, recording, &s->recording, err)) return -1;
    s->file = r->path;
    s->id = r->id + r->next;
    r->next += s->length;
    for (uint32_t c = 0; c < r->channels; c++)
        memcpy(s->x + (uint64_t)c * s->length, r->x + (uint64_t)c * r->length + first - 1, s->length * sizeof *s->x);
    return 0;
}

static int read_segment(Set *set, const QcLines *l, QcField line, QcErr *err)
{
    QcField words[5];
    char separator = memchr(line.at, ',', (size_t)(line.end - line.at)) ? ',' : ' ';
    uint32_t n = qc_field_count(line, separator), first = 0, last = 0;
    if (n < 3 || n > 5)
        return qc_lines_fail(
            l, err, "%u words: a segment is RECORDING GROUP LABEL FIRST LAST (the first two may be left out)", n);
    for (uint32_t k = 0; k < n; k++) qc_field_next(&line, &words[k], separator);
    if (n == 3 && set->n > 1)
        return qc_lines_fail(l, err, "three words do not say which of the %u recordings is meant", set->n);
    if (read_place(&first, l, words[n - 2], err) || read_place(&last, l, words[n - 1], err)) return -1;
    int64_t k = n == 3 ? 0 : qc_recordingindex_find(&set->index, words[0], n == 5 ? words[1] : (QcField){0});
    if (k == -2)
        return qc_lines_fail(l, err, "several groups have a recording '%.*s': which one?", QC_FIELD(words[0]));
    if (k < 0) return set->missed++, 0;
    Recording *r = &set->recordings[k];
    return qc_import_wants(set->o, r->group) ? add_segment(set, r, l, words[n - 3], first, last, err) : 0;
}

static int index_recordings(Set *set, QcErr *err)
{
    const char **names = malloc(2 * (size_t)set->n * sizeof *names), **groups = names ? names + set->n : NULL;
    if (!names) return qc_fail_memory(err, "names of recordings");
    for (uint32_t k = 0; k < set->n; k++) {
        names[k] = set->recordings[k].recording;
        groups[k] = set->recordings[k].group;
    }
    int status = qc_recordingindex_init(&set->index, names, groups, set->n, &set->arena, err);
    free(names);
    return status;
}

static int read_segments(Set *set, QcErr *err)
{
    QcLines l;
    QcField line;
    if (index_recordings(set, err) || qc_lines_open(&l, set->o->segments, err)) return -1;
    int status = 0;
    while (!status && qc_lines_next(&l, &line))
        if (line.at < line.end && *line.at != '#') status = read_segment(set, &l, line, err);
    if (!status && !set->list.n && !set->o->n_groups)
        status = qc_fail(err, QC_EFORMAT, "%.300s has no segment of the recordings that are there", set->o->segments);
    qc_lines_close(&l);
    return status;
}

static int find_parts(Set *set, const char *path, QcErr *err)
{
    const QcImportOptions *o = set->o;
    QcNameParts none;
    memset(&none, 0, sizeof none);
    if (!o->segments)
        return qc_fail(err, QC_EUSAGE, "--segments FILE is needed: lines RECORDING GROUP LABEL FIRST LAST");
    if (qc_is_standard(path) || !qc_is_folder(path)) return add_part(set, path, &none, err);
    if (!o->name_pattern)
        return qc_fail(
            err, QC_EUSAGE,
            "the names of the recordings are needed: --name-pattern '{channels}_exp{recording}_user{group}.txt'");
    if (qc_namepattern_check(o->name_pattern, err)) return -1;
    if (qc_namepattern_has(o->name_pattern, QC_PART_LABEL))
        return qc_fail(err, QC_EUSAGE, "--name-pattern: the label comes from the segments, not from {label}");
    if (walk(set, path, 0, err)) return -1;
    return set->n_parts ? 0 : qc_fail(err, QC_EFORMAT, "%.300s has no file that fits the name pattern", path);
}

static int import_segments(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Set set = {.o = o};
    int status = find_parts(&set, path, err) || read_recordings(&set, err) || read_segments(&set, err) ||
                         qc_import_finish(d, &set.list, o, err)
                     ? -1
                     : 0;
    if (!status && set.missed) qc_import_note(o, "%u segments are of recordings that are not there", set.missed);
    if (!status && set.others)
        qc_import_note(o, "%u other files were not read (the first: %.300s)", set.others, set.first_other);
    free(set.parts);
    qc_series_release(&set.list);
    qc_arena_release(&set.arena);
    return status;
}

static int recognise(const char *path)
{
    (void)path;
    return 0;
}

static const QcImportRow row_segments = {"segments",
                                         QC_ROW_TEXT,
                                         "FILE",
                                         "lines RECORDING GROUP LABEL FIRST LAST, from 1",
                                         offsetof(QcImportOptions, segments),
                                         NULL,
                                         0};
static const QcImportRow *const rows[] = {
    &row_segments,  &qc_row_columns, &qc_row_ignore,       &qc_row_header,      &qc_row_decimal,
    &qc_row_time,   &qc_row_unequal, &qc_row_missing,      &qc_row_length,      &qc_row_window,
    &qc_row_stride, &qc_row_rate,    &qc_row_name_pattern, &qc_row_label_names, NULL};

const QcImporter qc_importer_segments = {"segments",
                                         "tables of samples, and --segments FILE with their labels (HAPT)",
                                         rows,
                                         recognise,
                                         import_segments,
                                         NULL,
                                         0};
