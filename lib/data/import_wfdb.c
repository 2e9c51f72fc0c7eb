/* PhysioNet's WFDB records: NAME.hea (text: leads, gains), .dat (formats 16 and 212), .atr (annotations in MIT format).
 * An example is the window around a beat; its label is the beat's class by AAMI EC57 (N, S, V, F, Q), or the
 * annotation's own code. The record is the group and the recording. Channels are the leads of the first record, by
 * name. The smallest sample of a format means that the sample is missing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "number.h"
#include "series.h"
#include "span.h"
#include "tree.h"

enum { LEADS_MAX = 64, WINDOW = 256, NAME_ROOM = 64 };

typedef struct Lead {
    char file[NAME_ROOM], name[NAME_ROOM];
    int format;
    double gain, baseline; /* physical value = (sample - baseline) / gain */
} Lead;

typedef struct Record {
    const QcImportOptions *o;
    QcLines lines;
    char name[NAME_ROOM];
    double rate;
    uint32_t n_leads;
    Lead leads[LEADS_MAX];
    uint64_t declared; /* steps that the head promises; 0: not known */
    int16_t *samples; /* [steps][n_leads]; malloc'd */
    uint32_t steps, window, first, channels; /* channels: leads that are taken, from `first` on */
    uint32_t order[LEADS_MAX]; /* [channels] the lead that each channel is */
} Record;

/* --- the head --------------------------------------------------------------------------------------------- */

static int read_real(double *value, QcField field)
{
    const char *at = field.at;
    return qc_number_read_double(value, &at, field.end) ? -1 : 0;
}

static int copy_word(char out[NAME_ROOM], QcField field)
{
    if (field.end - field.at >= NAME_ROOM || field.at == field.end) return -1;
    memcpy(out, field.at, (size_t)(field.end - field.at));
    out[field.end - field.at] = 0;
    return 0;
}

/* "106 2 360 650000" */
static int read_record_line(Record *r, QcField line, QcErr *err)
{
    QcField name, leads, rate = {0}, samples;
    double n;
    if (!qc_field_next(&line, &name, ' ') || !qc_field_next(&line, &leads, ' ') || copy_word(r->name, name) ||
        read_real(&n, leads) || n != floor(n))
        return qc_lines_fail(&r->lines, err, "a record's name and its number of leads are expected");
    if (strchr(r->name, '/'))
        return qc_lines_fail(&r->lines, err, "the record is made of several segments: import them one by one");
    if (!(n >= 1 && n <= LEADS_MAX))
        return qc_lines_fail(&r->lines, err, "%g leads: from 1 to %d are supported", n, LEADS_MAX);
    r->n_leads = (uint32_t)n;
    r->rate = 250; /* WFDB's default */
    if (qc_field_next(&line, &rate, ' ') && (read_real(&r->rate, rate) || !(r->rate > 0)))
        return qc_lines_fail(&r->lines, err, "'%.*s' is no rate", QC_FIELD(rate));
    if (!rate.at || !qc_field_next(&line, &samples, ' ')) return 0;
    if (read_real(&n, samples) || !(n >= 0 && n <= UINT32_MAX))
        return qc_lines_fail(&r->lines, err, "'%.*s' is no number of samples", QC_FIELD(samples));
    r->declared = (uint64_t)n;
    return 0;
}

/* "106.dat 212 200(1024)/mV 11 1024 962 32452 0 MLII" */
static int read_lead_line(Lead *lead, const Record *r, QcField line, QcErr *err)
{
    QcField word = {0}, zero = {0};
    double value;
    *lead = (Lead){.gain = 200};
    if (!qc_field_next(&line, &word, ' ') || copy_word(lead->file, word) || strchr(lead->file, '/'))
        return qc_lines_fail(&r->lines, err, "a lead's file is expected");
    if (!qc_field_next(&line, &word, ' ') || read_real(&value, word))
        return qc_lines_fail(&r->lines, err, "a lead's format is expected");
    lead->format = value == 16 || value == 212 ? (int)value : 0;
    for (const char *at = word.at; at < word.end; at++)
        if (*at < '0' || *at > '9') lead->format = 0; /* several samples a frame, bytes to skip */
    if (!lead->format)
        return qc_lines_fail(&r->lines, err, "format %.*s is not supported (16 and 212 are)", QC_FIELD(word));
    int has_baseline = 0;
    if (qc_field_next(&line, &word, ' ')) {
        if (read_real(&lead->gain, word)) return qc_lines_fail(&r->lines, err, "'%.*s' is no gain", QC_FIELD(word));
        if (lead->gain <= 0) lead->gain = 200;
        const char *open = memchr(word.at, '(', (size_t)(word.end - word.at));
        has_baseline = open && !read_real(&lead->baseline, (QcField){open + 1, word.end});
    }
    if (qc_field_next(&line, &word, ' ') && qc_field_next(&line, &zero, ' ') && !has_baseline &&
        read_real(&lead->baseline, zero))
        lead->baseline = 0;
    for (int k = 0; k < 3; k++) /* first value, checksum, block size */
        if (!qc_field_next(&line, &word, ' ')) return 0;
    if (line.at) copy_word(lead->name, qc_field_trim(line));
    return 0;
}

