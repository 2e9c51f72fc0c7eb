#include "number.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { EXACT_POWER = 22, DIGITS_MAX = 19 /* fit 64 bits */, TOKEN_MAX = 512 };

static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static locale_t plain_locale;
static void make_plain_locale(void) { plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

static int is_digit(char c) { return c >= '0' && c <= '9'; }

typedef struct Decimal {
    int negative;
    int64_t digits; /* up to DIGITS_MAX the mantissa holds all of them */
    uint64_t mantissa;
    int64_t power;
} Decimal;

static const char *read_digits(Decimal *d, const char *at, const char *end)
{
    const char *from = at;
    uint64_t mantissa = d->mantissa;
    for (; at < end; at++) {
        unsigned digit = (unsigned)*at - '0';
        if (digit > 9) break;
        mantissa = mantissa * 10 + digit; /* of too many digits it is not used */
    }
    d->mantissa = mantissa;
    d->digits += at - from;
    return at;
}

static const char *read_exponent(Decimal *d, const char *at, const char *end)
{
    const char *sign = at + 1, *digit = sign;
    if (digit < end && (*digit == '-' || *digit == '+')) digit++;
    if (digit == end || !is_digit(*digit)) return at;
    int exponent = 0;
    for (; digit < end && is_digit(*digit); digit++)
        if (exponent < 100000) exponent = exponent * 10 + (*digit - '0');
    d->power += *sign == '-' ? -exponent : exponent;
    return digit;
}

/* The place after the number, or NULL if there is none. */
static const char *read_decimal(Decimal *d, const char *at, const char *end)
{
    *d = (Decimal){0};
    if (at < end && (*at == '-' || *at == '+')) d->negative = *at++ == '-';
    at = read_digits(d, at, end);
    if (at < end && *at == '.') {
        int64_t whole = d->digits;
        at = read_digits(d, at + 1, end);
        d->power = whole - d->digits;
    }
    if (!d->digits) return NULL;
    return at < end && (*at == 'e' || *at == 'E') ? read_exponent(d, at, end) : at;
}

/* Long numbers are read by a slower function, which rounds correctly for any length. */
static double read_slowly(const char *text, size_t length)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain_locale);
    char token[TOKEN_MAX];
    if (length >= sizeof token || !plain_locale) return NAN;
    memcpy(token, text, length);
    token[length] = 0;
    return strtod_l(token, NULL, plain_locale);
}

int qc_number_is_missing(const char *at, const char *end)
{
    static const char *const words[] = {"nan",  "inf", "infinity", "na",   "n/a", "null",
                                        "none", "?",   "#n/a",     "<na>", NULL};
    if (at == end) return 1;
    if (at < end && (*at == '-' || *at == '+')) at++;
    size_t n = (size_t)(end - at);
    for (int k = 0; words[k]; k++)
        if (strlen(words[k]) == n && !strncasecmp(at, words[k], n)) return 1;
    return 0;
}

static const char *what_else(const char *at, const char *end)
{
    return qc_number_is_missing(at, end) ? "is missing" : "is not a number";
}

const char *qc_number_read_double(double *value, const char **at, const char *end)
{
    Decimal d;
    const char *behind = read_decimal(&d, *at, end);
    if (!behind) return what_else(*at, end);
    double v = (double)d.mantissa;
    int exact = d.digits <= DIGITS_MAX && d.mantissa <= (uint64_t)1 << 53; /* as a double has it */
    if (!exact || d.power < -EXACT_POWER || d.power > EXACT_POWER) {
        v = read_slowly(*at, (size_t)(behind - *at));
    } else {
        v = d.power < 0 ? v / powers[-d.power] : v * powers[d.power]; /* both exact, so the result is rounded once */
        if (d.negative) v = -v;
    }
    if (isnan(v)) return "is not a number";
    /* the largest float, printed, may be a little above itself */
    if (!(fabs(v) < 1e38) || fabsf((float)v) > QC_VALUE_MAX) return "is out of range";
    *value = v;
    *at = behind;
    return NULL;
}

const char *qc_number_read(float *value, const char **at, const char *end)
{
    double v;
    const char *wrong = qc_number_read_double(&v, at, end);
    if (!wrong) *value = (float)v;
    return wrong;
}
