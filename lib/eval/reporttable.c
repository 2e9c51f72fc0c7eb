#include "reporttable.h"

#include <math.h>
#include <string.h>

static int read_figures(QcReport *r, const char *what, QcErr *err)
{
    while (*what) {
        size_t length = strcspn(what, ",");
        QcFigure f = qc_figure_find(what, length);
        if (f == QC_FIGURE_COUNT) return qc_fail(err, QC_EUSAGE, "there is no figure '%.*s' (see qc-report(1))", (int)(length < 40 ? length : 40), what);
        if (r->n_figures == QC_FIGURE_COUNT) return qc_fail(err, QC_EUSAGE, "more than %d figures", QC_FIGURE_COUNT);
        r->figures[r->n_figures++] = f;
        what += length + (what[length] == ',');
    }
    return r->n_figures ? 0 : qc_fail(err, QC_EUSAGE, "at least one figure is needed");
}

int qc_report_init(QcReport *r, const char *format, const char *what, int plot, QcErr *err)
{
    static const char *const names[] = {"tsv", "md", "latex", "json"};
    *r = (QcReport){.format = QC_REPORT_CURVES};
    if (plot && !strcmp(what, "batches")) return 0;
    if (read_figures(r, what, err)) return -1;
    if (plot) {
        r->format = QC_REPORT_POINTS;
        return r->n_figures == 2 ? 0 : qc_fail(err, QC_EUSAGE, "a picture shows batches, or two figures X,Y");
    }
    for (int f = 0; f < 4; f++)
        if (!strcmp(format, names[f])) {
            r->format = (QcReportFormat)f;
            return 0;
        }
    return qc_fail(err, QC_EUSAGE, "there is no format '%.40s': tsv, md, latex and json are known", format);
}

/* ---- cells ---- */

static const char *value_of(const QcExperiment *e, const QcRow *row, uint32_t axis) { return e->axes[axis].values[qc_experiment_value(e, row->combination, axis)]; }

static int is_share(QcFigure f) { return f <= QC_FIGURE_SOURCE || f >= QC_FIGURE_ACC; }

static void print_number(FILE *to, QcFigure f, double x)
{
    if (isnan(x)) fputs("-", to);
    else fprintf(to, is_share(f) ? "%.4f" : fabs(x) < 100 ? "%.2f" : "%.0f", x);
}

/* LaTeX takes _, % and & for its own. */
static void print_latex(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (strchr("_%&#$", *text)) fputc('\\', to);
        fputc(*text, to);
    }
}

static void print_word(FILE *to, const QcReport *r, const char *word)
{
    if (r->format == QC_REPORT_LATEX) print_latex(to, word);
    else fputs(word, to);
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

static void print_json(const QcReport *r, FILE *to, const QcExperiment *e, const uint8_t *by, const QcRow *row)
{
    fputs("{", to);
    for (uint32_t a = 0; a < e->n_axes; a++)
        if (by[a]) fprintf(to, "\"%s\": \"%s\", ", e->axes[a].name, value_of(e, row, a)); /* axes and their values are plain words */
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

static void print_title(FILE *to, const QcExperiment *e, const uint8_t *by, const QcRow *row)
{
    const char *space = "";
    for (uint32_t a = 0; a < e->n_axes; a++) {
        if (!by[a] || e->axes[a].n == 1) continue;
        fprintf(to, "%s%s", space, value_of(e, row, a));
        space = " ";
    }
}

/* One block of data a row, then one plot of them all. */
static void print_script(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by)
{
    int curves = r->format == QC_REPORT_CURVES;
    for (uint32_t i = 0; i < results->n_rows; i++) {
        const QcRow *row = &results->rows[i];
        fprintf(to, "$row%u << END\n", i);
        for (uint32_t b = 0; curves && b < row->runs[0]->n_batches; b++) fprintf(to, "%u %.6g\n", b + 1, qc_row_target(row, b));
        double mean[2], half[2];
        for (int k = 0; !curves && k < 2; k++) qc_row_figure(&mean[k], &half[k], row, r->figures[k]);
        if (!curves) fprintf(to, "%.9g %.9g %.9g %.9g\n", mean[0], mean[1], isnan(half[0]) ? 0 : half[0], isnan(half[1]) ? 0 : half[1]);
        fputs("END\n", to);
    }
    fprintf(to, "set terminal svg size 800,500\nset title \"%s\" noenhanced\nset key outside noenhanced\nset grid\n", e->name);
    fprintf(to, "set xlabel \"%s\" noenhanced\nset ylabel \"%s\" noenhanced\n", curves ? "batch" : qc_figure_name(r->figures[0]),
            curves ? "target accuracy" : qc_figure_name(r->figures[1]));
    if (!curves && !is_share(r->figures[0])) fputs("set logscale x\n", to);
    for (uint32_t i = 0; i < results->n_rows; i++) {
        fprintf(to, "%s $row%u with %s title \"", i ? "," : "plot", i, curves ? "linespoints" : "xyerrorbars");
        print_title(to, e, by, &results->rows[i]);
        fputs(i + 1 < results->n_rows ? "\" \\\n" : "\"\n", to);
    }
}

void qc_report_print(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by)
{
    if (r->format == QC_REPORT_CURVES || r->format == QC_REPORT_POINTS) {
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
