#include "reportplot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

/* What a picture is made of. */
typedef struct Plot {
    const QcReport *r;
    FILE *to;
    const QcExperiment *e;
    const QcResults *results;
    const uint8_t *by;
} Plot;

/* Okabe and Ito's colours, which the colour-blind can tell apart; grey instead of their yellow. */
static const char *const colours[QC_PLOT_CURVES] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                    "#e69f00", "#56b4e9", "#000000", "#8c8c8c"};

static void print_quoted(FILE *to, const char *text, const char *after)
{
    fputc('"', to);
    qc_text_put(to, text, QC_TEXT_GNUPLOT);
    fprintf(to, "\"%s", after);
}

/* ---- names ---- */

/* The axis is among the axes that distinguish curves. */
static int distinguishes(const Plot *p, uint32_t a)
{
    return p->by[a] && p->e->axes[a].n > 1 && !(p->r->format == QC_REPORT_AXIS && a == p->r->axis);
}

static uint32_t count_distinguishing(const Plot *p)
{
    uint32_t n = 0;
    for (uint32_t a = 0; a < p->e->n_axes; a++) n += (uint32_t)distinguishes(p, a);
    return n;
}

static void print_axis_name(FILE *to, const char *name)
{
    for (; *name; name++) fputc(*name == '_' ? ' ' : *name, to);
}

/* "closed" if one axis distinguishes curves, which the legend's title names; else "method closed, bits 2". */
static void print_title(const Plot *p, FILE *to, const QcRow *row, QcTextForm form)
{
    const char *comma = "";
    for (uint32_t a = 0; a < p->e->n_axes; a++) {
        if (!distinguishes(p, a)) continue;
        fputs(comma, to);
        comma = ", ";
        if (count_distinguishing(p) > 1) {
            print_axis_name(to, p->e->axes[a].name);
            fputc(' ', to);
        }
        qc_text_put(to, p->e->axes[a].values[qc_experiment_value(p->e, row->combination, a)], form);
    }
}

/* ---- curves ---- */

/* Rows that differ along the axis alone are one curve. */
static int same_curve(const Plot *p, const QcRow *a, const QcRow *b)
{
    if (a == b || p->r->format != QC_REPORT_AXIS) return a == b;
    for (uint32_t x = 0; x < p->e->n_axes; x++)
        if (p->by[x] && x != p->r->axis &&
            qc_experiment_value(p->e, a->combination, x) != qc_experiment_value(p->e, b->combination, x))
            return 0;
    return 1;
}

static int begins_curve(const Plot *p, uint32_t i)
{
    if (p->r->format != QC_REPORT_AXIS) return 1;
    for (uint32_t k = 0; k < i; k++)
        if (same_curve(p, &p->results->rows[k], &p->results->rows[i])) return 0;
    return 1;
}

/* The first rows of the curves that are drawn. Returns how many curves there are in all. */
static uint32_t find_curves(const Plot *p, uint32_t first[QC_PLOT_CURVES])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->results->n_rows; i++) {
        if (!begins_curve(p, i)) continue;
        if (n < QC_PLOT_CURVES) first[n] = i;
        n++;
    }
    return n;
}

/* A value that has a place on a scale. gnuplot knows no nan and no inf, and reads 010 as 8: it gets *x instead. */
static int is_number(const char *value, double *x)
{
    char *end;
    *x = strtod(value, &end);
    return !*end && end != value && isfinite(*x);
}

static int all_numbers(const QcExperimentAxis *axis)
{
    double x;
    for (uint32_t i = 0; i < axis->n; i++)
        if (!is_number(axis->values[i], &x)) return 0;
    return 1;
}

/* Numbers are placed by their value, words at equal distances. numeric: all values of the axis are numbers. */
static void print_place(FILE *to, const QcExperimentAxis *axis, uint32_t v, int numeric)
{
    double x;
    if (numeric && is_number(axis->values[v], &x)) fprintf(to, "%.15g", x);
    else fprintf(to, "%u", v);
}

/* ---- data: x, y, half of y's interval, half of x's; 0: one run has no interval ---- */

static void print_point(const Plot *p, double y, double half)
{
    fprintf(p->to, "%.9g %.9g\n", y, isnan(half) ? 0 : half);
}

static void print_batches(const Plot *p, const QcRow *row)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < row->n; i++) n = row->runs[i]->n_batches > n ? row->runs[i]->n_batches : n;
    for (uint32_t b = 0; b < n; b++) {
        double mean, half;
        qc_results_target(&mean, &half, row, b);
        fprintf(p->to, "%u ", b + 1);
        print_point(p, mean, half);
    }
}

