/* qc-report: the results of an experiment, or a table of runs, in; a table (TSV, Markdown, LaTeX, JSON) or a picture's
 * gnuplot script out. A log of qc-run in; SVG or a page out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../lib/base/file.h"
#include "../lib/base/reread.h"
#include "../lib/cli/cli.h"
#include "../lib/lab/livepicture.h"
#include "../lib/lab/reportinput.h"
#include "../lib/lab/reportplot.h"
#include "../lib/lab/runaxes.h"

static const char *dir = "runs", *output = "-", *format = "tsv", *figures = "accuracy,cost", *plot;
static int html;
static QcList settings, groups, tables;

static const QcOption options[] = {
    {'d', "data", QC_OPTION_TEXT, &dir, "DIR", "folder of the results: what qc-sweep's -o names", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the table or script here", 0, 0},
    {0, "set", QC_OPTION_LIST, &settings, "NAME=VALUE", "as for qc-sweep, or runs with this; repeatable", 0, 0},
    {'g', "group", QC_OPTION_LIST, &groups, "AXIS", "a row per value of this axis; repeatable", 0, 0},
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "tsv, md, latex, json, or runs: a row per run", 0, 0},
    {0, "runs", QC_OPTION_LIST, &tables, "FILE", "take runs that DIR lacks from this table; repeatable", 0, 0},
    {0, "figures", QC_OPTION_TEXT, &figures, "A,B", "columns: accuracy, cost, transfer, or names", 0, 0},
    {0, "plot", QC_OPTION_TEXT, &plot, "WHAT", "a gnuplot script of batches, of two figures X,Y, or AXIS,Y", 0, 0},
    {0, "html", QC_OPTION_FLAG, &html, NULL, "with a log of qc-run: a page with tables, not SVG alone", 0, 0},
    {0},
};

static const QcProgram program = {"qc-report", "turn the results of an experiment into tables and pictures",
                                  "[options] [EXPERIMENT | RUNS | LOG]", options, 1};

static int choose_axes(uint8_t *by, const QcExperiment *e, QcErr *err)
{
    for (uint32_t a = 0; a < e->n_axes; a++) by[a] = !groups.n && strcmp(e->axes[a].name, "seed") != 0;
    for (int i = 0; i < groups.n; i++) {
        uint32_t a = 0;
        while (a < e->n_axes && strcmp(e->axes[a].name, groups.items[i])) a++;
        if (a == e->n_axes) return qc_fail(err, QC_EUSAGE, "the experiment has no axis '%.60s'", groups.items[i]);
        by[a] = 1;
    }
    return 0;
}

static int print(const QcReport *r, const QcExperiment *e, const QcResults *results, const uint8_t *by, QcErr *err)
{
    QcOutput out;
    char words[700];
    if (results->missing)
        qc_warn("%u of %u runs are not done yet", results->missing, results->missing + results->n_runs);
    if (qc_report_left_out(words, sizeof words, r, e, results, by)) qc_warn("%s", words);
    if (!results->n_runs) return qc_fail(err, QC_EFAIL, "no run of %s is done in %s: see qc-sweep", e->name, dir);
    if (qc_report_can_draw(r, e, results, by, err) || qc_output_open(&out, output, 0, err)) return -1;
    qc_report_print(r, out.stream, e, results, by);
    return qc_output_commit(&out, err);
}

static int report(const QcExperiment *e, const QcRunTable *known, QcErr *err)
{
    uint8_t by[QC_EXPERIMENT_AXES];
    QcResults results;
    QcReport r;
    if (choose_axes(by, e, err) ||
        (plot ? qc_report_picture(&r, plot, e, by, err) : qc_report_table(&r, format, figures, err)))
        return -1;
    if (qc_results_load(&results, e, by, known, err)) return -1;
    int status = print(&r, e, &results, by, err);
    qc_results_release(&results);
    return status;
}

/* What it reads is not what it writes. */
static int check_output(const QcExperiment *e, QcErr *err)
{
    for (uint32_t j = 0; j < e->n_jobs; j++)
        if (qc_output_refuse_overwrite(output, &e->jobs[j].out, 1, err)) return -1;
    return 0;
}

/* Each form of output has its own options. */
static int check_form(int is_table, QcErr *err)
{
    int prints_runs = !plot && !strcmp(format, "runs");
    return (plot && qc_cli_refuse("format figures", "with --plot", err)) ||
                   (prints_runs && qc_cli_refuse("group figures", "on -f runs: all figures of every run", err)) ||
                   (is_table && qc_cli_refuse("data", "without an experiment", err))
               ? -1
               : 0;
}

/* input: NULL if the tables are all there is. */
static int load(QcExperiment *e, QcRunTable *known, const char *input, QcErr *err)
{
    int is_table = input && qc_report_input(input) == QC_INPUT_RUNS;
    if (check_form(!input || is_table, err)) return -1;
    if (is_table && qc_runtable_load(known, &input, 1, err)) return -1;
    if (qc_runtable_load(known, tables.items, tables.n, err)) return -1;
    if (!input || is_table) return qc_experiment_of_runs(e, known, settings.items, settings.n, err);
    return qc_experiment_load(e, input, dir, settings.items, settings.n, err) || check_output(e, err) ? -1 : 0;
}

static int draw_session(const char *input, QcErr *err)
{
    QcLiveTrace t;
    QcOutput out;
    if (qc_cli_refuse("set group runs plot format figures data", "on a log of qc-run", err)) return -1;
    if (qc_livetrace_load(&t, input, err)) return -1;
    if (t.n_cut) qc_warn("%u line%s cut off where a process ended", t.n_cut, t.n_cut == 1 ? " is" : "s are");
    int status = qc_output_open(&out, output, 0, err);
    if (!status) {
        if (html) status = qc_livepicture_html(out.stream, &t, err);
        else qc_livepicture_svg(out.stream, &t);
        if (status) qc_output_release(&out);
        else status = qc_output_commit(&out, err);
    }
    qc_livetrace_release(&t);
    return status;
}

int main(int argc, char **argv)
{
    QcErr err;
    QcExperiment e = {0};
    QcRunTable known = {0};
    const char *input = qc_cli_parse(&program, argc, argv) ? argv[1] : NULL;
    if (!input && !tables.n)
        return qc_cli_end(&err, qc_fail(&err, QC_EUSAGE, "an experiment is needed (a YAML file), or a table of runs"));
    if (qc_output_refuse_overwrite(output, &input, 1, &err) || (input && !(input = qc_reread_open(input, &err))))
        return qc_cli_end(&err, -1);
    if (input && qc_report_input(input) == QC_INPUT_LIVE) return qc_cli_end(&err, draw_session(input, &err));
    if (html) return qc_cli_end(&err, qc_fail(&err, QC_EUSAGE, "--html draws a log of qc-run"));
    int status = qc_output_refuse_overwrite(output, tables.items, tables.n, &err) || load(&e, &known, input, &err) ||
                 report(&e, &known, &err);
    qc_experiment_release(&e);
    qc_runtable_release(&known);
    return qc_cli_end(&err, status);
}
