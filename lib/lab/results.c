#include "results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "runtable.h"

/* Names in tables, and keys of the summary where a figure stands there as it is. */
static const char *const names[QC_FIGURE_COUNT] = {
    "before",   "target_mean", "target_last", "source_last", "flips",       "ms",
    "forwards", "backwards",   "passes",      "operations",  "model_bytes", "working_bytes",
    "bytes",    "acc",         "bwt",         "fwt",         "forgetting",  "target_ece"};

const char *qc_figure_name(QcFigure f) { return names[f]; }

QcFigure qc_figure_find(const char *name, size_t length)
{
    int f = 0;
    while (f < QC_FIGURE_COUNT && (strlen(names[f]) != length || memcmp(names[f], name, length))) f++;
    return (QcFigure)f;
}

int qc_is_column(const char *name)
{
    static const char *const others[] = {"run", "runs", "targets"}, interval[] = "_ci95";
    size_t length = strlen(name), end = sizeof interval - 1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(name, others[i])) return 1;
    if (length > end && !strcmp(name + length - end, interval)) length -= end;
    return qc_figure_find(name, length) < QC_FIGURE_COUNT;
}

const char *qc_figure_words(QcFigure f)
{
    static const char *const words[QC_FIGURE_COUNT] = {"accuracy on each batch before it is learned",
                                                       "target accuracy, mean over batches",
                                                       "target accuracy after the last batch",
                                                       "source accuracy after the last batch",
                                                       "flipped weights per batch",
                                                       "milliseconds per batch",
                                                       "forward passes per batch",
                                                       "backward passes per batch",
                                                       "passes per example",
                                                       "multiply-adds per batch",
                                                       "bytes of the model",
                                                       "bytes of working memory",
                                                       "bytes of model and working memory",
                                                       "accuracy over all streams",
                                                       "backward transfer",
                                                       "forward transfer",
                                                       "forgetting",
                                                       "expected calibration error on the target"};
    return words[f];
}

static int is_transfer(QcFigure f) { return f >= QC_FIGURE_ACC && f <= QC_FIGURE_FORGETTING; }

int qc_figure_is_share(QcFigure f) { return f <= QC_FIGURE_SOURCE || f == QC_FIGURE_ECE || is_transfer(f); }

/* The largest figure has a finite square, and a table of runs can hold it. */
int qc_figure_can_be(QcFigure f, double x)
{
    return isnan(x) || (x >= (is_transfer(f) ? -1 : 0) && x <= (qc_figure_is_share(f) ? 1 : 1e30));
}

/* What is known of a run while its lines are read. */
typedef struct Lines {
    uint32_t streams;   /* so far */
    double target, ece; /* sums over batches */
    double batch;       /* number of the last one */
    int whole;          /* its summary was there */
} Lines;

/* The number of a value; NaN if it is not a number. */
static double number_of(const QcYaml *value)
{
    char *end;
    if (!value || value->kind != QC_YAML_SCALAR) return NAN;
    double x = strtod(value->text, &end);
    return *end || end == value->text ? NAN : x;
}

static double number(const QcYaml *map, const char *key) { return number_of(qc_yaml_get(map, key)); }

/* Element i of a list of the map. */
static double element(const QcYaml *map, const char *key, uint32_t i)
{
    const QcYaml *list = qc_yaml_get(map, key);
    return list && list->kind == QC_YAML_LIST && i < list->n ? number_of(list->items[i]) : NAN;
}

/* The summary has means of each test set; with several streams the target is another one in each. */
static void take_summary(QcRunResult *r, const QcYaml *line, const Lines *lines)
{
    for (int f = QC_FIGURE_FLIPS; f < QC_FIGURE_COUNT; f++) r->figure[f] = number(line, names[f]);
    r->figure[QC_FIGURE_BEFORE] = number(line, "accuracy_before");
    r->figure[QC_FIGURE_BYTES] = r->figure[QC_FIGURE_MODEL_BYTES] + r->figure[QC_FIGURE_WORKING_BYTES];
    r->figure[QC_FIGURE_TARGET] = lines->streams > 1 ? lines->target / r->n_batches : element(line, "test", 0);
    r->figure[QC_FIGURE_ECE] = lines->streams > 1 ? lines->ece / r->n_batches : element(line, "ece", 0);
}

static void take_batch(QcRunResult *r, const QcYaml *line, Lines *lines)
{
    double stream = number(line, "stream");
    lines->streams = stream >= 1 && stream < 1e6 ? (uint32_t)stream : 1;
    double target = element(line, "test", lines->streams - 1);
    r->target[r->n_batches++] = target;
    r->figure[QC_FIGURE_LAST] = target;
    r->figure[QC_FIGURE_SOURCE] = element(line, "test", lines->streams);
    lines->target += target;
    lines->ece += element(line, "ece", lines->streams - 1);
}

