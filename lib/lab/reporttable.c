#include "reporttable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "runtable.h"

/* Words for several figures. */
static const struct {
    const char *name, *figures;
} groups[] = {
    {"accuracy", "before,target_mean,target_last,source_last"},
    {"cost", "ms,operations,forwards,backwards,bytes"},
    {"transfer", "acc,bwt,fwt,forgetting"},
};

static int add_figure(QcReport *r, const char *name, size_t length, QcErr *err)
{
    QcFigure f = qc_figure_find(name, length);
    if (f == QC_FIGURE_COUNT)
        return qc_fail(err, QC_EUSAGE, "there is no figure '%.*s' (see qc-report(1))", (int)(length < 40 ? length : 40),
                       name);
    for (uint32_t i = 0; i < r->n_figures; i++)
        if (r->figures[i] == f) return 0; /* of a group, too */
    r->figures[r->n_figures++] = f;
    return 0;
}

static const char *group_of(const char *name, size_t length)
{
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        if (strlen(groups[g].name) == length && !memcmp(groups[g].name, name, length)) return groups[g].figures;
    return NULL;
}

static int read_figures(QcReport *r, const char *what, QcErr *err)
{
    while (*what) {
        size_t length = strcspn(what, ",");
        const char *several = group_of(what, length);
        if (several ? read_figures(r, several, err) : add_figure(r, what, length, err)) return -1;
        what += length + (what[length] == ',');
    }
    return r->n_figures ? 0 : qc_fail(err, QC_EUSAGE, "at least one figure is needed");
}

int qc_report_table(QcReport *r, const char *format, const char *figures, QcErr *err)
{
    static const char *const names[] = {"tsv", "md", "latex", "json", "runs"};
    *r = (QcReport){.format = QC_REPORT_TSV};
    if (read_figures(r, figures, err)) return -1;
    for (int f = 0; f < 5; f++)
        if (!strcmp(format, names[f])) {
            r->format = (QcReportFormat)f;
            return 0;
        }
    return qc_fail(err, QC_EUSAGE, "there is no format '%.40s': tsv, md, latex, json and runs are known", format);
}

int qc_report_picture(QcReport *r, const char *what, const QcExperiment *e, uint8_t *by, QcErr *err)
{
    size_t length = strcspn(what, ",");
    *r = (QcReport){.format = QC_REPORT_CURVES};
    if (!strcmp(what, "batches")) return 0;
    r->format = QC_REPORT_POINTS;
    for (uint32_t a = 0; a < e->n_axes && what[length]; a++) {
        if (strlen(e->axes[a].name) != length || memcmp(e->axes[a].name, what, length)) continue;
        r->format = QC_REPORT_AXIS;
        r->axis = a;
        by[a] = 1;
        what += length + 1;
    }
    if (read_figures(r, what, err)) return -1;
    return r->n_figures == (r->format == QC_REPORT_AXIS ? 1 : 2)
               ? 0
               : qc_fail(err, QC_EUSAGE, "a picture shows batches, two figures X,Y, or a figure over an axis, AXIS,Y");
}

/* ---- cells ---- */

static const char *value_of(const QcExperiment *e, const QcRow *row, uint32_t axis)
{
    return e->axes[axis].values[qc_experiment_value(e, row->combination, axis)];
}

static int is_share(QcFigure f) { return f <= QC_FIGURE_SOURCE || f >= QC_FIGURE_ACC; }

static void print_number(FILE *to, QcFigure f, double x)
{
    if (isnan(x)) fputs("-", to);
    else fprintf(to, is_share(f) ? "%.4f" : fabs(x) < 100 ? "%.2f" : "%.0f", x);
}

static void print_word(FILE *to, const QcReport *r, const char *word)
{
    static const QcTextForm forms[] = {
        [QC_REPORT_TSV] = QC_TEXT_PLAIN, [QC_REPORT_MD] = QC_TEXT_MARKDOWN, [QC_REPORT_LATEX] = QC_TEXT_LATEX};
    qc_text_put(to, word, forms[r->format]);
}

/* ---- tables ---- */

typedef struct Marks {
    const char *begin, *between, *end, *interval; /* interval: before half of it */
} Marks;

static const Marks marks[] = {
    [QC_REPORT_TSV] = {"", "\t", "\n", "\t"},
    [QC_REPORT_MD] = {"| ", " | ", " |\n", " ± "},
    [QC_REPORT_LATEX] = {"", " & ", " \\\\\n", " $\\pm$ "},
};