static void print_axis_points(const Plot *p, uint32_t i)
{
    const QcExperimentAxis *axis = &p->e->axes[p->r->axis];
    int numeric = all_numbers(axis);
    for (uint32_t v = 0; v < axis->n; v++)
        for (uint32_t k = i; k < p->results->n_rows; k++) {
            const QcRow *row = &p->results->rows[k];
            if (qc_experiment_value(p->e, row->combination, p->r->axis) != v ||
                !same_curve(p, &p->results->rows[i], row))
                continue;
            double mean, half;
            qc_results_figure(&mean, &half, row, p->r->figures[0]);
            print_place(p->to, axis, v, numeric);
            fputc(' ', p->to);
            print_point(p, mean, half);
        }
}

static void print_figures(const Plot *p, const QcRow *row)
{
    double x, y, half_x, half_y;
    qc_results_figure(&x, &half_x, row, p->r->figures[0]);
    qc_results_figure(&y, &half_y, row, p->r->figures[1]);
    fprintf(p->to, "%.9g %.9g %.9g %.9g\n", x, y, isnan(half_y) ? 0 : half_y, isnan(half_x) ? 0 : half_x);
}

static void print_data(const Plot *p, uint32_t i)
{
    const QcRow *row = &p->results->rows[i];
    fprintf(p->to, "$row%u << END\n", i);
    if (p->r->format == QC_REPORT_CURVES) print_batches(p, row);
    if (p->r->format == QC_REPORT_AXIS) print_axis_points(p, i);
    if (p->r->format == QC_REPORT_POINTS) print_figures(p, row);
    fputs("END\n", p->to);
}

/* ---- the frame ---- */

static uint32_t most_runs(const QcResults *results)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < results->n_rows; i++) n = results->rows[i].n > n ? results->rows[i].n : n;
    return n;
}

static void print_heading(const Plot *p, uint32_t curves)
{
    uint32_t runs = most_runs(p->results);
    fputs("set title \"", p->to);
    qc_text_put(p->to, p->e->name, QC_TEXT_GNUPLOT);
    if (runs > 1) fprintf(p->to, ": means of up to %u runs, with 95 %% intervals", runs);
    if (curves > QC_PLOT_CURVES) fprintf(p->to, "\\n%d of %u curves", QC_PLOT_CURVES, curves);
    fputs("\" noenhanced\n", p->to);
}

static void print_legend(const Plot *p)
{
    fputs("set key outside right top Left reverse noenhanced samplen 2 spacing 1.2", p->to);
    for (uint32_t a = 0; a < p->e->n_axes && count_distinguishing(p) == 1; a++) {
        if (!distinguishes(p, a)) continue;
        fputs(" title \"", p->to);
        print_axis_name(p->to, p->e->axes[a].name);
        fputs("\" left", p->to);
    }
    fputs("\n", p->to);
}

/* A label is a format, too: the % of "50%" would begin a number. */
static void print_label(FILE *to, const char *text)
{
    char piece[QC_TEXT_PIECE];
    fputc('"', to);
    for (size_t n; (n = qc_text_next(piece, text, QC_TEXT_GNUPLOT)) > 0; text += n)
        fputs(strcmp(piece, "%") ? piece : "%%", to);
    fputs("\" ", to);
}

static void print_ticks(const Plot *p)
{
    const QcExperimentAxis *axis = &p->e->axes[p->r->axis];
    int numeric = all_numbers(axis);
    fprintf(p->to, "set xtics noenhanced %s(", axis->n > 8 && !numeric ? "rotate by -40 " : "");
    for (uint32_t v = 0; v < axis->n; v++) {
        fputs(v ? ", " : "", p->to);
        print_label(p->to, axis->values[v]);
        print_place(p->to, axis, v, numeric);
    }
    fputs(")\n", p->to);
    if (numeric) fputs("set offsets graph .05, graph .05, 0, 0\n", p->to);
    else fprintf(p->to, "set xrange [-.5:%u.5]\n", axis->n - 1);
}

/* All rows have a place on a logarithmic scale of x; a method without backward passes has none. */
static int all_above_zero(const Plot *p)
{
    for (uint32_t i = 0; i < p->results->n_rows; i++) {
        double mean, half;
        qc_results_figure(&mean, &half, &p->results->rows[i], p->r->figures[0]);
        if (mean <= 0) return 0;
    }
    return 1;
}

static void print_frame(const Plot *p, uint32_t curves)
{
    const QcReport *r = p->r;
    QcFigure y = r->format == QC_REPORT_CURVES ? QC_FIGURE_TARGET : r->figures[r->n_figures - 1];
    fputs("set terminal svg size 960,480 font 'sans-serif,14' background 'white'\n", p->to);
    print_heading(p, curves);
    print_legend(p);
    fputs("set grid lc rgb '#d8d8d8'\nset border 3\nset tics nomirror\nset xlabel \"", p->to);
    if (r->format == QC_REPORT_AXIS) print_axis_name(p->to, p->e->axes[r->axis].name);
    else fputs(r->format == QC_REPORT_CURVES ? "batch" : qc_figure_words(r->figures[0]), p->to);
    fputs("\" noenhanced\nset ylabel ", p->to);
    print_quoted(p->to, r->format == QC_REPORT_CURVES ? "target accuracy after the batch" : qc_figure_words(y),
                 " noenhanced\n");
    if (qc_figure_is_share(y)) fputs("set yrange [*:*<1]\n", p->to); /* bars may reach beyond what can be */
    if (r->format == QC_REPORT_POINTS && qc_figure_is_share(r->figures[0])) fputs("set xrange [*:*<1]\n", p->to);
    if (r->format == QC_REPORT_POINTS && !qc_figure_is_share(r->figures[0]) && all_above_zero(p))
        fputs("set logscale x\n", p->to);
    if (r->format == QC_REPORT_AXIS) print_ticks(p);
}

