#include "livetrace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../data/lines.h"
#include "../data/number.h"
#include "../format/yaml.h"

typedef enum Column { WINDOW, TIME, CLASS, CONFIDENCE, DRIFT, ALARM, LABEL, COLUMNS } Column;

static const char *const names[COLUMNS] = {"window", "time", "class", "confidence", "drift", "alarm", "label"};
static const char late_label[] = "late label: window ";
static const char heading[] = "window\ttime\tclass\t", start[] = "{\"start\": ";
static const char *const objects[] = {start, "{\"window\": ", "{\"adapt\": ", "{\"late\": "};

enum { CELLS_MOST = 4096, THRESHOLD_MOST = 1000000000, WORDS_MOST = 8192 /* escapes make a long name longer */ };

typedef struct Reader {
    QcLiveTrace *t;
    QcLines lines;
    char *times, *times_end; /* room for all texts of times */
    uint32_t *slots;         /* hash table of window + 1 by number, the latest of each number */
    uint64_t n_slots;        /* a power of two */
    int n_cells, cell[COLUMNS]; /* of the latest heading; n_cells 0: there was none */
} Reader;

/* ---- what the forms have in common ---- */

/* The name becomes a class if it is new. -1: memory is out. */
static int64_t class_of(QcLiveTrace *t, const char *name, size_t length, QcErr *err)
{
    char *text = qc_arena_text(&t->arena, name, length, err);
    int64_t known = text ? qc_nametable_find(&t->table, text) : -1;
    if (!text || known >= 0) return known;
    if (!(t->n_classes & (t->n_classes - 1))) { /* a power of two: the room is full */
        const char **more = qc_arena_take(&t->arena, t->n_classes ? 2 * (uint64_t)t->n_classes : 1, sizeof *more, err);
        if (!more) return -1;
        if (t->n_classes) memcpy(more, t->classes, t->n_classes * sizeof *more);
        t->classes = more;
    }
    t->classes[t->n_classes] = text;
    return qc_nametable_add(&t->table, &t->arena, text, t->n_classes, err) < 0 ? -1 : (int64_t)t->n_classes++;
}

/* A window's texts; NULL: the line has no such value. */
typedef struct Texts {
    QcField of[COLUMNS];
} Texts;

static int is_empty(QcField f) { return f.at == f.end; }

static int read_real(float *value, const Reader *r, QcField text, const char *name, QcErr *err)
{
    double x;
    const char *at = text.at, *wrong = qc_number_read_double(&x, &at, text.end);
    if (!wrong && at != text.end) wrong = "is not a number";
    *value = (float)x;
    return wrong ? qc_lines_fail(&r->lines, err, "%s: '%.*s' %s", name, QC_FIELD(text), wrong) : 0;
}

static int read_whole(uint64_t *value, QcField text)
{
    *value = 0;
    for (const char *c = text.at; c < text.end; c++) {
        if (*c < '0' || *c > '9' || *value > (UINT64_MAX - 9) / 10) return -1;
        *value = *value * 10 + (uint64_t)(*c - '0');
    }
    return is_empty(text) ? -1 : 0;
}

/* The slot of the number, or the free slot that it would take. */
static uint32_t *look_up(const Reader *r, uint64_t number)
{
    uint64_t at = (number * 0x9e3779b97f4a7c15u) >> 32;
    while (r->slots[at & (r->n_slots - 1)] && r->t->windows[r->slots[at & (r->n_slots - 1)] - 1].number != number) at++;
    return &r->slots[at & (r->n_slots - 1)];
}

