/* frameclock.h - the times of frames that arrive: stamps to seconds, and gaps between frames.
 *
 * A stamp is a date, or a number in seconds, milliseconds, microseconds or nanoseconds. A date such as 3/2/2026 needs
 * an earlier date that shows whether the day comes first. The unit comes from the column's name (t_ms), for times since
 * 1970 from the number's size. The usual step is the median of the first QC_CLOCK_STEPS steps above 0, and after as
 * many gaps in a row their median; until it is known there is no gap. A step back by less than half of it is jitter.
 *
 * A clock without a date (23:59:59.98) starts again at midnight, a clock without hours (59:58.5) at the full hour: a
 * step back by more than half of that period leads into the next period.
 */
#ifndef QC_LIVE_FRAMECLOCK_H
#define QC_LIVE_FRAMECLOCK_H

#include "../data/lines.h"

enum { QC_CLOCK_STEPS = 8 };
#define QC_CLOCK_GAP 2.5 /* usual steps from one frame to the next: two frames or more are missing */
#define QC_CLOCK_BACK 60 /* seconds by which a clock may step back over midnight */
#define QC_CLOCK_DAY 86400.0 /* seconds */
#define QC_CLOCK_DATE 1e8 /* seconds: from here on a time is a date */

typedef struct QcFrameClock {
    double unit; /* seconds; 0: by the numbers */
    double now; /* seconds, of the latest frame; NaN: none has a time */
    double period; /* seconds after which the latest stamp's clock starts again; 0: never (a date, a number) */
    double zero; /* seconds, where the current period of the clock begins */
    double step; /* the usual one, seconds; 0: not known yet */
    double first[QC_CLOCK_STEPS]; /* steps before the usual step is known; then gaps in a row */
    uint32_t n; /* of these */
    int order; /* of dates such as 3/2/2026: 1 day first, 2 month first, 0 not known yet */
} QcFrameClock;

/* name: of the column; empty: it has none. */
void qc_frameclock_init(QcFrameClock *c, QcField name);

/* What a stamp says of the frame before it. */
typedef enum QcFrameStep {
    QC_STEP_USUAL,
    QC_STEP_GAP,
    QC_STEP_SLOWER, /* a gap, after which the usual step is another */
    QC_STEP_BACK,
    QC_STEP_BAD,   /* the stamp is not a time */
    QC_STEP_UNSURE /* the stamp is a date such as 3/2/2026, and `order` is not known */
} QcFrameStep;

/* *seconds: from the frame before, if there is one. */
QcFrameStep qc_frameclock_take(QcFrameClock *c, QcField stamp, double *seconds);

#endif