static int read_head(Record *r, QcErr *err)
{
    QcField line;
    int seen = 0;
    uint32_t leads = 0;
    while (qc_lines_next(&r->lines, &line)) {
        if (line.at == line.end || *line.at == '#') continue;
        if (!seen++) {
            if (read_record_line(r, line, err)) return -1;
        } else if (leads < r->n_leads) {
            if (read_lead_line(&r->leads[leads], r, line, err)) return -1;
            if (leads &&
                (strcmp(r->leads[leads].file, r->leads[0].file) || r->leads[leads].format != r->leads[0].format))
                return qc_lines_fail(&r->lines, err, "leads in several files or formats are not supported");
            leads++;
        }
    }
    if (!seen || leads < r->n_leads)
        return qc_fail(err, QC_EFORMAT, "%.300s is cut off: it has %u of %u leads", r->lines.name, leads, r->n_leads);
    r->channels = r->n_leads;
    if (!r->o->lead) return 0;
    for (r->first = 0; r->first < r->n_leads; r->first++)
        if (!strcmp(r->leads[r->first].name, r->o->lead)) return r->channels = 1, 0;
    return qc_fail(err, QC_EFORMAT, "%.200s has no lead '%.40s'; the first is '%.60s'", r->lines.name, r->o->lead,
                   r->leads[0].name);
}

/* Channel c is the lead that the first record has there. Leads that only this record has take the places that are
 * left. */
static int order_leads(Record *r, QcSeriesList *list, QcErr *err)
{
    uint8_t taken[LEADS_MAX] = {0}, placed[LEADS_MAX] = {0};
    char text[256];
    uint32_t others = 0;
    if (!list->leads && !(list->leads = qc_arena_take(&list->arena, r->channels, sizeof *list->leads, err))) return -1;
    for (uint32_t c = 0; c < r->channels; c++) {
        const char *name = r->leads[r->first + c].name;
        if (!list->leads[c] && !(list->leads[c] = qc_arena_text(&list->arena, name, strlen(name), err))) return -1;
        for (uint32_t k = r->first; k < r->first + r->channels && !placed[c]; k++)
            if (!taken[k] && !strcmp(r->leads[k].name, list->leads[c])) r->order[c] = k, taken[k] = placed[c] = 1;
    }
    for (uint32_t c = 0, k = r->first; c < r->channels; c++) {
        if (placed[c]) continue;
        while (taken[k]) k++;
        r->order[c] = k++;
        others++;
        snprintf(text, sizeof text, "%.60s (%.60s for %.60s)", r->name, r->leads[r->order[c]].name, list->leads[c]);
    }
    if (!others || list->other_leads++) return 0;
    return (list->first_other_leads = qc_arena_text(&list->arena, text, strlen(text), err)) ? 0 : -1;
}

/* --- samples ------------------------------------------------------------------------------------------------ */

/* A file beside the head. */
static int beside(char out[QC_PATH_ROOM], const char *path, const char *name, QcErr *err)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash + 1 - path) : 0;
    if (n + strlen(name) + 1 > QC_PATH_ROOM) return qc_fail(err, QC_EIO, "the path %.200s... is too long", path);
    memcpy(out, path, n);
    strcpy(out + n, name);
    if (qc_is_standard(out)) return qc_fail(err, QC_EIO, "cannot read %.300s: it is no file beside the header", out);
    return qc_need_regular(out, err);
}