static int add_window(Reader *r, const Texts *x, QcErr *err)
{
    QcLiveTrace *t = r->t;
    QcTraceWindow *w = &t->windows[t->n];
    QcField class_name = x->of[CLASS], label = x->of[LABEL], time = x->of[TIME];
    *w = (QcTraceWindow){.time = r->times, .label = -1, .drift = NAN};
    if (read_whole(&w->number, x->of[WINDOW]))
        return qc_lines_fail(&r->lines, err, "'%.*s' is no number of a window", QC_FIELD(x->of[WINDOW]));
    if (is_empty(class_name)) return qc_lines_fail(&r->lines, err, "the window has no class");
    if (read_real(&w->confidence, r, x->of[CONFIDENCE], "confidence", err) ||
        (!is_empty(x->of[DRIFT]) && read_real(&w->drift, r, x->of[DRIFT], "drift", err)))
        return -1;
    if (!(w->confidence >= -.001f && w->confidence <= 1.001f))
        return qc_lines_fail(&r->lines, err, "a confidence lies between 0 and 1, and this is %.*s",
                             QC_FIELD(x->of[CONFIDENCE]));
    w->alarm = qc_field_is(x->of[ALARM], "1") || qc_field_is(x->of[ALARM], "true");
    int64_t class_index = class_of(t, class_name.at, (size_t)(class_name.end - class_name.at), err),
            label_index = is_empty(label) ? -1 : class_of(t, label.at, (size_t)(label.end - label.at), err);
    if (class_index < 0 || (!is_empty(label) && label_index < 0)) return -1;
    w->class_index = (uint32_t)class_index;
    w->label = (int32_t)label_index;
    size_t length = (size_t)(time.end - time.at), room = (size_t)(r->times_end - r->times);
    length = length < room ? length : room - 1;
    memcpy(r->times, time.at ? time.at : "", length);
    r->times += length + 1;
    *look_up(r, w->number) = ++t->n;
    return 0;
}

static int add_adapt(Reader *r, QcTraceAdapt a, QcErr *err)
{
    if (a.right_before > a.labels || a.right_after > a.labels || a.source_before > a.source ||
        a.source_after > a.source || !a.labels)
        return qc_lines_fail(&r->lines, err, "an adapt cannot have more right answers than it has labels or examples");
    a.at = r->t->n;
    r->t->adapts[r->t->n_adapts++] = a;
    return 0;
}

/* A label that came after its window: the latest window of that number. One that is older than the log is not drawn. */
static int add_label(Reader *r, QcField number, QcField label, QcErr *err)
{
    uint64_t n;
    if (read_whole(&n, number))
        return qc_lines_fail(&r->lines, err, "'%.*s' is no number of a window", QC_FIELD(number));
    if (is_empty(label)) return qc_lines_fail(&r->lines, err, "the label has no class");
    int64_t class_index = class_of(r->t, label.at, (size_t)(label.end - label.at), err);
    if (class_index < 0) return -1;
    uint32_t window = *look_up(r, n);
    if (window) r->t->windows[window - 1].label = (int32_t)class_index;
    return 0;
}

/* ---- TSV, and words of standard error ---- */

static int starts_with(const char *at, const char *end, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(end - at) >= n && !memcmp(at, text, n);
}

static int read_heading(Reader *r, QcField line, QcErr *err)
{
    QcField cell;
    for (int c = 0; c < COLUMNS; c++) r->cell[c] = -1;
    for (r->n_cells = 0; qc_field_next(&line, &cell, '\t') && r->n_cells < CELLS_MOST; r->n_cells++)
        for (int c = 0; c < COLUMNS; c++)
            if (qc_field_is(cell, names[c])) r->cell[c] = r->n_cells;
    for (int c = 0; c < COLUMNS; c++)
        if (r->cell[c] < 0) return qc_lines_fail(&r->lines, err, "the heading of qc-run has no column %s", names[c]);
    if (r->t->n) r->t->starts[r->t->n_starts++] = r->t->n;
    return 0;
}

static int read_row(Reader *r, QcField line, QcErr *err)
{
    Texts x = {{{NULL, NULL}}};
    QcField cell;
    int n = 0;
    for (; qc_field_next(&line, &cell, '\t'); n++)
        for (int c = 0; c < COLUMNS; c++)
            if (r->cell[c] == n) x.of[c] = cell;
    if (!r->n_cells) return qc_lines_fail(&r->lines, err, "a row before a heading of qc-run");
    if (n != r->n_cells) return qc_lines_fail(&r->lines, err, "%d cells, and the heading has %d", n, r->n_cells);
    return add_window(r, &x, err);
}

