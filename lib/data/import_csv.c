/* A table: one window a row, or (with a column of window ids) one time step a row. In the first form values are channel-major: all steps of channel 1, then
 * of channel 2 and so on; columns for label, group, recording and window id may stand anywhere. The separator (comma, semicolon, tab, blank) is the one that
 * the first row has most of. The UCR archive of 2018 gives its series as such tables (.tsv): parted by tabs, the label first, shorter series filled up
 * with NaN.
 *
 * Labels are sorted by name; ids are counted from the file's digest, as in import_ts.c; a window of steps has the id of its first row.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "lines.h"
#include "series.h"

enum { CLASSES_MAX = 4096, NO_COLUMN = UINT32_MAX };

typedef struct Table {
    QcLines lines;
    const QcImportOptions *o;
    char separator;      /* 0 = found out */
    int header;
    uint32_t columns, rows, values;
    uint32_t label, group, recording, window; /* columns from 0; NO_COLUMN = none */
    QcSeriesList list;
    float *row;          /* [values], or all steps of the window so far: [steps][values]; malloc'd */
    uint32_t steps, room;
} Table;

static int ends_in(const char *path, const char *suffix)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcasecmp(dot, suffix);
}

/* The first row of a .tsv: are all of its cells numbers; is the first of them whole, is the last, or is that missing. */
typedef struct FirstRow {
    int numbers, first_whole, last_whole, last_missing;
} FirstRow;

static int is_number(QcField field);
static int is_whole(QcField field) { return !memchr(field.at, '.', (size_t)(field.end - field.at)); }

static int read_first_row(FirstRow *row, const char *path)
{
    QcLines l;
    QcField line, cell;
    QcErr err;
    *row = (FirstRow){1, 1, 1, 0};
    if (qc_lines_open(&l, path, &err)) return -1;
    if (qc_lines_next(&l, &line))
        for (uint32_t c = 0; qc_field_next(&line, &cell, '\t'); c++) {
            row->numbers = row->numbers && is_number(cell);
            row->last_whole = is_whole(cell);
            row->last_missing = qc_field_is(cell, "nan");
            if (!c) row->first_whole = row->last_whole;
        }
    qc_lines_close(&l);
    return 0;
}

/* A .tsv of whole numbers alone may be either table: its label may be the first or the last. */
int qc_recognise_csv(const char *path)
{
    FirstRow row;
    if (ends_in(path, ".csv")) return 1;
    return ends_in(path, ".tsv") && !read_first_row(&row, path) && !(row.numbers && row.first_whole);
}

/* A table of the archive: numbers alone, the first of them whole (the label), the last not. */
int qc_recognise_tsv(const char *path)
{
    FirstRow row;
    return ends_in(path, ".tsv") && !read_first_row(&row, path) && row.numbers && row.first_whole && (!row.last_whole || row.last_missing);
}

/* --- cells -------------------------------------------------------------------------------------------- */

/* Behind the closing quote of the quoted text at `at`, where only a separator or the end may follow; else NULL. */
static const char *behind_quotes(const char *at, const char *end, char separator)
{
    const char *q = at + 1;
    while (q < end && !(*q == '"' && (q + 1 == end || q[1] != '"'))) q += *q == '"' ? 2 : 1;
    if (q >= end) return NULL;
    for (q++; q < end && *q != separator && (*q == ' ' || *q == '\t'); q++) continue;
    return q == end || *q == separator ? q : NULL;
}

/* As qc_field_next, but a quoted field may hold the separator, and loses its quotes. */
static int next_cell(QcField *line, QcField *cell, char separator)
{
    const char *at = line->at;
    while (at && separator != ' ' && at < line->end && *at == ' ') at++;
    const char *behind = at && at < line->end && *at == '"' ? behind_quotes(at, line->end, separator) : NULL;
    if (!behind) return qc_field_next(line, cell, separator);
    *cell = qc_field_trim((QcField){at, behind});
    *cell = (QcField){cell->at + 1, cell->end - 1};
    line->at = behind < line->end ? behind + 1 : NULL;
    while (separator == ' ' && line->at && line->at < line->end && *line->at == ' ') line->at++;
    return 1;
}