/* Two samples of 12 bits in three bytes, or 16 bits, little-endian. */
static int16_t sample(const uint8_t *bytes, uint64_t k, int format)
{
    if (format == 16) return (int16_t)(bytes[2 * k] | bytes[2 * k + 1] << 8);
    const uint8_t *three = bytes + k / 2 * 3;
    int v = k % 2 ? three[2] | (three[1] & 0xf0) << 4 : three[0] | (three[1] & 0x0f) << 8;
    return (int16_t)(v >= 2048 ? v - 4096 : v);
}

static int read_samples(Record *r, const char *path, QcErr *err)
{
    char file[QC_PATH_ROOM];
    uint8_t *bytes = NULL;
    size_t length;
    if (beside(file, path, r->leads[0].file, err) || qc_read_all(file, &bytes, &length, err)) return -1;
    uint64_t n = r->leads[0].format == 16 ? length / 2 : length / 3 * 2 + (length % 3 == 2 ? 1 : 0),
             steps = n / r->n_leads;
    int status = 0;
    if (steps < r->declared)
        status = qc_fail(err, QC_EFORMAT, "%.300s is cut off: it has %llu of %llu samples", file,
                         (unsigned long long)steps, (unsigned long long)r->declared);
    else if (r->declared) steps = r->declared; /* format 212 may end with half a pair */
    if (!status && (!steps || steps > UINT32_MAX))
        status = qc_fail(err, QC_EFORMAT, "%.300s is empty or too long", file);
    if (!status && !(r->samples = malloc(steps * r->n_leads * sizeof *r->samples))) status = qc_fail_memory(err, file);
    for (uint64_t k = 0; !status && k < steps * r->n_leads; k++) r->samples[k] = sample(bytes, k, r->leads[0].format);
    r->steps = (uint32_t)steps;
    free(bytes);
    return status;
}

/* --- beats --------------------------------------------------------------------------------------------------- */

typedef struct Beat {
    char code, aami; /* aami: 0 = no beat */
} Beat;

/* Annotation codes of ecgcodes.h that are beats. */
static const Beat beats[50] = {
    [1] = {'N', 'N'},  [2] = {'L', 'N'},  [3] = {'R', 'N'},  [4] = {'a', 'S'},  [5] = {'V', 'V'},
    [6] = {'F', 'F'},  [7] = {'J', 'S'},  [8] = {'A', 'S'},  [9] = {'S', 'S'},  [10] = {'E', 'V'},
    [11] = {'j', 'N'}, [12] = {'/', 'Q'}, [13] = {'Q', 'Q'}, [25] = {'B', 'N'}, [30] = {'?', 'Q'},
    [34] = {'e', 'N'}, [35] = {'n', 'S'}, [38] = {'f', 'Q'}, [41] = {'r', 'V'}};

static int add_beat(QcSeriesList *list, const Record *r, const Beat *beat, uint64_t time, uint64_t id, const char *file,
                    QcErr *err)
{
    const int16_t none = r->leads[0].format == 16 ? INT16_MIN : -2048;
    const char name[2] = {r->o->all_beats ? beat->code : beat->aami, 0};
    uint32_t label;
    uint64_t from = time - r->window / 2;
    QcSeries *s = qc_series_add(list, r->window, err);
    if (!s || qc_names_add(&list->labels, &list->arena, name, &label, err) ||
        qc_names_add(&list->groups, &list->arena, r->name, &s->group, err) ||
        qc_names_add(&list->recordings, &list->arena, r->name, &s->recording, err))
        return -1;
    s->label = (int32_t)label;
    s->id = id;
    s->file = file;
    for (uint32_t c = 0; c < r->channels; c++) {
        const Lead *lead = &r->leads[r->order[c]];
        for (uint32_t t = 0; t < r->window; t++) {
            int16_t v = r->samples[(from + t) * r->n_leads + r->order[c]];
            if (v == none && r->o->missing == QC_MISSING_REFUSE)
                return qc_fail(err, QC_EFORMAT,
                               "%.200s: sample %llu of lead '%.60s' is missing (--missing fill or drop allows it)",
                               file, (unsigned long long)(from + t), lead->name);
            s->x[(uint64_t)c * r->window + t] = v == none ? NAN : (float)((v - lead->baseline) / lead->gain);
        }
    }
    return 0;
}

/* Words of 16 bits: six of a code, ten of the time since the last annotation. Code 59 is followed by a long time, 63 by
 * text, 60 to 62 change what is of no interest here. */
