#include "importrows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"

enum { COUNT_MAX = 1 << 24, SIDE_MAX = 4096 };

#define AT(member) offsetof(QcImportOptions, member)

const QcImportRow qc_row_label = {
    "label-column", QC_ROW_TEXT, "COLUMN", "name or number of the label, or none (else concluded)", AT(label), NULL, 0};
const QcImportRow qc_row_group = {
    "group-column", QC_ROW_TEXT, "COLUMN", "name or number of the person or group (else by its name)",
    AT(group),      NULL,        0};
const QcImportRow qc_row_recording = {
    "recording-column", QC_ROW_TEXT, "COLUMN", "name or number of the recording (else by its name)",
    AT(recording),      NULL,        0};
const QcImportRow qc_row_time = {
    "time-column", QC_ROW_TEXT, "COLUMN", "name or number of the time, or none (else concluded)", AT(time), NULL, 0};
const QcImportRow qc_row_window_id = {
    "window-column", QC_ROW_TEXT, "COLUMN", "rows that agree in this column are the steps of a window",
    AT(window_id),   NULL,        0};
const QcImportRow qc_row_columns = {
    "columns", QC_ROW_TEXT, "LIST", "the columns with values, by names or numbers (3-8)", AT(columns), NULL, 0};
const QcImportRow qc_row_ignore = {"ignore",   QC_ROW_TEXT, "LIST", "columns to leave out",
                                   AT(ignore), NULL,        0};
const QcImportRow qc_row_header = {
    "header", QC_ROW_WORD, "yes|no", "whether the first row has names (else concluded)", AT(header), "auto no yes", 0};
const QcImportRow qc_row_decimal = {"decimal",   QC_ROW_WORD, ".|,", "the decimal sign",
                                    AT(decimal), ". ,",       0};
const QcImportRow qc_row_channels = {"channels",   QC_ROW_COUNT, "N", "a row holds N channels, one after another",
                                     AT(channels), NULL,         1};
const QcImportRow qc_row_channels_last = {
    "channels-last",   QC_ROW_FLAG, NULL, "values are step after step, not channel after channel",
    AT(channels_last), NULL,        1};
const QcImportRow qc_row_features = {
    "features", QC_ROW_FLAG, NULL, "every value of a row is a channel, with a scale of its own", AT(features), NULL, 1};
const QcImportRow qc_row_image = {"image",          QC_ROW_SIZE, "HxW", "a row is a picture of this size per channel",
                                  AT(image_height), NULL,        0};
const QcImportRow qc_row_unequal = {
    "unequal",   QC_ROW_WORD,           "WHAT", "series of unequal length: refuse, pad or resample",
    AT(unequal), "refuse pad resample", 0};
const QcImportRow qc_row_missing = {
    "missing",   QC_ROW_WORD,        "WHAT", "missing values: refuse, fill or drop the window",
    AT(missing), "refuse fill drop", 1};
const QcImportRow qc_row_length = {"length",   QC_ROW_COUNT, "N", "pad or resample to this length (else the longest)",
                                   AT(length), NULL,         0};
const QcImportRow qc_row_window = {
    "window", QC_ROW_TEXT, "SPAN", "windows of 200 samples or 2s, or the whole recording", AT(window), NULL, 1};
const QcImportRow qc_row_stride = {
    "stride", QC_ROW_TEXT, "SPAN", "from one window's start to the next (else the window)", AT(stride), NULL, 1};
const QcImportRow qc_row_rate = {"rate",   QC_ROW_REAL, "HZ", "samples per second (else what the data says)",
                                 AT(rate), NULL,        0};
const QcImportRow qc_row_label_rule = {"label-rule",
                                       QC_ROW_WORD,
                                       "RULE",
                                       "label of a window: change (ends it), majority, last or pure",
                                       AT(label_rule),
                                       "change majority last pure",
                                       0};
const QcImportRow qc_row_name_pattern = {
    "name-pattern",   QC_ROW_TEXT, "PATTERN", "a folder's files, as '{label}_{group}_{recording}.csv'",
    AT(name_pattern), NULL,        1};
const QcImportRow qc_row_label_names = {
    "label-names", QC_ROW_TEXT, "FILE", "lines NUMBER NAME: the names of numbered classes", AT(label_names), NULL, 0};
const QcImportRow qc_row_skip_bad = {"skip-bad",   QC_ROW_FLAG, NULL, "leave damaged files out, and say how many",
                                     AT(skip_bad), NULL,        0};
const QcImportRow qc_row_size = {"size", QC_ROW_SIZE, "N|HxW", "scale pictures to this size", AT(height), NULL, 0};
const QcImportRow qc_row_resize = {"resize", QC_ROW_WORD, "HOW", "area or bilinear", AT(resize), "area bilinear", 0};
const QcImportRow qc_row_crop = {"crop",   QC_ROW_FLAG, NULL, "take the middle part of the right shape, do not stretch",
                                 AT(crop), NULL,        0};