static uint32_t count_cells(QcField line, char separator)
{
    QcField cell;
    uint32_t n = 0;
    while (next_cell(&line, &cell, separator)) n++;
    return n;
}

static char guess_separator(QcField line)
{
    static const char candidates[] = "\t;, "; /* a comma may stand in a name, a blank beside anything */
    char best = ',';
    uint32_t most = 1;
    for (const char *c = candidates; *c; c++) {
        uint32_t n = count_cells(line, *c);
        if (n > most) {
            most = n;
            best = *c;
        }
        if (*c == ',' && most > 1) break;
    }
    return best;
}

/* Next row that is not blank. */
static int next_row(Table *t, QcField *line)
{
    while (qc_lines_next(&t->lines, line))
        if (line->at < line->end) return 1;
    return 0;
}

static int is_number(QcField field)
{
    float value;
    const char *wrong;
    return !qc_field_number(&value, field, &wrong) || !strcmp(wrong, "is missing") || !strcmp(wrong, "is not finite") ||
           !strcmp(wrong, "is out of range");
}

/* A column by number from 1, or by its name in the first row. */
static int find_column(uint32_t *column, const char *name, const char *what, const Table *t, QcField first, int header, QcErr *err)
{
    char *behind;
    unsigned long number = strtoul(name, &behind, 10);
    if (*name && !*behind) {
        if (!number || number > t->columns)
            return qc_fail(err, QC_EUSAGE, "there is no column %s for the %s: %.200s has %u", name, what, t->lines.name, t->columns);
        *column = (uint32_t)number - 1;
        return 0;
    }
    QcField field;
    for (uint32_t c = 0; header != 0 && next_cell(&first, &field, t->separator); c++)
        if (qc_field_is(field, name)) {
            *column = c;
            return 0;
        }
    return qc_fail(err, QC_EUSAGE, "the first row of %.200s has no column '%.60s' for the %s", t->lines.name, name, what);
}

/* An optional column: NO_COLUMN where the option is not given. */
static int find_optional(uint32_t *column, const char *name, const char *what, const Table *t, QcField first, QcErr *err)
{
    *column = NO_COLUMN;
    return name && find_column(column, name, what, t, first, t->o->header, err) ? -1 : 0;
}

static int find_columns(Table *t, QcField first, uint32_t usual_label, QcErr *err)
{
    const QcImportOptions *o = t->o;
    int unlabelled = o->label && !strcmp(o->label, "none");
    if (find_optional(&t->label, unlabelled ? NULL : o->label, "label", t, first, err) || find_optional(&t->group, o->group, "group", t, first, err) ||
        find_optional(&t->recording, o->recording, "recording", t, first, err) || find_optional(&t->window, o->window_id, "window", t, first, err))
        return -1;
    if (!o->label) t->label = usual_label == NO_COLUMN ? t->columns - 1 : usual_label;
    if (t->label != NO_COLUMN && (t->label == t->group || t->label == t->recording || t->label == t->window))
        return qc_fail(err, QC_EUSAGE, "column %u cannot be both the label and a group, recording or window", t->label + 1);
    return 0;
}

static int is_value(const Table *t, uint32_t column) { return column != t->label && column != t->group && column != t->recording && column != t->window; }

/* A first row is a header when words stand where most values should, or its label is called one. A few words among numbers are a bad row, not a header:
 * the row must not be lost without a sentence. -1: not certain, for y may also be a class. */