/* Nothing, null, or a number that can be. */
static int is_figure(const QcYaml *value, QcFigure f)
{
    double x = number_of(value);
    return !value || (value->kind == QC_YAML_SCALAR && !strcmp(value->text, "null")) ||
           (!isnan(x) && qc_figure_can_be(f, x));
}

static int check_shares(const QcYaml *line, const char *key, QcErr *err)
{
    const QcYaml *list = qc_yaml_get(line, key);
    for (uint32_t i = 0; list && list->kind == QC_YAML_LIST && i < list->n; i++)
        if (!is_figure(list->items[i], QC_FIGURE_TARGET))
            return qc_yaml_fail(err, list->items[i], "%s is a list of numbers from 0 to 1", key);
    return !list || list->kind == QC_YAML_LIST ? 0
                                               : qc_yaml_fail(err, list, "%s is a list of numbers from 0 to 1", key);
}

static int check_figures(const QcYaml *line, QcErr *err)
{
    const QcYaml *before = qc_yaml_get(line, "accuracy_before");
    for (int f = QC_FIGURE_FLIPS; f < QC_FIGURE_COUNT; f++) {
        const QcYaml *value = qc_yaml_get(line, names[f]);
        if (!is_figure(value, (QcFigure)f)) return qc_yaml_fail(err, value, "%s cannot be this", names[f]);
    }
    if (!is_figure(before, QC_FIGURE_BEFORE))
        return qc_yaml_fail(err, before, "accuracy_before is a number from 0 to 1");
    return check_shares(line, "test", err) || check_shares(line, "ece", err) ? -1 : 0;
}

/* Batches must be consecutive, with the summary after them; a file with two logs is refused. */
static int check_order(const QcYaml *line, int is_summary, Lines *lines, QcErr *err)
{
    if (lines->whole) return qc_yaml_fail(err, line, "there is more after the summary: a result is of one run");
    if (is_summary) return 0;
    double batch = number(line, "batch");
    if (!(batch > lines->batch))
        return qc_yaml_fail(err, qc_yaml_get(line, "batch"),
                            "batches are numbered upwards, and this does not follow %g", lines->batch);
    lines->batch = batch;
    return 0;
}

static int take_line(QcRunResult *r, const char *text, size_t length, const char *path, uint32_t number, Lines *lines,
                     QcErr *err)
{
    QcYamlDocument d;
    if (qc_yaml_parse(&d, text, length, path, number, err)) return -1;
    int is_map = d.root->kind == QC_YAML_MAP, status;
    const QcYaml *end = is_map ? qc_yaml_get(d.root, "summary") : NULL;
    int summary = end && end->kind == QC_YAML_SCALAR && !strcmp(end->text, "true");
    if (!summary && !(is_map && qc_yaml_get(d.root, "batch")))
        status = qc_yaml_fail(err, d.root, "this is no line of qc-calibrate --json");
    else status = check_order(d.root, summary, lines, err) || check_figures(d.root, err) ? -1 : 0;
    if (!status && summary) take_summary(r, d.root, lines);
    if (!status && !summary) take_batch(r, d.root, lines);
    lines->whole |= summary;
    qc_yaml_release(&d);
    return status;
}

int qc_result_load(QcRunResult *r, QcArena *arena, const char *path, QcErr *err)
{
    uint8_t *bytes;
    size_t length, n_lines = 0;
    Lines lines = {.streams = 1};
    int status = -1;
    *r = (QcRunResult){.n_batches = 0};
    for (int f = 0; f < QC_FIGURE_COUNT; f++) r->figure[f] = NAN;
    if (qc_need_regular(path, err) || qc_read_all(path, &bytes, &length, err)) return -1;
    for (size_t i = 0; i < length; i++) n_lines += bytes[i] == '\n';
    if (!(r->target = qc_arena_take(arena, n_lines + 1, sizeof *r->target, err))) goto end;
    uint32_t number = 1;
    for (size_t at = 0, n; at < length; at += n + 1, number++) {
        const uint8_t *line = bytes + at, *end = memchr(line, '\n', length - at);
        n = end ? (size_t)(end - line) : length - at;
        if (n && take_line(r, (const char *)line, n, path, number, &lines, err)) goto end;
    }
    status = lines.whole ? 0
                         : qc_fail(err, QC_EFORMAT,
                                   "%s has no summary line of qc-calibrate --json: the run is not whole", path);
end:
    free(bytes);
    return status;
}

/* ---- rows ---- */