const QcImportRow qc_row_grey = {
    "grey", QC_ROW_FLAG, NULL, "pictures of one channel (brightness), not of three colours", AT(grey), NULL, 0};
const QcImportRow qc_row_front = {
    "front-end", QC_ROW_TEXT, "WHAT", "logmel or mfcc: logmel:bands=40,frame=25ms,hop=10ms",
    offsetof(QcImportOptions, front_end), NULL, 0};
const QcImportRow qc_row_x = {"x", QC_ROW_TEXT, "NAME", "the array with the windows", AT(values), NULL, 0};
const QcImportRow qc_row_y = {"y",       QC_ROW_TEXT, "NAME", "the array (npy, idx: the file) of labels, or none",
                              AT(label), NULL,        0};

/* --- reading ------------------------------------------------------------------------------------------ */

static int read_count(uint32_t *value, const char *text, const char *name, QcErr *err)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || !n || n > COUNT_MAX)
        return qc_fail(err, QC_EUSAGE, "--%s must be a whole number from 1 to %d, not '%.40s'", name, COUNT_MAX, text);
    *value = (uint32_t)n;
    return 0;
}

static int read_real(double *value, const char *text, const char *name, QcErr *err)
{
    char *end;
    *value = strtod(text, &end);
    if (end != text && !*end && *value > 0 && *value <= 1e9) return 0;
    return qc_fail(err, QC_EUSAGE, "--%s must be a number above 0, not '%.40s'", name, text);
}

static int read_size(uint32_t side[2], const char *text, const char *name, QcErr *err)
{
    char rest;
    int n = sscanf(text, "%5ux%5u%c", &side[0], &side[1], &rest);
    if (n == 1 && strspn(text, "0123456789") == strlen(text)) side[1] = side[0];
    else if (n != 2) side[0] = 0;
    if (side[0] && side[1] && side[0] <= SIDE_MAX && side[1] <= SIDE_MAX) return 0;
    return qc_fail(err, QC_EUSAGE,
                   "--%s is a number of pixels (64) or height x width (48x64), each from 1 to %d, not '%.40s'", name,
                   SIDE_MAX, text);
}

/* "auto", the default of --header, is for the table alone. */
static int read_word(int *value, const QcImportRow *row, const char *text, QcErr *err)
{
    size_t length = strlen(text);
    char list[100] = "";
    int k = 0;
    for (const char *at = row->words; *at; k++) {
        size_t n = strcspn(at, " ");
        if (n == length && !memcmp(at, text, n)) return *value = k, 0;
        int last = !at[n];
        size_t used = strlen(list);
        if (n != 4 || memcmp(at, "auto", 4))
            snprintf(list + used, sizeof list - used, "%s%.*s", !used ? "" : last ? " or " : ", ", (int)n, at);
        at += n + !last;
    }
    return qc_fail(err, QC_EUSAGE, "--%s is %s, not '%.40s'", row->name, list, text);
}

int qc_row_read(QcImportOptions *o, const QcImportRow *row, const char *text, QcErr *err)
{
    void *at = (char *)o + row->offset;
    switch (row->kind) {
    case QC_ROW_FLAG: return *(int *)at = 1, 0;
    case QC_ROW_COUNT: return read_count(at, text, row->name, err);
    case QC_ROW_REAL: return read_real(at, text, row->name, err);
    case QC_ROW_TEXT: return *(const char **)at = text, 0;
    case QC_ROW_WORD: return read_word(at, row, text, err);
    case QC_ROW_SIZE: return read_size(at, text, row->name, err);
    }
    return 0;
}

/* --- what a format takes -------------------------------------------------------------------------------- */

int qc_row_given(const QcImportOptions *o, const QcImportRow *row)
{
    const void *at = (const char *)o + row->offset;
    switch (row->kind) {
    case QC_ROW_FLAG:
    case QC_ROW_WORD: return *(const int *)at != 0;
    case QC_ROW_COUNT:
    case QC_ROW_SIZE: return *(const uint32_t *)at != 0;
    case QC_ROW_REAL: return *(const double *)at > 0;
    case QC_ROW_TEXT: return *(const char *const *)at != NULL;
    }
    return 0;
}

static int takes(const QcImportRow *const *rows, size_t offset)
{
    for (; *rows; rows++)
        if ((*rows)->offset == offset) return 1;
    return 0;
}

int qc_rows_check(const QcImportOptions *o, const char *format, const QcImportRow *const *rows, QcErr *err)
{
    for (const QcImporter *const *i = qc_importers; *i; i++)
        for (const QcImportRow *const *row = (*i)->rows; *row; row++)
            if (qc_row_given(o, *row) && !takes(rows, (*row)->offset))
                return qc_fail(err, QC_EUSAGE, "format %s does not take --%s (qc-import -f %s -h shows what it takes)",
                               format, (*row)->name, format);
    return 0;
}