static int looks_like_header(const Table *t, QcField first)
{
    static const char *const words[] = {"label", "class", "target", NULL};
    QcField field;
    uint32_t values = 0, words_seen = 0;
    int is_y = 0;
    for (uint32_t c = 0; next_cell(&first, &field, t->separator); c++) {
        values += is_value(t, c) ? 1 : 0;
        words_seen += is_value(t, c) && !is_number(field) ? 1 : 0;
        for (int k = 0; c == t->label && words[k]; k++)
            if (qc_field_is(field, words[k])) return 1;
        is_y |= c == t->label && qc_field_is(field, "y");
    }
    return 2 * words_seen > values ? 1 : is_y ? -1 : 0;
}

static uint32_t value_columns(const Table *t)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < t->columns; c++) n += is_value(t, c) ? 1 : 0;
    return n;
}

static int measure(Table *t, uint32_t usual_label, QcErr *err)
{
    QcField first, line;
    if (!next_row(t, &first)) return qc_fail(err, QC_EFORMAT, "%.300s is empty", t->lines.name);
    if (!t->separator) t->separator = guess_separator(first);
    t->columns = count_cells(first, t->separator);
    if (find_columns(t, first, usual_label, err)) return -1;
    t->header = t->o->header >= 0 ? t->o->header : looks_like_header(t, first);
    if (t->header < 0) return qc_fail(err, QC_EUSAGE, "whether the first row of %.300s has names or values is not certain: say so with --header yes or no", t->lines.name);
    for (t->rows = t->header ? 0 : 1; next_row(t, &line); t->rows++)
        if (t->rows == UINT32_MAX) return qc_fail(err, QC_EFORMAT, "%.300s has too many rows", t->lines.name);
    if (!t->rows) return qc_fail(err, QC_EFORMAT, "%.300s has a header, but no rows", t->lines.name);
    t->values = value_columns(t);
    if (!t->values) return qc_fail(err, QC_EFORMAT, "%.300s: no column is left for values (wrong kind of file, or wrong separator?)", t->lines.name);
    uint32_t channels = t->o->channels ? t->o->channels : 1;
    if (t->o->window_id && t->o->channels) return qc_fail(err, QC_EUSAGE, "where a row is one step, the columns are the channels: --channels does not apply");
    if (t->values % channels) return qc_fail(err, QC_EUSAGE, "%u columns of values cannot be divided into %u channels", t->values, channels);
    t->list.channels = t->o->window_id ? t->values : channels;
    return 0;
}

/* --- rows --------------------------------------------------------------------------------------------- */

/* A cell as a name; doubled quotes within it become one. */
static int read_text(char name[QC_FIELD_NAME], const Table *t, QcField cell, QcErr *err)
{
    char text[2 * QC_FIELD_NAME];
    size_t n = 0;
    for (const char *at = cell.at; at < cell.end && n < sizeof text; at++) {
        text[n++] = *at;
        if (*at == '"' && at + 1 < cell.end && at[1] == '"') at++;
    }
    return qc_field_name(name, &t->lines, (QcField){text, text + n}, err);
}

static int read_name(uint32_t *index, QcNames *names, Table *t, QcField cell, const char *what, QcErr *err)
{
    char name[QC_FIELD_NAME];
    if (read_text(name, t, cell, err) || qc_names_add(names, &t->list.arena, name, index, err)) return -1;
    if (names == &t->list.labels && names->n > CLASSES_MAX)
        return qc_lines_fail(&t->lines, err, "more than %d different %ss: is column %u really the %s?", CLASSES_MAX, what, t->label + 1, what);
    return 0;
}

/* What a row says besides its values. */
typedef struct Row {
    int32_t label;
    uint32_t group, recording;
    char window[QC_FIELD_NAME];
    int wanted;
} Row;

static int read_place(Row *row, Table *t, uint32_t c, QcField cell, QcErr *err)
{
    uint32_t label = 0;
    if (c == t->label && read_name(&label, &t->list.labels, t, cell, "label", err)) return -1;
    if (c == t->label) row->label = (int32_t)label;
    if (c == t->group && read_name(&row->group, &t->list.groups, t, cell, "group", err)) return -1;
    if (c == t->recording && read_name(&row->recording, &t->list.recordings, t, cell, "recording", err)) return -1;
    return c == t->window ? read_text(row->window, t, cell, err) : 0;
}