static int read_beats(QcSeriesList *list, const Record *r, const uint8_t *bytes, size_t length, const char *file,
                      const char *head, uint64_t base, QcErr *err)
{
    uint64_t time = 0, n = 0;
    uint32_t outside = 0;
    size_t at = 0;
    for (;;) {
        if (length - at < 2) return qc_fail(err, QC_EFORMAT, "%.300s is cut off", file);
        uint32_t word = bytes[at] | (uint32_t)bytes[at + 1] << 8, code = word >> 10, value = word & 1023;
        at += 2;
        if (!word) break;
        if (code == 59) {
            if (length - at < 4) return qc_fail(err, QC_EFORMAT, "%.300s is cut off", file);
            int32_t skip = (int32_t)((uint32_t)bytes[at] << 16 | (uint32_t)bytes[at + 1] << 24 | bytes[at + 2] |
                                     (uint32_t)bytes[at + 3] << 8);
            if (skip < 0 && (uint64_t) - (int64_t)skip > time)
                return qc_fail(err, QC_EFORMAT, "%.300s: an annotation lies before the record", file);
            time += (uint64_t)(int64_t)skip;
            at += 4;
            continue;
        }
        if (code >= 60) {
            if (code == 63) at += value + value % 2;
            if (at > length) return qc_fail(err, QC_EFORMAT, "%.300s is cut off", file);
            continue;
        }
        time += value;
        if (code >= 50 || !beats[code].aami) continue;
        int inside = time >= r->window / 2 && time - r->window / 2 + r->window <= r->steps;
        outside += !inside;
        if (inside && add_beat(list, r, &beats[code], time, base + n, head, err)) return -1;
        n++;
    }
    list->outside += outside;
    return n > outside ? 0 : qc_fail(err, QC_EFORMAT, "%.300s has no beats", file);
}

static int gather_record(QcSeriesList *list, Record *r, const char *path, QcErr *err)
{
    char file[QC_PATH_ROOM], name[NAME_ROOM + 8];
    uint8_t *bytes = NULL;
    size_t length;
    uint64_t base = qc_lines_id(&r->lines);
    if (r->o->stride) return qc_fail(err, QC_EUSAGE, "windows lie around beats: --stride does not apply");
    if (read_head(r, err) || read_samples(r, path, err)) return -1;
    if (qc_span_read(&r->window, r->o->window, "window", r->rate, WINDOW, err) ||
        qc_series_channels(list, r->channels, path, err) || order_leads(r, list, err))
        return -1;
    snprintf(name, sizeof name, "%s.atr", r->name);
    if (list->rate > 0 && list->rate != r->rate)
        return qc_fail(err, QC_EFORMAT, "%.300s has %g samples per second, those before %g", path, r->rate,
                       list->rate);
    list->rate = r->rate;
    int status = beside(file, path, name, err) || qc_read_all(file, &bytes, &length, err) ||
                         read_beats(list, r, bytes, length, file, path, base, err)
                     ? -1
                     : 0;
    free(bytes);
    return status;
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    Record r = {.o = o};
    if (qc_is_standard(path))
        return qc_fail(err, QC_EUSAGE, "a WFDB record is several files and does not come from standard input");
    if (qc_lines_open(&r.lines, path, err)) return -1;
    int status = gather_record(list, &r, path, err);
    free(r.samples);
    qc_lines_close(&r.lines);
    return status;
}

static int recognise(const char *path) { return qc_path_ends_in(path, ".hea") && !qc_is_folder(path); }

static const QcImportRow row_window = {"window",
                                       QC_ROW_TEXT,
                                       "SPAN",
                                       "samples around each beat, 200 or 2s (else 256)",
                                       offsetof(QcImportOptions, window),
                                       NULL,
                                       1};
static const QcImportRow row_lead = {
    "lead", QC_ROW_TEXT, "NAME", "take this lead alone (MLII)", offsetof(QcImportOptions, lead), NULL, 0};
static const QcImportRow row_all = {"all-beats",
                                    QC_ROW_FLAG,
                                    NULL,
                                    "classes are the codes of beats, not the five of AAMI",
                                    offsetof(QcImportOptions, all_beats),
                                    NULL,
                                    0};
static const QcImportRow *const rows[] = {&row_window, &row_lead, &row_all, &qc_row_missing, QC_ROWS_FILES, NULL};

const QcImporter qc_importer_wfdb = {
    "wfdb", "PhysioNet: .hea, .dat, .atr; a window around each beat", rows, recognise, NULL, gather, 1};