/* The row of these values of the axes that make rows; -1: memory is out. */
static int64_t row_of(QcResults *r, QcNameTable *known, const QcExperiment *e, const uint8_t *by, uint32_t combination,
                      QcErr *err)
{
    char key[QC_EXPERIMENT_AXES * 9 + 1] = "";
    size_t n = 0;
    for (uint32_t x = 0; x < e->n_axes; x++)
        if (by[x]) n += (size_t)snprintf(key + n, sizeof key - n, "%x,", qc_experiment_value(e, combination, x));
    int64_t row = qc_nametable_find(known, key);
    if (row >= 0) return row;
    const char *kept = qc_arena_text(&r->arena, key, n, err);
    if (!kept || qc_nametable_add(known, &r->arena, kept, r->n_rows, err)) return -1;
    r->rows[r->n_rows] = (QcRow){.combination = combination};
    return r->n_rows++;
}

/* 1: found, 0: not done, -1: failed. */
static int load_run(QcRunResult *run, QcArena *arena, const char *dir, const QcJob *job, const QcRunTable *known,
                    QcErr *err)
{
    if (dir && qc_job_done(job)) return qc_result_load(run, arena, job->out, err) ? -1 : 1;
    const QcRunResult *found = qc_runtable_find(known, job);
    if (found) *run = *found;
    return found != NULL;
}

int qc_results_load(QcResults *r, const QcExperiment *e, const uint8_t *by, const QcRunTable *known, QcErr *err)
{
    QcNameTable row_table = {0};
    *r = (QcResults){.n_rows = 0};
    r->runs = qc_arena_take(&r->arena, e->n_combinations, sizeof *r->runs, err);
    r->rows = qc_arena_take(&r->arena, e->n_combinations, sizeof *r->rows, err);
    uint32_t *row = qc_arena_take(&r->arena, e->n_combinations, sizeof *row, err);
    if (!r->runs || !r->rows || !row) goto fail;
    for (uint32_t c = 0; c < e->n_combinations; c++) {
        if (e->reported[c] == UINT32_MAX) continue;
        QcRunResult *run = &r->runs[r->n_runs];
        int found = load_run(run, &r->arena, e->dir, &e->jobs[e->reported[c]], known, err);
        if (found < 0) goto fail;
        if (!found) {
            r->missing++;
            continue;
        }
        run->combination = c;
        int64_t of = row_of(r, &row_table, e, by, c, err);
        if (of < 0) goto fail;
        row[r->n_runs++] = (uint32_t)of;
        r->rows[of].n++;
    }
    for (uint32_t i = 0; i < r->n_rows; i++) {
        if (!(r->rows[i].runs = qc_arena_take(&r->arena, r->rows[i].n, sizeof *r->rows[i].runs, err))) goto fail;
        r->rows[i].n = 0;
    }
    for (uint32_t k = 0; k < r->n_runs; k++) r->rows[row[k]].runs[r->rows[row[k]].n++] = &r->runs[k];
    return 0;
fail:
    qc_results_release(r);
    return -1;
}

void qc_results_release(QcResults *r)
{
    if (!r) return;
    qc_arena_release(&r->arena);
    *r = (QcResults){.n_rows = 0};
}

/* ---- means ---- */

/* The .975 quantile of Student's t with df degrees of freedom: a table, and beyond it an expansion in 1/df (Abramowitz
 * and Stegun, 26.7.5, three terms). */
static double student(uint32_t df)
{
    static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
    const double z = 1.959964;
    if (df <= sizeof table / sizeof *table) return table[df - 1];
    return z + (pow(z, 3) + z) / (4.0 * df) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96.0 * df * df) +
           (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / (384.0 * df * df * df);
}

void qc_results_figure(double *mean, double *half, const QcRow *row, QcFigure f)
{
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < row->n; i++) sum += row->runs[i]->figure[f];
    *mean = row->n ? sum / row->n : NAN;
    for (uint32_t i = 0; i < row->n; i++) squares += pow(row->runs[i]->figure[f] - *mean, 2);
    *half = row->n > 1 ? student(row->n - 1) * sqrt(squares / (row->n - 1) / row->n) : NAN;
}

void qc_results_target(double *mean, double *half, const QcRow *row, uint32_t b)
{
    double sum = 0, squares = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < row->n; i++)
        if (b < row->runs[i]->n_batches) sum += row->runs[i]->target[b], n++;
    *mean = n ? sum / n : NAN;
    for (uint32_t i = 0; i < row->n; i++)
        if (b < row->runs[i]->n_batches) squares += pow(row->runs[i]->target[b] - *mean, 2);
    *half = n > 1 ? student(n - 1) * sqrt(squares / (n - 1) / n) : NAN;
}