/* "late label: window 17 is walking" without the name of the program */
static int read_late_words(Reader *r, const char *text, QcErr *err)
{
    static const char is[] = " is ";
    const char *number = text + sizeof late_label - 1, *end = strstr(number, is);
    if (!end) return qc_lines_fail(&r->lines, err, "this is no line of a late label of qc-run");
    const char *name = end + sizeof is - 1;
    return add_label(r, (QcField){number, end}, (QcField){name, name + strlen(name)}, err);
}

static int read_words(Reader *r, const char *text, QcErr *err)
{
    QcTraceAdapt a = {0};
    const char *at = strstr(text, "threshold ");
    double threshold = at ? strtod(at + sizeof "threshold " - 1, NULL) : NAN;
    char end[16] = "";
    if (!strncmp(text, "qc-run: ", 8)) text += 8;
    if (!strncmp(text, "drift: ", 7) && fabs(threshold) <= THRESHOLD_MOST) r->t->threshold = threshold;
    if (!strncmp(text, late_label, sizeof late_label - 1)) return read_late_words(r, text, err);
    if (strncmp(text, "adapt ", 6)) return 0;
    if (sscanf(text, "adapt %9u: %9u labels, %9u right before, %9u after; source %9u of %9u, then %9u; %15[a-z ]",
               &a.number, &a.labels, &a.right_before, &a.right_after, &a.source_before, &a.source, &a.source_after,
               end) != 8)
        return qc_lines_fail(&r->lines, err, "this is no line of an adapt of qc-run");
    a.outcome = !strncmp(end, "refused", 7) ? QC_TRACE_REFUSED
                : !strncmp(end, "a new", 5) ? QC_TRACE_SOLVED
                                            : QC_TRACE_STAYS;
    return add_adapt(r, a, err);
}

/* ---- JSON ---- */

static QcField text_of(const QcYaml *map, const char *key)
{
    const QcYaml *value = qc_yaml_get(map, key);
    return value && value->kind == QC_YAML_SCALAR ? (QcField){value->text, value->text + strlen(value->text)}
                                                  : (QcField){NULL, NULL};
}

static int read_count(uint32_t *n, const QcYaml *map, const char *key, QcErr *err)
{
    int64_t value;
    if (!qc_yaml_need(map, key, QC_YAML_SCALAR, err) || qc_yaml_int(map, key, 0, UINT32_MAX, 0, &value, err)) return -1;
    *n = (uint32_t)value;
    return 0;
}

static int read_adapt(Reader *r, const QcYaml *map, QcErr *err)
{
    QcTraceAdapt a = {0};
    int solved, refused;
    if (read_count(&a.number, map, "adapt", err) || read_count(&a.labels, map, "labels", err) ||
        read_count(&a.right_before, map, "right_before", err) || read_count(&a.right_after, map, "right_after", err) ||
        read_count(&a.source, map, "source", err) || read_count(&a.source_before, map, "source_before", err) ||
        read_count(&a.source_after, map, "source_after", err) || qc_yaml_flag(map, "solved", 0, &solved, err) ||
        qc_yaml_flag(map, "refused", 0, &refused, err))
        return -1;
    a.outcome = refused ? QC_TRACE_REFUSED : solved ? QC_TRACE_SOLVED : QC_TRACE_STAYS;
    return add_adapt(r, a, err);
}

static int read_late(Reader *r, const QcYaml *map, QcErr *err)
{
    return add_label(r, text_of(map, "late"), text_of(map, "label"), err);
}

static int read_start(Reader *r, const QcYaml *map, QcErr *err)
{
    double threshold;
    if (qc_yaml_real(map, "threshold", -THRESHOLD_MOST, THRESHOLD_MOST, r->t->threshold, &threshold, err)) return -1;
    r->t->threshold = threshold;
    if (r->t->n) r->t->starts[r->t->n_starts++] = r->t->n;
    return 0;
}

static int read_object(Reader *r, QcField line, QcErr *err)
{
    QcYamlDocument d;
    Texts x;
    if (qc_yaml_parse(&d, line.at, (size_t)(line.end - line.at), r->lines.name, r->lines.line, err)) return -1;
    for (int c = 0; c < COLUMNS; c++) x.of[c] = text_of(d.root, names[c]);
    int status = qc_yaml_get(d.root, "adapt")   ? read_adapt(r, d.root, err)
                 : qc_yaml_get(d.root, "start") ? read_start(r, d.root, err)
                 : qc_yaml_get(d.root, "late")  ? read_late(r, d.root, err)
                                                : add_window(r, &x, err);
    qc_yaml_release(&d);
    return status;
}

