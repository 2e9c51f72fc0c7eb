#include "seriesfill.h"

#include <math.h>
#include <stdio.h>

#include "../base/plural.h"

enum { LONG_PART = 8 }; /* the part of a window, as in qc-run: in a longer run the filled values would depend on the
                         * neighbours only */

/* x[from .. to) between its neighbours; a side without a neighbour takes the other. */
static void fill_run(float *x, uint32_t from, uint32_t to, uint32_t n)
{
    for (uint32_t k = from; k < to; k++) {
        if (!from) x[k] = x[to];
        else if (to == n) x[k] = x[from - 1];
        else x[k] = x[from - 1] + (x[to] - x[from - 1]) * ((float)(k - from + 1) / (float)(to - from + 1));
    }
}

int qc_series_fill(float *x, uint32_t n, uint32_t most, QcFilled *filled)
{
    uint32_t from = 0;
    while (from < n && isnan(x[from])) from++;
    if (from == n) return filled->left += n, 0;
    for (from = 0; from < n;) {
        uint32_t to = from;
        while (to < n && isnan(x[to])) to++;
        uint32_t run = to - from;
        if (run > most) filled->left += run;
        else if (run) {
            fill_run(x, from, to, n);
            filled->values += run;
            if (run > filled->longest) filled->longest = run;
        }
        from = to + 1;
    }
    return 1;
}

void qc_filled_note(const QcFilled *filled, uint64_t all, uint32_t window, const QcImportOptions *o)
{
    if (!filled->values) return;
    double part = 100.0 * (double)filled->values / (double)(all ? all : 1);
    int is_long = (uint64_t)filled->longest * LONG_PART > window, one = filled->values == 1;
    char text[200];
    snprintf(text, sizeof text, "%llu missing value%s (%.2g %%) %s filled in; the longest run has %u step%s",
             (unsigned long long)filled->values, qc_plural(filled->values, "s"), part, one ? "was" : "were",
             filled->longest, qc_plural(filled->longest, "s"));
    if (is_long) qc_import_warn(o, "%s of a window of %u: --missing drop leaves such windows out", text, window);
    else qc_import_note(o, "%s", text);
}
