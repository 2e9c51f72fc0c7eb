/* What qc-report reads. The first byte says what the rest is: 'l' a log of qc-run, which is drawn; else a table of
 * runs, which is printed in every format and drawn in every way. What is written is text in UTF-8, and JSON is read
 * again. */
#include "fuzz.h"

#include "../../lib/base/text.h"
#include "../../lib/format/yaml.h"
#include "../../lib/lab/livepicture.h"
#include "../../lib/lab/reportplot.h"
#include "../../lib/lab/runaxes.h"

enum { MOST_COMBINATIONS = 4096 };

/* The text that was written so far; the caller frees it. */
static char *written(FILE *to, char **text)
{
    fuzz_demand(!fclose(to), "no memory for a text");
    fuzz_demand(qc_text_is_utf8(*text, strlen(*text)), "a text that is no UTF-8");
    return *text;
}

static void draw_session(const char *path)
{
    QcErr err = {0};
    QcLiveTrace t;
    char *text = NULL;
    size_t length = 0;
    if (qc_livetrace_load(&t, path, &err)) {
        fuzz_refused(&err);
        return;
    }
    FILE *to = open_memstream(&text, &length);
    qc_livepicture_svg(to, &t);
    fuzz_demand(!qc_livepicture_html(to, &t, &err), err.text);
    free(written(to, &text));
    qc_livetrace_release(&t);
}

static void read_json(const char *text)
{
    QcErr err = {0};
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        QcYamlDocument d = {0};
        fuzz_demand(!qc_yaml_parse(&d, text, (size_t)(end - text), "a row", 1, &err), err.text);
        qc_yaml_release(&d);
    }
}

static void print(const QcReport *r, const QcExperiment *e, const QcRunTable *table, const uint8_t *by)
{
    QcErr err = {0};
    QcResults results;
    char *text = NULL, words[700];
    size_t length = 0;
    if (qc_results_load(&results, e, by, table, &err)) {
        fuzz_refused(&err);
        return;
    }
    qc_report_left_out(words, sizeof words, r, e, &results, by);
    if (qc_report_can_draw(r, e, &results, by, &err)) fuzz_refused(&err);
    else {
        FILE *to = open_memstream(&text, &length);
        qc_report_print(r, to, e, &results, by);
        written(to, &text);
        if (r->format == QC_REPORT_JSON) read_json(text);
        free(text);
    }
    qc_results_release(&results);
}

static void report(const QcExperiment *e, const QcRunTable *table)
{
    static const char *const formats[] = {"tsv", "md", "latex", "json", "runs"};
    char over_axis[256] = "ms,target_mean";
    const char *const plots[] = {"batches", "ms,target_mean", over_axis};
    uint8_t by[QC_EXPERIMENT_AXES] = {0};
    QcErr err = {0};
    QcReport r;
    if (e->n_axes) snprintf(over_axis, sizeof over_axis, "%s,source_last", e->axes[e->n_axes - 1].name);
    for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
        for (uint32_t a = 0; a < e->n_axes; a++) by[a] = k != 1;
        fuzz_demand(!qc_report_table(&r, formats[k], "accuracy,cost,transfer", &err), err.text);
        print(&r, e, table, by);
    }
    for (size_t k = 0; k < sizeof plots / sizeof *plots; k++)
        if (qc_report_picture(&r, plots[k], e, by, &err)) fuzz_refused(&err);
        else print(&r, e, table, by);
}

static void report_runs(const char *path)
{
    QcErr err = {0};
    QcRunTable table = {0};
    QcExperiment e = {0};
    if (qc_runtable_load(&table, &path, 1, &err) || qc_experiment_of_runs(&e, &table, NULL, 0, &err))
        fuzz_refused(&err);
    else if (e.n_combinations <= MOST_COMBINATIONS) report(&e, &table);
    qc_experiment_release(&e);
    qc_runtable_release(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    if (!length) return 0;
    qc_max_bytes = 1 << 22;
    int file = fuzz_open(path, bytes + 1, length - 1);
    (bytes[0] == 'l' ? draw_session : report_runs)(path);
    close(file);
    return 0;
}
