#include "span.h"

#include <math.h>
#include <string.h>

#include "number.h"

int qc_span_seconds(double *seconds, const char *text)
{
    const char *at = text, *end = text + strlen(text);
    if (end == text || *--end != 's') return -1;
    int milli = end > text && end[-1] == 'm';
    end -= milli;
    if (qc_number_read_double(seconds, &at, end) || at != end) return -1;
    if (milli) *seconds /= 1000;
    return 0;
}

int qc_span_read(uint32_t *samples, const char *text, const char *option, double rate, uint32_t standard, QcErr *err)
{
    *samples = standard;
    if (!text) return 0;
    const char *end = text + strlen(text), *at = text;
    int seconds = end > text && end[-1] == 's', milli = seconds && end - text > 1 && end[-2] == 'm';
    float value;
    end -= seconds + milli;
    if (seconds && rate <= 0)
        return qc_fail(err, QC_EUSAGE,
                       "--%s '%.40s': the data has no rate, so give a number of samples",
                       option, text);
    if (qc_number_read(&value, &at, end) || at != end)
        return qc_fail(err, QC_EUSAGE, "--%s is a number of samples (200) or of seconds (2s, 500ms), not '%.40s'",
                       option, text);
    double n = seconds ? value * rate / (milli ? 1000 : 1) : (double)value;
    if (seconds && fabs(n - rint(n)) < 1e-4 * n) n = rint(n); /* as near as a float says it */
    if (seconds && n >= 1 && n <= 1 << 24 && n != floor(n))
        return qc_fail(err, QC_EUSAGE, "--%s %.40s is %.6g samples at %.6g samples/s: give a number of samples (%.0f)",
                       option, text, n, rate, rint(n));
    if (!(n >= 1 && n <= 1 << 24) || n != floor(n))
        return qc_fail(err, QC_EUSAGE, "--%s must come to a whole number of samples from 1 to %d, not '%.40s'", option,
                       1 << 24, text);
    *samples = (uint32_t)lround(n);
    return 0;
}