/* The group of a row, before anything else of it is looked at: rows of others may hold what they like. */
static int is_wanted(const Table *t, QcField line)
{
    QcField cell = {0};
    char name[QC_FIELD_NAME];
    if (!t->o->n_groups) return 1;
    for (uint32_t c = 0; c <= t->group && next_cell(&line, &cell, t->separator); c++) continue;
    return !read_text(name, t, cell, NULL) && qc_import_wants(t->o, name);
}

static int read_row(Row *row, float *x, Table *t, QcField line, QcErr *err)
{
    const char *wrong;
    QcField cell;
    uint32_t columns = count_cells(line, t->separator);
    *row = (Row){.label = -1};
    if (columns != t->columns) return qc_lines_fail(&t->lines, err, "%u columns instead of %u", columns, t->columns);
    for (uint32_t c = 0; next_cell(&line, &cell, t->separator); c++) {
        if (!is_value(t, c)) {
            if (read_place(row, t, c, cell, err)) return -1;
        } else if (qc_series_value(x++, cell, qc_series_may_miss(t->o), &wrong)) {
            return qc_lines_fail(&t->lines, err, "column %u '%.*s' %s", c + 1, QC_FIELD(cell), wrong);
        }
    }
    return 0;
}

static int make_room(Table *t, uint64_t n, QcErr *err)
{
    if (n <= t->room) return 0;
    uint64_t room = n > 2 * (uint64_t)t->room ? n : 2 * (uint64_t)t->room;
    float *larger = room <= UINT32_MAX ? realloc(t->row, room * sizeof *larger) : NULL;
    if (!larger) return qc_fail_memory(err, "a window");
    t->row = larger;
    t->room = (uint32_t)room;
    return 0;
}

static void set_place(QcSeries *s, const Row *row, uint64_t id)
{
    s->label = row->label;
    s->group = row->group;
    s->recording = row->recording;
    s->id = id;
}

static int read_whole_row(Table *t, QcField line, uint64_t id, QcErr *err)
{
    Row row;
    if (make_room(t, t->values, err) || read_row(&row, t->row, t, line, err)) return -1;
    QcSeries *s = qc_series_add_row(&t->list, t->row, t->values / t->list.channels, t->o, &t->lines, err);
    if (!s) return -1;
    set_place(s, &row, id);
    return 0;
}

/* --- windows of many rows ------------------------------------------------------------------------------- */

typedef struct Window {
    Row row;       /* of its first row */
    uint64_t id;
    uint32_t line;
} Window;

/* What tells one window from another: its name, within its group and recording. */
typedef struct Key {
    char *name;
    uint32_t group, recording, line;
} Key;

static int compare_keys(const void *a, const void *b)
{
    const Key *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    if (order) return order;
    if (p->group != q->group) return p->group < q->group ? -1 : 1;
    return p->recording != q->recording ? (p->recording < q->recording ? -1 : 1) : p->line < q->line ? -1 : p->line > q->line;
}

static int check_once(Key *keys, uint32_t n, const Table *t, QcErr *err)
{
    qsort(keys, n, sizeof *keys, compare_keys);
    for (uint32_t k = 1; k < n; k++)
        if (!strcmp(keys[k].name, keys[k - 1].name) && keys[k].group == keys[k - 1].group && keys[k].recording == keys[k - 1].recording)
            return qc_fail(err, QC_EFORMAT, "%.200s:%u: window '%.60s' begins again, but the rows of a window must follow each other", t->lines.name, keys[k].line, keys[k].name);
    return 0;
}

static int end_window(Table *t, const Window *w, QcErr *err)
{
    QcSeries *s = qc_series_add(&t->list, t->steps, err);
    if (!s) return -1;
    for (uint32_t k = 0; k < t->steps; k++)
        for (uint32_t c = 0; c < t->values; c++) s->x[(uint64_t)c * t->steps + k] = t->row[(uint64_t)k * t->values + c];
    set_place(s, &w->row, w->id);
    s->line = w->line;
    s->file = t->lines.name;
    t->steps = 0;
    return 0;
}

