/* Sound files through libsndfile. Values are from -1 to 1; --mono takes the mean of the channels, --rate resamples
 * (sincfilter.h). A file is a recording, or, without --window, one series. --front-end makes features
 * (importfront.c).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sndfile.h>

#include "../base/digest.h"
#include "../base/file.h"
#include "../base/plural.h"
#include "inflate.h"
#include "series.h"
#include "sincfilter.h"
#include "tree.h"

enum { CHANNELS_MAX = 64 };

typedef struct Memory {
    const uint8_t *bytes;
    sf_count_t length, at;
} Memory;

static sf_count_t get_length(void *m) { return ((Memory *)m)->length; }
static sf_count_t tell(void *m) { return ((Memory *)m)->at; }

static sf_count_t seek(sf_count_t to, int whence, void *memory)
{
    Memory *m = memory;
    sf_count_t at = whence == SEEK_SET ? to : whence == SEEK_CUR ? m->at + to : m->length + to;
    if (at < 0 || at > m->length) return -1;
    return m->at = at;
}

static sf_count_t take(void *to, sf_count_t n, void *memory)
{
    Memory *m = memory;
    if (n > m->length - m->at) n = m->length - m->at;
    if (n <= 0) return 0;
    memcpy(to, m->bytes + m->at, (size_t)n);
    m->at += n;
    return n;
}

static sf_count_t give(const void *from, sf_count_t n, void *memory)
{
    (void)from, (void)n, (void)memory;
    return 0;
}

/* libsndfile reads a truncated file without an error, so the length is checked here. */
static int check_whole(const uint8_t *b, size_t length, const char *path, QcErr *err)
{
    if (length < 12 || memcmp(b, "RIFF", 4) || memcmp(b + 8, "WAVE", 4)) return 0;
    for (size_t at = 12; length - at >= 8;) {
        uint32_t n = b[at + 4] | (uint32_t)b[at + 5] << 8 | (uint32_t)b[at + 6] << 16 | (uint32_t)b[at + 7] << 24;
        int data = !memcmp(b + at, "data", 4);
        if (n > length - at - 8)
            return data && n == UINT32_MAX ? 0 : qc_fail(err, QC_EFORMAT, "%.300s is cut off", path);
        if (data) return 0;
        at += 8 + (size_t)n + (n & 1);
        if (at > length) break;
    }
    return qc_fail(err, QC_EFORMAT, "%.300s is cut off", path);
}

enum { MOST_FACTOR = 64 /* from the file's rate to the one asked for */ };

/* The channels one after another; with mono their mean. */
static int add_series(QcSeriesList *list, const float *frames, uint32_t n, uint32_t channels, uint32_t rate,
                      uint64_t id, const char *path, const QcImportOptions *o, QcErr *err)
{
    uint32_t kept = o->grey ? 1 : channels, to = o->rate > 0 ? (uint32_t)lround(o->rate) : rate,
             length;
    if (to > MOST_FACTOR * (uint64_t)rate || rate > MOST_FACTOR * (uint64_t)to)
        return qc_fail(err, QC_EFORMAT, "%.300s has %u samples per second: --rate may be %d times as many or as few",
                       path, rate, MOST_FACTOR);
    length = to == rate ? n : qc_sinc_length(n, rate, to);
    if (!length) return qc_fail(err, QC_EFORMAT, "%.300s is too short", path);
    if (list->n && list->rate != to)
        return qc_fail(err, QC_EFORMAT, "%.300s has %u samples per second, those before %g (--rate makes them equal)",
                       path, rate, list->rate);
    if (qc_series_channels(list, kept, path, err)) return -1;
    list->rate = to;
    float *line = malloc((size_t)n * sizeof *line);
    QcSeries *s = line ? qc_series_add(list, length, err) : NULL;
    int status = !line ? qc_fail_memory(err, path) : s ? 0 : -1;
    for (uint32_t c = 0; !status && c < kept; c++) {
        for (uint32_t t = 0; t < n; t++) {
            float sum = 0;
            for (uint32_t k = 0; k < channels; k++) sum += k == c || o->grey ? frames[(size_t)t * channels + k] : 0;
            line[t] = o->grey ? sum / (float)channels : sum;
            if (!isfinite(line[t])) status = qc_fail(err, QC_EFORMAT, "%.300s: frame %u is no number", path, t + 1);
        }
        if (to == rate) memcpy(s->x + (uint64_t)c * length, line, (size_t)n * sizeof *line);
        else if (!status) status = qc_sinc_resample(s->x + (uint64_t)c * length, length, line, n, rate, to, err);
    }
    free(line);
    if (status) return -1;
    s->file = path;
    s->id = id;
    return 0;
}