static void print_header(const QcReport *r, FILE *to, const QcExperiment *e, const uint8_t *by)
{
    const Marks *m = &marks[r->format];
    uint32_t columns = 1 + r->n_figures;
    for (uint32_t a = 0; a < e->n_axes; a++) columns += by[a];
    if (r->format == QC_REPORT_LATEX) {
        fprintf(to, "\\begin{tabular}{");
        for (uint32_t i = 0; i < columns; i++) fputc(i < columns - r->n_figures ? 'l' : 'r', to);
        fprintf(to, "}\n\\hline\n");
    }
    fputs(m->begin, to);
    for (uint32_t a = 0; a < e->n_axes; a++) {
        if (!by[a]) continue;
        print_word(to, r, e->axes[a].name);
        fputs(m->between, to);
    }
    fputs("runs", to);
    for (uint32_t k = 0; k < r->n_figures; k++) {
        fputs(m->between, to);
        print_word(to, r, qc_figure_name(r->figures[k]));
        if (r->format == QC_REPORT_TSV) fprintf(to, "\t%s_ci95", qc_figure_name(r->figures[k]));
    }
    fputs(m->end, to);
    if (r->format == QC_REPORT_MD) {
        fputs("|", to);
        for (uint32_t i = 0; i < columns; i++) fputs("---|", to);
        fputs("\n", to);
    }
    if (r->format == QC_REPORT_LATEX) fputs("\\hline\n", to);
}

static void print_row(const QcReport *r, FILE *to, const QcExperiment *e, const uint8_t *by, const QcRow *row)
{
    const Marks *m = &marks[r->format];
    fputs(m->begin, to);
    for (uint32_t a = 0; a < e->n_axes; a++) {
        if (!by[a]) continue;
        print_word(to, r, value_of(e, row, a));
        fputs(m->between, to);
    }
    fprintf(to, "%u", row->n);
    for (uint32_t k = 0; k < r->n_figures; k++) {
        double mean, half;
        qc_row_figure(&mean, &half, row, r->figures[k]);
        fputs(m->between, to);
        print_number(to, r->figures[k], mean);
        if (isnan(half) && r->format != QC_REPORT_TSV) continue;
        fputs(m->interval, to);
        print_number(to, r->figures[k], half);
    }
    fputs(m->end, to);
}

static void print_quoted(FILE *to, const char *text, QcTextForm form, const char *after)
{
    fputc('"', to);
    qc_text_put(to, text, form);
    fprintf(to, "\"%s", after);
}

static void print_json(const QcReport *r, FILE *to, const QcExperiment *e, const uint8_t *by, const QcRow *row)
{
    fputs("{", to);
    for (uint32_t a = 0; a < e->n_axes; a++)
        if (by[a]) {
            print_quoted(to, e->axes[a].name, QC_TEXT_JSON, ": ");
            print_quoted(to, value_of(e, row, a), QC_TEXT_JSON, ", ");
        }
    fprintf(to, "\"runs\": %u", row->n);
    for (uint32_t k = 0; k < r->n_figures; k++) {
        double mean, half;
        qc_row_figure(&mean, &half, row, r->figures[k]);
        fprintf(to, isnan(mean) ? ", \"%s\": null" : ", \"%s\": %.9g", qc_figure_name(r->figures[k]), mean);
        fprintf(to, isnan(half) ? ", \"%s_ci95\": null" : ", \"%s_ci95\": %.9g", qc_figure_name(r->figures[k]), half);
    }
    fputs("}\n", to);
}

/* ---- pictures ---- */

/* What tells the row from others of the picture. */
static void print_title(const QcReport *r, FILE *to, const QcExperiment *e, const uint8_t *by, const QcRow *row)
{
    const char *space = "";
    for (uint32_t a = 0; a < e->n_axes; a++) {
        if (!by[a] || e->axes[a].n == 1 || (r->format == QC_REPORT_AXIS && a == r->axis)) continue;
        fputs(space, to);
        qc_text_put(to, value_of(e, row, a), QC_TEXT_GNUPLOT);
        space = " ";
    }
}

/* Rows that differ along the axis alone are one curve. */
static int same_curve(const QcReport *r, const QcExperiment *e, const uint8_t *by, const QcRow *a, const QcRow *b)
{
    if (a == b || r->format != QC_REPORT_AXIS) return a == b;
    for (uint32_t x = 0; x < e->n_axes; x++)
        if (by[x] && x != r->axis &&
            qc_experiment_value(e, a->combination, x) != qc_experiment_value(e, b->combination, x))
            return 0;
    return 1;
}

static int begins_curve(const QcReport *r, const QcExperiment *e, const QcResults *results, const uint8_t *by,
                        uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (same_curve(r, e, by, &results->rows[k], &results->rows[i])) return 0;
    return 1;
}

static int all_numbers(const QcExperimentAxis *axis)
{
    for (uint32_t i = 0; i < axis->n; i++) {
        char *end;
        strtod(axis->values[i], &end);
        if (*end) return 0;
    }
    return 1;
}

