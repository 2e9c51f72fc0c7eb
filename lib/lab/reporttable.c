#include "reporttable.h"

#include <math.h>
#include <string.h>

#include "../base/text.h"
#include "reportplot.h"
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
        break;
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

static void print_number(FILE *to, QcFigure f, double x)
{
    if (isnan(x)) fputs("-", to);
    else fprintf(to, qc_figure_is_share(f) ? "%.4f" : fabs(x) < 100 ? "%.2f" : "%.0f", x);
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
        qc_results_figure(&mean, &half, row, r->figures[k]);
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
        qc_results_figure(&mean, &half, row, r->figures[k]);
        fprintf(to, isnan(mean) ? ", \"%s\": null" : ", \"%s\": %.9g", qc_figure_name(r->figures[k]), mean);
        fprintf(to, isnan(half) ? ", \"%s_ci95\": null" : ", \"%s_ci95\": %.9g", qc_figure_name(r->figures[k]), half);
    }
    fputs("}\n", to);
}

void qc_report_print(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by)
{
    if (r->format == QC_REPORT_RUNS) {
        qc_runtable_print(to, e, results);
        return;
    }
    if (r->format >= QC_REPORT_CURVES) {
        qc_report_plot(r, to, e, results, by);
        return;
    }
    if (r->format != QC_REPORT_JSON) print_header(r, to, e, by);
    for (uint32_t i = 0; i < results->n_rows; i++) {
        if (r->format == QC_REPORT_JSON) print_json(r, to, e, by, &results->rows[i]);
        else print_row(r, to, e, by, &results->rows[i]);
    }
    if (r->format == QC_REPORT_LATEX) fputs("\\hline\n\\end{tabular}\n", to);
}
