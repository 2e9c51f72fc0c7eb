/* Raw binary samples: numbers of one type without a head, channel after channel, or step after step (--interleaved). A
 * file is a recording. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "gunzip.h"
#include "ndarray.h"
#include "series.h"

enum { CHANNELS_MAX = 4096 };

static const char type_words[] = "none i8 u8 i16 u16 i32 u32 f32 f64";
static const struct {
    char kind;
    uint32_t item;
    double zero, full; /* of sound: the value of silence, and the distance from it to full scale */
} types[] = {{0, 0, 0, 1}, {'i', 1, 0, 0x1p7}, {'u', 1, 0x1p7, 0x1p7}, {'i', 2, 0, 0x1p15}, {'u', 2, 0x1p15, 0x1p15},
             {'i', 4, 0, 0x1p31}, {'u', 4, 0x1p31, 0x1p31}, {'f', 4, 0, 1}, {'f', 8, 0, 1}};

static uint64_t id_of(QcInputView *v)
{
    uint8_t digest[QC_DIGEST_BYTES];
    qc_inputview_digest(v, digest);
    return (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
}

static int take(QcSeriesList *list, QcInputView *view, const char *path, const QcImportOptions *o, QcErr *err)
{
    size_t length = view->length;
    uint32_t channels = o->channels ? o->channels : 1;
    QcNdarray a = {
        .kind = types[o->type].kind, .item = types[o->type].item, .swapped = o->big_endian, .data = view->bytes};
    uint64_t frame = (uint64_t)a.item * channels, steps = length / frame;
    if (!length) return qc_fail(err, QC_EFORMAT, "%.300s is empty", path);
    if (length % frame)
        return qc_fail(err, QC_EFORMAT, "%.300s: %zu bytes are no whole number of steps of %u channels of %u bytes",
                       path, length, channels, a.item);
    if (steps > UINT32_MAX) return qc_fail(err, QC_EFORMAT, "%.300s has too many steps", path);
    if (qc_series_channels(list, channels, path, err)) return -1;
    QcSeries *s = qc_series_add(list, (uint32_t)steps, err);
    if (!s) return -1;
    list->rate = o->rate;
    s->file = path;
    s->id = id_of(view);
    for (uint32_t c = 0; c < channels; c++)
        for (uint64_t t = 0; t < steps; t++) {
            double v = qc_ndarray_real(&a, o->channels_last ? t * channels + c : c * steps + t);
            int there = fabs(v) <= (double)QC_VALUE_MAX;
            if (!there && (o->missing == QC_MISSING_REFUSE || isfinite(v)))
                return qc_fail(
                    err, QC_EFORMAT, "%.300s: step %llu of channel %u is %s", path, (unsigned long long)t + 1, c + 1,
                    isfinite(v) ? "larger than 1e30" : "missing (NaN or infinite; --missing fill or drop allows it)");
            if (o->front_end) v = (v - types[o->type].zero) / types[o->type].full; /* -1 to 1, as in sound files */
            s->x[c * steps + t] = there ? (float)v : NAN;
        }
    return 0;
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    QcInputView view = {0};
    if (!o->type)
        return qc_fail(err, QC_EUSAGE, "raw samples do not say what they are: name their --type (i16, f32, ...)");
    if (o->front_end && !(o->rate > 0 && o->rate == floor(o->rate)))
        return qc_fail(err, QC_EUSAGE, "--front-end needs the --rate of raw samples: a whole number per second");
    if (o->channels > CHANNELS_MAX) return qc_fail(err, QC_EUSAGE, "more than %d channels", CHANNELS_MAX);
    int status = qc_gunzip_view(&view, path, err) || take(list, &view, qc_input_name(path), o, err) ? -1 : 0;
    qc_inputview_close(&view);
    return status;
}

static int recognise(const char *path)
{
    (void)path;
    return 0;
}

static const QcImportRow row_type = {
    "type", QC_ROW_WORD, "TYPE", "i8, u8, i16, u16, i32, u32, f32 or f64", offsetof(QcImportOptions, type), type_words,
    0};
static const QcImportRow row_big = {"big-endian",
                                    QC_ROW_FLAG,
                                    NULL,
                                    "the first byte of a number is its highest",
                                    offsetof(QcImportOptions, big_endian),
                                    NULL,
                                    0};
static const QcImportRow row_interleaved = {"interleaved",
                                            QC_ROW_FLAG,
                                            NULL,
                                            "step after step: the same as --channels-last",
                                            offsetof(QcImportOptions, channels_last),
                                            NULL,
                                            0};
static const QcImportRow *const rows[] = {&row_type,
                                          &row_big,
                                          &row_interleaved,
                                          &qc_row_channels,
                                          &qc_row_channels_last,
                                          &qc_row_unequal,
                                          &qc_row_missing,
                                          &qc_row_length,
                                          &qc_row_front,
                                          QC_ROWS_RECORDINGS,
                                          QC_ROWS_FILES,
                                          NULL};

const QcImporter qc_importer_raw = {
    "raw", "binary samples without a header: --type, --channels", rows, recognise, NULL, gather, 1};