static int read_sound(QcSeriesList *list, SNDFILE *file, const SF_INFO *about, uint64_t id, size_t bytes,
                      const char *path, const QcImportOptions *o, QcErr *err)
{
    if (about->frames < 1 || about->frames > INT32_MAX || about->channels < 1 || about->channels > CHANNELS_MAX ||
        about->samplerate < 1)
        return qc_fail(err, QC_EFORMAT, "%.300s has no frames, or too many channels", path);
    uint64_t n = (uint64_t)about->frames * (uint64_t)about->channels;
    if (qc_inflate_check(path, bytes, n * sizeof(float), err)) return -1;
    float *frames = malloc(n * sizeof *frames);
    if (!frames) return qc_fail_memory(err, path);
    int status = sf_readf_float(file, frames, about->frames) == about->frames
                     ? 0
                     : qc_fail(err, QC_EFORMAT, "%.300s is damaged or cut off", path);
    if (!status)
        status = add_series(list, frames, (uint32_t)about->frames, (uint32_t)about->channels,
                            (uint32_t)about->samplerate, id, path, o, err);
    free(frames);
    return status;
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    SF_VIRTUAL_IO memory_io = {get_length, seek, take, give, tell};
    uint8_t *bytes = NULL, digest[QC_DIGEST_BYTES];
    size_t length;
    SF_INFO about = {0};
    const char *name = qc_input_name(path);
    if (qc_read_all(path, &bytes, &length, err)) return -1;
    Memory m = {bytes, (sf_count_t)length, 0};
    int status = check_whole(bytes, length, name, err);
    SNDFILE *file = status ? NULL : sf_open_virtual(&memory_io, SFM_READ, &about, &m);
    if (!status && !file)
        status = qc_fail(err, QC_EFORMAT, "%.300s is no sound file that can be read (%.100s)", name, sf_strerror(NULL));
    if (!status) {
        qc_digest(digest, bytes, length);
        uint64_t id = (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
        status = read_sound(list, file, &about, id, length, name, o, err);
        qc_import_note(o, "%d channel%s at %d Hz%s", about.channels, qc_plural((uint64_t)about.channels, "s"),
                       about.samplerate, o->grey && about.channels > 1 ? ", mixed to one" : "");
    }
    if (file) sf_close(file);
    free(bytes);
    return status;
}

static int recognise(const char *path)
{
    return (qc_path_ends_in(path, ".wav") || qc_path_ends_in(path, ".flac") || qc_path_ends_in(path, ".aiff")) &&
           !qc_is_folder(path);
}

static const QcImportRow row_mono = {
    "mono", QC_ROW_FLAG, NULL, "the mean of all channels", offsetof(QcImportOptions, grey), NULL, 0};
static const QcImportRow row_rate = {
    "rate", QC_ROW_REAL, "HZ", "resample to so many samples per second", offsetof(QcImportOptions, rate), NULL, 0};
static const QcImportRow *const rows[] = {&row_mono,      &row_rate,       &qc_row_front,     &qc_row_window,
                                          &qc_row_stride, &qc_row_unequal, &qc_row_length, QC_ROWS_FILES,
                                          NULL};

const QcImporter qc_importer_wav = {
    "wav", "sound files (WAV, FLAC, AIFF): --window or --unequal", rows, recognise, NULL, gather, 1};