/* Values that are numbers lie where they belong, words side by side. */
static void print_axis_points(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results,
                              const uint8_t *by, uint32_t i)
{
    const QcExperimentAxis *axis = &e->axes[r->axis];
    for (uint32_t v = 0; v < axis->n; v++)
        for (uint32_t k = i; k < results->n_rows; k++) {
            const QcRow *row = &results->rows[k];
            if (qc_experiment_value(e, row->combination, r->axis) != v || !same_curve(r, e, by, &results->rows[i], row))
                continue;
            double mean, half;
            qc_row_figure(&mean, &half, row, r->figures[0]);
            if (all_numbers(axis)) fprintf(to, "%s", axis->values[v]);
            else fprintf(to, "%u", v);
            fprintf(to, " %.9g %.9g\n", mean, isnan(half) ? 0 : half);
        }
}

static void print_points(const QcReport *r, FILE *to, const QcRow *row)
{
    double mean[2], half[2];
    for (int k = 0; k < 2; k++) qc_row_figure(&mean[k], &half[k], row, r->figures[k]);
    fprintf(to, "%.9g %.9g %.9g %.9g\n", mean[0], mean[1], isnan(half[0]) ? 0 : half[0], isnan(half[1]) ? 0 : half[1]);
}

static void print_labels(const QcReport *r, FILE *to, const QcExperiment *e)
{
    const char *x = r->format == QC_REPORT_CURVES ? "batch"
                    : r->format == QC_REPORT_AXIS ? e->axes[r->axis].name
                                                  : qc_figure_name(r->figures[0]);
    const char *y = r->format == QC_REPORT_CURVES ? "target accuracy" : qc_figure_name(r->figures[r->n_figures - 1]);
    fputs("set terminal svg size 800,500\nset title ", to);
    print_quoted(to, e->name, QC_TEXT_GNUPLOT, " noenhanced\nset key outside noenhanced\nset grid\nset xlabel ");
    print_quoted(to, x, QC_TEXT_GNUPLOT, " noenhanced\nset ylabel ");
    print_quoted(to, y, QC_TEXT_GNUPLOT, " noenhanced\n");
    if (r->format == QC_REPORT_POINTS && !is_share(r->figures[0])) fputs("set logscale x\n", to);
    if (r->format != QC_REPORT_AXIS) return;
    const QcExperimentAxis *axis = &e->axes[r->axis];
    for (uint32_t v = 0; v < axis->n; v++) {
        fputs(v ? ", " : "set xtics noenhanced (", to);
        print_quoted(to, axis->values[v], QC_TEXT_GNUPLOT, " ");
        if (all_numbers(axis)) fprintf(to, "%s", axis->values[v]);
        else fprintf(to, "%u", v);
    }
    fputs(")\nset offsets graph .05, graph .05, 0, 0\n", to);
}

/* One block of data a curve, then one plot of them all. */
static void print_script(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results,
                         const uint8_t *by)
{
    static const char *const styles[] = {
        [QC_REPORT_CURVES] = "linespoints", [QC_REPORT_POINTS] = "xyerrorbars", [QC_REPORT_AXIS] = "yerrorlines"};
    for (uint32_t i = 0; i < results->n_rows; i++) {
        const QcRow *row = &results->rows[i];
        if (!begins_curve(r, e, results, by, i)) continue;
        fprintf(to, "$row%u << END\n", i);
        for (uint32_t b = 0; r->format == QC_REPORT_CURVES && b < row->runs[0]->n_batches; b++)
            fprintf(to, "%u %.6g\n", b + 1, qc_row_target(row, b));
        if (r->format == QC_REPORT_AXIS) print_axis_points(r, to, e, results, by, i);
        if (r->format == QC_REPORT_POINTS) print_points(r, to, row);
        fputs("END\n", to);
    }
    print_labels(r, to, e);
    for (uint32_t i = 0, curve = 0; i < results->n_rows; i++) {
        if (!begins_curve(r, e, results, by, i)) continue;
        /* gnuplot has eight colours: the next eight are dashed, and all points differ */
        fprintf(to, "%s $row%u with %s dt %u pt %u title \"", i ? ", \\\n" : "plot", i, styles[r->format],
                1 + curve / 8 % 5, 1 + curve % 15);
        curve++;
        print_title(r, to, e, by, &results->rows[i]);
        fputs("\"", to);
    }
    fputs("\n", to);
}

void qc_report_print(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by)
{
    if (r->format == QC_REPORT_RUNS) {
        qc_runtable_print(to, e, results);
        return;
    }
    if (r->format >= QC_REPORT_CURVES) {
        print_script(r, to, e, results, by);
        return;
    }
    if (r->format != QC_REPORT_JSON) print_header(r, to, e, by);
    for (uint32_t i = 0; i < results->n_rows; i++) {
        if (r->format == QC_REPORT_JSON) print_json(r, to, e, by, &results->rows[i]);
        else print_row(r, to, e, by, &results->rows[i]);
    }
    if (r->format == QC_REPORT_LATEX) fputs("\\hline\n\\end{tabular}\n", to);
}
