/* qc-run - a quantized model on windows or on a live stream of frames: a line per window, and, with labels, learning.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/file.h"
#include "../lib/cli/cli.h"
#include "../lib/cli/deviceoptions.h"
#include "../lib/cli/livelog.h"

static const char *data, *raw, *columns, *time_column, *label_column, *coreset, *state, *labels, *decimal = ".";
static int64_t stride, top = 1, every = 32, ask;
static double rate;
static int json, undo, status_line;

static const QcOption rare[] = {
    {0, "decimal", QC_OPTION_TEXT, &decimal, "SIGN", "the sign before the fraction of a number: . or ,", 0, 0},
    {0, "ask", QC_OPTION_INT, &ask, "N", "request labels of at most N of 64 windows; 0: none", 0, 64},
    QC_OPTION_TUNE,
    {0},
};

static const QcOption options[] = {
    {'d', "data", QC_OPTION_TEXT, &data, "FILE", "predict the windows of a data file, not of standard input", 0, 0},
    {0, "stride", QC_OPTION_INT, &stride, "N", "frames between windows; 0 = their length", 0, 1000000000},
    {0, "columns", QC_OPTION_TEXT, &columns, "LIST", "columns of the channels, by names or numbers (3-8)", 0, 0},
    {0, "time-column", QC_OPTION_TEXT, &time_column, "COLUMN", "column of times, or none (else by its name)", 0, 0},
    {0, "label-column", QC_OPTION_TEXT, &label_column, "COLUMN", "column of labels, or none (else by its name)", 0, 0},
    {0, "raw", QC_OPTION_TEXT, &raw, "TYPE", "frames are binary numbers, interleaved: f32 or i16", 0, 0},
    {0, "rate", QC_OPTION_REAL, &rate, "HZ", "frames per second, where they have no times", 0, 1e9},
    {0, "top", QC_OPTION_INT, &top, "K", "print the K most probable classes", 1, 1000},
    {'c', "coreset", QC_OPTION_TEXT, &coreset, "FILE", "coreset of the learner (with --state)", 0, 0},
    {0, "state", QC_OPTION_TEXT, &state, "FILE", "learn from labels; keep the learner's state here", 0, 0},
    {0, "labels", QC_OPTION_TEXT, &labels, "FIFO", "labels by window number or time span: '17 walking'", 0, 0},
    {0, "every", QC_OPTION_INT, &every, "N", "adapt after N labels", 1, QC_LIVE_RING},
    {0, "undo", QC_OPTION_FLAG, &undo, NULL, "go back to before the latest adapt, and end", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object per window and per adapt", 0, 0},
    {0, "status", QC_OPTION_FLAG, &status_line, NULL, "one line on the terminal that is kept up to date", 0, 0},
    QC_OPTIONS_MORE(rare, QC_OPTIONS_RARE),
    {0},
};

static const QcProgram program = {"qc-run", "run a quantized model on a live stream, and let it learn",
                                  "[options] MODEL < FRAMES", options, 1};

static int check(const char *model, QcErr *err)
{
    if (qc_is_standard(model)) return qc_fail(err, QC_EUSAGE, "name the model's file: standard input has the frames");
    if (qc_is_standard(data) && data) return qc_fail(err, QC_EUSAGE, "-d needs a file");
    if (!coreset != !state) return qc_fail(err, QC_EUSAGE, "a learner needs both a coreset (-c) and a --state");
    if (state && qc_is_standard(state)) return qc_fail(err, QC_EUSAGE, "--state needs a file");
    if ((labels || undo || ask || qc_deviceoptions_list.n) && !state)
        return qc_fail(err, QC_EUSAGE, "--labels, --ask, --undo and --tune go with --state");
    if (!state && qc_cli_refuse("every", "without --state", err)) return -1;
    if (coreset && qc_is_standard(coreset) && !data && !undo)
        return qc_fail(err, QC_EUSAGE, "-c needs a file: standard input has the frames");
    if (labels && qc_is_standard(labels))
        return qc_fail(err, QC_EUSAGE, "--labels needs a file or a FIFO: standard input has the frames");
    if (data && (stride || columns || time_column || label_column || raw || rate > 0 || labels))
        return qc_fail(err, QC_EUSAGE, "-d has windows already: options of frames and --labels do not go with it");
    if (strcmp(decimal, ".") && strcmp(decimal, ","))
        return qc_fail(err, QC_EUSAGE, "--decimal '%.20s': the sign before a fraction is . or ,", decimal);
    if (*decimal == ',' && (data || raw))
        return qc_fail(err, QC_EUSAGE, "--decimal is of frames as text: it does not go with -d and --raw");
    if (raw && (columns || time_column || label_column)) return qc_fail(err, QC_EUSAGE, "raw numbers have no columns");
    if (raw && strcmp(raw, "f32") && strcmp(raw, "i16"))
        return qc_fail(err, QC_EUSAGE, "--raw '%.20s': raw numbers are f32 or i16; convert others first", raw);
    if (labels && access(labels, R_OK)) return qc_fail(err, QC_EIO, "%s cannot be read: %s", labels, strerror(errno));
    if (status_line && (!isatty(STDERR_FILENO) || isatty(STDOUT_FILENO)))
        return qc_fail(err, QC_EUSAGE, "--status needs a terminal on standard error, and another standard output");
    if (undo && access(state, F_OK)) return qc_fail(err, QC_EUSAGE, "%s: there is no state to undo", state);
    const char *const inputs[] = {model, data, coreset, labels};
    return qc_output_refuse_overwrite(state, inputs, 4, err);
}

static int run(QcLive *live, QcErr *err)
{
    QcFrameOptions frames = {.raw = !raw          ? QC_RAW_TEXT
                                    : *raw == 'f' ? QC_RAW_F32
                                                  : QC_RAW_I16,
                             .columns = columns,
                             .time_column = time_column,
                             .label_column = label_column,
                             .rate = rate,
                             .decimal_comma = *decimal == ','};
    if (qc_live_open(live, err)) return -1;
    if (undo) {
        uint64_t n;
        if (qc_live_undo(live, &n, err)) return -1;
        qc_note("qc-run: %s: back to before the latest adapt; %" PRIu64 " label%s forgotten", state, n,
                n == 1 ? " is" : "s are");
        return 0;
    }
    return data ? qc_live_data(live, data, err)
                : qc_live_frames(live, STDIN_FILENO, &frames, (uint32_t)stride, labels, err);
}

int main(int argc, char **argv)
{
    QcErr err = {0};
    QcLiveLog log;
    QcLiveStatus line = {0};
    QcLive live = {0};
    qc_cli_parse(&program, argc, argv);
    log = (QcLiveLog){.json = json, .top = (uint32_t)top, .status = status_line ? &line : NULL};
    live = (QcLive){.path = argv[1],
                    .every = (uint32_t)every,
                    .ask = (uint32_t)ask,
                    .report = qc_livelog_report,
                    .ctx = &log};
    live.o = (QcLiveOptions){coreset, state, qc_deviceoptions_list.items, qc_deviceoptions_list.n, 1};
    int status = qc_deviceoptions_check(&err) || check(argv[1], &err) || run(&live, &err);
    if (!status && !undo) qc_livelog_end(&log, &live);
    if (!status && log.error)
        status = qc_fail(&err, QC_EIO, "cannot write standard output: %s", strerror(log.error));
    qc_progress_end();
    qc_live_close(&live);
    return qc_cli_end(&err, status ? -1 : 0);
}