/* ---- the script ---- */

/* Bands first, so that no band hides a line. */
static void print_bands(const Plot *p, const uint32_t *first, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++)
        fprintf(p->to, "%s $row%u using 1:($2-$3):($2+$3) with filledcurves fs transparent solid .12 noborder lc rgb "
                "'%s' notitle, \\\n", c ? "" : "plot", first[c], colours[c]);
}

void qc_report_plot(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by)
{
    static const char *const styles[] = {[QC_REPORT_CURVES] = "using 1:2 with linespoints",
                                         [QC_REPORT_POINTS] = "using 1:2:4:3 with xyerrorbars",
                                         [QC_REPORT_AXIS] = "using 1:2:3 with yerrorlines"};
    const Plot p = {r, to, e, results, by};
    uint32_t first[QC_PLOT_CURVES], all = find_curves(&p, first), n = all < QC_PLOT_CURVES ? all : QC_PLOT_CURVES;
    int has_bands = r->format == QC_REPORT_CURVES && most_runs(results) > 1;
    for (uint32_t c = 0; c < n; c++) print_data(&p, first[c]);
    print_frame(&p, all);
    if (has_bands) print_bands(&p, first, n);
    for (uint32_t c = 0; c < n; c++) {
        fprintf(to, "%s $row%u %s lc rgb '%s' lw 1.5 pt %u ps .6 title \"", c || has_bands ? "" : "plot", first[c],
                styles[r->format], colours[c], 4 + c);
        print_title(&p, to, &results->rows[first[c]], QC_TEXT_GNUPLOT);
        fputs(c + 1 < n ? "\", \\\n" : "\"\n", to);
    }
}

/* The row has something to draw: gnuplot makes no picture of nothing. */
static int has_point(const QcReport *r, const QcRow *row)
{
    double mean = NAN, half;
    if (r->format == QC_REPORT_CURVES)
        for (uint32_t i = 0; i < row->n; i++)
            for (uint32_t b = 0; b < row->runs[i]->n_batches && isnan(mean); b++)
                qc_results_target(&mean, &half, row, b);
    for (uint32_t f = 0; f < r->n_figures; f++) {
        qc_results_figure(&mean, &half, row, r->figures[f]);
        if (isnan(mean)) return 0;
    }
    return !isnan(mean);
}

int qc_report_can_draw(const QcReport *r, const QcExperiment *e, const QcResults *results, const uint8_t *by,
                       QcErr *err)
{
    const Plot p = {r, NULL, e, results, by};
    uint32_t first[QC_PLOT_CURVES], all = r->format < QC_REPORT_CURVES ? 0 : find_curves(&p, first);
    if (!all) return 0;
    for (uint32_t c = 0; c < all && c < QC_PLOT_CURVES; c++)
        for (uint32_t i = first[c]; i < results->n_rows; i++)
            if (same_curve(&p, &results->rows[first[c]], &results->rows[i]) && has_point(r, &results->rows[i]))
                return 0;
    return qc_fail(err, QC_EFORMAT, "no run of %.60s that would be drawn has what --plot shows", e->name);
}

int qc_report_left_out(char *text, size_t room, const QcReport *r, const QcExperiment *e, const QcResults *results,
                       const uint8_t *by)
{
    const Plot p = {r, NULL, e, results, by};
    uint32_t first[QC_PLOT_CURVES], all = r->format < QC_REPORT_CURVES ? 0 : find_curves(&p, first), curve = 0;
    *text = 0;
    if (all <= QC_PLOT_CURVES) return 0;
    char *names = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&names, &length);
    for (uint32_t i = 0; to && i < results->n_rows; i++) {
        if (!begins_curve(&p, i) || curve++ < QC_PLOT_CURVES) continue;
        fputs(curve == QC_PLOT_CURVES + 1 ? "" : "; ", to);
        print_title(&p, to, &results->rows[i], QC_TEXT_PLAIN);
    }
    if (to) fclose(to);
    snprintf(text, room, "%d of %u curves are drawn, without %.*s%s: choose with -g AXIS or --set AXIS=VALUE,VALUE",
             QC_PLOT_CURVES, all, 300, names ? names : "the others", length > 300 ? "..." : "");
    free(names);
    return 1;
}
