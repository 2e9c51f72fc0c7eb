/* Windows of sound become windows of features (device/frontend.h): --front-end logmel:bands=40,frame=25ms,hop=10ms */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../format/frontfile.h"
#include "../format/fronttables.h"
#include "import.h"
#include "jobs.h"
#include "span.h"

enum { BANDS = 40, COEFFICIENTS = 13, TEXT = 100 };

static int read_count(uint32_t *n, const char *name, const char *text, QcErr *err)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value < 1 || value > QC_FRONT_BANDS_MAX)
        return qc_fail(err, QC_EUSAGE, "--front-end: %s must be a whole number from 1 to %d, not '%.40s'", name,
                       QC_FRONT_BANDS_MAX, text);
    *n = (uint32_t)value;
    return 0;
}

static int read_part(QcFrontSetup *s, const char *name, const char *value, QcErr *err)
{
    if (!strcmp(name, "bands")) return read_count(&s->bands, name, value, err);
    if (!strcmp(name, "frame")) return qc_span_read(&s->frame, value, "front-end: frame", s->rate, 0, err);
    if (!strcmp(name, "hop")) return qc_span_read(&s->hop, value, "front-end: hop", s->rate, 0, err);
    if (!strcmp(name, "coefficients") && s->coefficients) return read_count(&s->coefficients, name, value, err);
    return qc_fail(err, QC_EUSAGE, "--front-end has bands, frame and hop, with mfcc coefficients too, but no '%.40s'",
                   name);
}

/* rate: samples per second; frames of 25 ms every 10 ms unless the text says otherwise. */
static int read_setup(QcFrontSetup *s, const char *text, double rate, QcErr *err)
{
    char copy[TEXT], *rest, *part, *colon;
    if (!(rate >= 1) || rate != floor(rate) || rate > UINT32_MAX)
        return qc_fail(err, QC_EUSAGE, "--front-end needs a whole number of samples per second, not %g", rate);
    *s = (QcFrontSetup){(uint32_t)rate, (uint32_t)lround(rate * .025), (uint32_t)lround(rate * .01), BANDS, 0};
    if (strlen(text) >= sizeof copy) return qc_fail(err, QC_EUSAGE, "--front-end '%.40s...' is too long", text);
    strcpy(copy, text);
    colon = strchr(copy, ':');
    if (colon) *colon = 0;
    if (!strcmp(copy, "mfcc")) s->coefficients = COEFFICIENTS;
    else if (strcmp(copy, "logmel"))
        return qc_fail(err, QC_EUSAGE, "--front-end is logmel or mfcc, not '%.40s'", copy);
    for (part = colon ? strtok_r(colon + 1, ",", &rest) : NULL; part; part = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(part, '=');
        if (value) *value++ = 0;
        if (read_part(s, part, value ? value : "", err)) return -1;
    }
    return 0;
}

typedef struct Work {
    const QcFrontEnd *front;
    const QcDataset *d;
    float *out; /* [n][features][frames] */
    uint32_t frames;
} Work;

static int16_t sample_of(float x)
{
    double value = rint((double)x * 32768);
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

/* The device takes samples of 16 bits; after resampling, a few samples may exceed the range. */
static void check_range(const QcDataset *d, const QcImportOptions *o)
{
    uint64_t n = (uint64_t)d->n * d->length, beyond = 0;
    for (uint64_t i = 0; i < n; i++) beyond += fabsf(d->x[i]) > 1;
    if (beyond <= n / 1000) return;
    qc_import_warn(o, "%.1f %% of the samples are beyond -1 to 1 and are clipped: scale the sound files to this range",
                   100 * (double)beyond / (double)n);
}

static int turn_window(void *ctx, uint32_t i, QcErr *err)
{
    const Work *w = ctx;
    uint32_t features = qc_front_features(&w->front->setup), frame = 0;
    const float *x = qc_dataset_window(w->d, i);
    float *out = w->out + (uint64_t)i * features * w->frames, values[QC_FRONT_BANDS_MAX];
    int32_t *memory = malloc(qc_front_words(w->front) * sizeof *memory);
    QcFrontRun run;
    if (!memory) return qc_fail_memory(err, "the front-end");
    qc_front_init(&run, w->front, memory);
    for (uint32_t t = 0; t < w->d->length && frame < w->frames; t++) {
        if (!qc_front_push(&run, sample_of(x[t]), values)) continue;
        for (uint32_t c = 0; c < features; c++) out[(uint64_t)c * w->frames + frame] = values[c];
        frame++;
    }
    free(memory);
    return 0;
}

int qc_import_front(QcDataset *d, double rate, const QcImportOptions *o, QcErr *err)
{
    QcFrontEnd front;
    QcFrontSetup s;
    char text[QC_FRONT_TEXT];
    if (!o->front_end) return 0;
    if (d->channels != 1)
        return qc_fail(err, QC_EUSAGE,
                       "--front-end takes one channel, not %u (of sound files, --mono takes their mean)", d->channels);
    if (read_setup(&s, o->front_end, rate, err) || qc_fronttables_make(&front, &s, &d->arena, err)) return -1;
    if (d->length < s.frame)
        return qc_fail(err, QC_EUSAGE, "a window of %u samples has no frame of %u samples (--front-end)", d->length,
                       s.frame);
    check_range(d, o);
    Work w = {.front = &front, .d = d, .frames = (d->length - s.frame) / s.hop + 1};
    w.out = qc_arena_take(&d->arena, (uint64_t)d->n * qc_front_features(&s) * w.frames, sizeof *w.out, err);
    QcJobs jobs = {.threads = o->jobs, .work = turn_window, .ctx = &w};
    if (!w.out || qc_jobs_run(&jobs, d->n, err)) return -1;
    qc_frontfile_text(text, &s);
    qc_import_note(o, "front-end %s: windows of %u samples become %u frames", text, d->length, w.frames);
    d->x = w.out;
    d->channels = qc_front_features(&s);
    d->length = w.frames;
    d->front = s;
    return 0;
}