static int same_window(const Row *a, const Row *b) { return a->group == b->group && a->recording == b->recording && !strcmp(a->window, b->window); }

/* One more step, of the window that is being read or of a new one. */
static int read_step(Table *t, Window *w, Key **keys, uint32_t *n_keys, QcField line, uint64_t id, QcErr *err)
{
    Row row;
    if (make_room(t, ((uint64_t)t->steps + 1) * t->values, err) || read_row(&row, t->row + (uint64_t)t->steps * t->values, t, line, err)) return -1;
    float *x = t->row + (uint64_t)t->steps * t->values;
    for (uint32_t c = 0; t->o->missing == QC_MISSING_REFUSE && c < t->values; c++)
        if (isnan(x[c])) return qc_lines_fail(&t->lines, err, "a value of channel %u is missing (--missing fill or drop allows it)", c + 1);
    if (t->steps && same_window(&row, &w->row)) {
        if (row.label != w->row.label) return qc_lines_fail(&t->lines, err, "window '%.60s' has two labels", row.window);
        t->steps++;
        return 0;
    }
    if (t->steps) { /* the row that has just been read is the first of the next */
        float *first = malloc(t->values * sizeof *first);
        if (!first) return qc_fail_memory(err, "a window");
        memcpy(first, x, t->values * sizeof *first);
        int status = end_window(t, w, err);
        memcpy(t->row, first, t->values * sizeof *first);
        free(first);
        if (status) return -1;
    }
    *w = (Window){row, id, t->lines.line};
    t->steps = 1;
    if (!(*n_keys & (*n_keys + 1))) { /* room for a power of two less one is full */
        Key *larger = realloc(*keys, 2 * ((size_t)*n_keys + 1) * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "windows");
        *keys = larger;
    }
    char *name = qc_arena_text(&t->list.arena, row.window, strlen(row.window), err);
    if (!name) return -1;
    (*keys)[(*n_keys)++] = (Key){name, row.group, row.recording, t->lines.line};
    return 0;
}

/* --- the whole table -------------------------------------------------------------------------------------- */

static int read_rows(Table *t, QcErr *err)
{
    QcField line;
    Window w = {0};
    Key *keys = NULL;
    uint32_t n_keys = 0;
    uint64_t base = qc_lines_id(&t->lines);
    int status = 0;
    qc_lines_rewind(&t->lines);
    if (t->header) next_row(t, &line);
    for (uint32_t row = 0; !status && row < t->rows && next_row(t, &line); row++) {
        if (!is_wanted(t, line)) continue;
        status = t->o->window_id ? read_step(t, &w, &keys, &n_keys, line, base + row, err) : read_whole_row(t, line, base + row, err);
        if (t->o->progress) t->o->progress(t->o->ctx, row + 1, t->rows);
    }
    if (!status && t->steps) status = end_window(t, &w, err);
    if (!status && n_keys) status = check_once(keys, n_keys, t, err);
    free(keys);
    return status || qc_import_check_groups(t->o, &t->list.groups, t->lines.name, err) ? -1 : 0;
}

static int import_table(QcDataset *d, const char *path, const QcImportOptions *o, char separator, uint32_t usual_label, QcErr *err)
{
    Table t = {.o = o, .separator = separator};
    if (qc_lines_open(&t.lines, path, err)) return -1;
    int status = measure(&t, usual_label, err) || read_rows(&t, err) || qc_series_whole(d, &t.list, o, err) || qc_import_sort_labels(d, err) ? -1 : 0;
    free(t.row);
    qc_series_release(&t.list);
    qc_lines_close(&t.lines);
    return status;
}

int qc_import_csv(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err) { return import_table(d, path, o, 0, NO_COLUMN, err); }
int qc_import_tsv(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err) { return import_table(d, path, o, '\t', 0, err); }