/* ---- the log ---- */

int qc_livetrace_is_start(const char *line, const char *end)
{
    int found = starts_with(line, end, heading);
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) found |= starts_with(line, end, objects[i]);
    return found;
}

static int read_line(Reader *r, QcField line, QcErr *err)
{
    char words[WORDS_MOST];
    if (starts_with(line.at, line.end, heading)) return read_heading(r, line, err);
    if (qc_livetrace_is_start(line.at, line.end)) return read_object(r, line, err);
    if (memchr(line.at, '\t', (size_t)(line.end - line.at))) return read_row(r, line, err);
    size_t length = (size_t)(line.end - line.at);
    length = length < sizeof words ? length : sizeof words - 1;
    memcpy(words, line.at, length);
    words[length] = 0;
    return read_words(r, words, err);
}

/* Where no line says the threshold: windows with an alarm lie above it, and the others do not. It is known if the two
 * nearest are close. */
static void infer_threshold(QcLiveTrace *t)
{
    double below = -INFINITY, above = INFINITY;
    for (uint32_t i = 0; i < t->n; i++) {
        double drift = (double)t->windows[i].drift;
        if (isnan(drift)) continue;
        if (t->windows[i].alarm) above = fmin(above, drift);
        else below = fmax(below, drift);
    }
    if (isnan(t->threshold) && isfinite(below) && isfinite(above) && below <= above && above - below < .1)
        t->threshold = (below + above) / 2;
}

/* The heading or start object of the process that went on where another was killed within a line; else the line. Rows
 * escape the tabs of names, and objects their quotes. */
static QcField after_cut(QcField line)
{
    for (const char *at = line.end; at-- > line.at;)
        if (starts_with(at, line.end, heading) || starts_with(at, line.end, start)) return (QcField){at, line.end};
    return line;
}

static int read_log(Reader *r, QcErr *err)
{
    QcLiveTrace *t = r->t;
    QcField line;
    uint64_t n = 0;
    while (qc_lines_raw(&r->lines, &line)) n++;
    qc_lines_rewind(&r->lines);
    t->threshold = NAN;
    for (r->n_slots = 2; r->n_slots < 2 * n; r->n_slots *= 2) continue;
    r->slots = qc_arena_take(&t->arena, r->n_slots, sizeof *r->slots, err);
    t->windows = qc_arena_take(&t->arena, n, sizeof *t->windows, err);
    t->adapts = qc_arena_take(&t->arena, n, sizeof *t->adapts, err);
    t->starts = qc_arena_take(&t->arena, n, sizeof *t->starts, err);
    r->times = qc_arena_take(&t->arena, (uint64_t)r->lines.view.length + n + 1, 1, err);
    if (!r->slots || !t->windows || !t->adapts || !t->starts || !r->times) return -1;
    r->times_end = r->times + r->lines.view.length + n + 1;
    while (qc_lines_raw(&r->lines, &line)) {
        if (line.end == r->lines.end) continue; /* no end of line */
        QcField whole = after_cut(line);
        t->n_cut += whole.at > line.at;
        if (read_line(r, whole, err)) return -1;
    }
    infer_threshold(t);
    return t->n ? 0 : qc_fail(err, QC_EFORMAT, "%.300s: the log has no window", r->lines.name);
}

int qc_livetrace_load(QcLiveTrace *t, const char *path, QcErr *err)
{
    Reader r = {.t = t};
    *t = (QcLiveTrace){0};
    if (qc_lines_open(&r.lines, path, err)) return -1;
    int status = read_log(&r, err);
    qc_lines_close(&r.lines);
    if (status) qc_livetrace_release(t);
    return status;
}

void qc_livetrace_release(QcLiveTrace *t)
{
    if (!t) return;
    qc_arena_release(&t->arena);
    *t = (QcLiveTrace){0};
}
