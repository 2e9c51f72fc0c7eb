/* framereader.h - frames of a stream that has no end known: text (CSV) or raw numbers come in pieces of any size,
 * frames go out.
 *
 * Text: a line per frame; cells separated by tab, semicolon, comma or blanks; a header or none; empty lines, lines that
 * start with # and lines above the header with fewer cells than the model has channels are skipped. A row that cannot
 * be read, a gap in time or too many missing values break the stream: windows start anew after it. Errors are: a header
 * or options that do not fit the model, a date such as 3/2/2026 whose order is not known, and a line that does not end.
 *
 * A model of sound takes samples, as raw numbers of 16 bits: frames of its front-end's features go out, with the time
 * of their last sample.
 */
#ifndef QC_LIVE_FRAMEREADER_H
#define QC_LIVE_FRAMEREADER_H

#include "../data/lines.h"
#include "../device/frontend.h"
#include "../format/modelfile.h"
#include "frameclock.h"

typedef enum QcRawFrames { QC_RAW_TEXT, QC_RAW_F32, QC_RAW_I16 } QcRawFrames;

typedef struct QcFrameOptions {
    QcRawFrames raw; /* numbers: little-endian, all channels of a frame side by side */
    const char *columns; /* of the channels, in the model's order: names, numbers from 1, 3-8, separated by commas;
                            NULL: all that are nothing else */
    const char *time_column, *label_column; /* name or number, or "none"; NULL: by the header's names */
    double rate; /* frames per second, if they have no times; 0: not known */
    int decimal_comma; /* numbers of text are 1,5: a comma separates no cells */
} QcFrameOptions;

typedef enum QcFrameKind {
    QC_FRAME_NONE, /* more bytes are needed */
    QC_FRAME_NEXT, /* x, label, time, stamp */
    QC_FRAME_BREAK /* windows start anew; a frame may follow. words: why; empty: the break before goes on */
} QcFrameKind;

enum { QC_FRAME_LINE = 1 << 20, QC_FRAME_STAMP = 40, QC_FRAME_WORDS = 240, QC_FRAME_UNKNOWN = 8, QC_FRAME_NAME = 64 };

typedef struct QcFrameReader {
    QcFrameOptions o;
    QcModelFile *m;
    QcArena arena;
    uint8_t *bytes; /* [QC_FRAME_LINE] of which at..n are unread */
    size_t n, at;
    uint64_t line; /* of the text, or frame of raw numbers, from 1 */
    int has_columns, has_ended;
    char separator;
    uint32_t columns, time, label; /* in a row; UINT32_MAX: there is none */
    uint32_t *channel; /* [columns] channel of a column; UINT32_MAX: none */
    char **name; /* [channels] for messages */
    /* the latest frame */
    float *x, *row; /* [channels]; row: as it was read, NaN if a value is missing */
    int32_t class_index; /* -1: no label */
    int takes_classes; /* 1: labels of new names take spare rows of the model */
    double seconds; /* NaN: not known */
    char stamp[QC_FRAME_STAMP]; /* as it was given; empty: none */
    char words[QC_FRAME_WORDS];
    char note[QC_FRAME_WORDS]; /* something to be said once; empty: nothing. The caller clears it */
    uint64_t filled; /* values that were missing and took the value before them */
    uint64_t breaks;
    int is_broken, has_values, is_pending; /* is_pending: a frame that was read follows its break */
    uint32_t *absent; /* [channels] frames in a row without a value */
    uint32_t fill_most; /* of these */
    char unknown[QC_FRAME_UNKNOWN][QC_FRAME_NAME]; /* [n_unknown] names in the label column that are no class */
    uint32_t n_unknown;
    int is_unsure; /* 1: the latest stamp gave QC_STEP_UNSURE */
    uint32_t above; /* lines above the header */
    QcErr first_above; /* why the first of them is no header: the error if no header follows */
    QcFrameClock clock;
    QcFrontEnd front_end;
    QcFrontRun front; /* front.front NULL: the model has no front-end */
} QcFrameReader;

/* m is borrowed. Text has its columns checked at its first line. QC_EUSAGE: the options do not fit the model's
 * front-end. */
int qc_framereader_open(QcFrameReader *r, QcModelFile *m, const QcFrameOptions *o, QcErr *err);

/* Where to put bytes that arrived, and how many fit (>= 1); then how many came. 0: the stream has ended, and a last
 * line without an end counts. */
uint8_t *qc_framereader_room(QcFrameReader *r, size_t *room);
void qc_framereader_add(QcFrameReader *r, size_t n);

/* 0 and *kind, or -1: the stream does not fit the model or the options. */
int qc_framereader_next(QcFrameReader *r, QcFrameKind *kind, QcErr *err);

void qc_framereader_close(QcFrameReader *r);

#endif
