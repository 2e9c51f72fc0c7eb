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

static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

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

/* Reads eight letters at once: *n = how many digits they begin with. Returns the number of these digits. */
static inline uint64_t read_eight(const char *at, unsigned *n)
{
    uint64_t letters;
    memcpy(&letters, at, sizeof letters);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    letters = __builtin_bswap64(letters);
#endif
    uint64_t digits = letters ^ 0x3030303030303030; /* digits become 0 to 9, other letters more than 9 */
    uint64_t others = (((digits & 0x7f7f7f7f7f7f7f7f) + 0x7676767676767676) | digits) & 0x8080808080808080;
    *n = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    if (!*n) return 0;
    digits <<= 64 - 8 * *n; /* letters after the digits go, zeros come before the digits */
    digits = digits * 10 + (digits >> 8); /* numbers of two digits in every other byte */
    return ((digits & 0x000000ff000000ff) * 0x000f424000000064 +
            (digits >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

/* Fast path for most numbers of tables: up to seven digits, a point, up to seven digits, no exponent. 0: the text has
 * another form. */
static inline int read_short(double *value, const char **at, const char *end)
{
    enum { DIGITS = 7 };
    const char *p = *at;
    if (end - p < 2 * DIGITS + 3) return 0;
    int negative = *p == '-';
    p += negative;
    const char *from = p;
    uint64_t whole = 0;
    for (unsigned digit; (digit = (unsigned)*p - '0') <= 9; p++) {
        if (p - from == DIGITS) return 0;
        whole = whole * 10 + digit;
    }
    if (p == from || *p != '.') return 0;
    unsigned n;
    uint64_t part = read_eight(++p, &n);
    if (n > DIGITS || (p[n] | 32) == 'e') return 0;
    double v = (double)(whole * tens[n] + part) / powers[n]; /* both exact, so it is rounded once */
    uint64_t bits; /* the sign is set without a branch, since the signs of sensor values are hard to predict */
    memcpy(&bits, &v, sizeof bits);
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, sizeof bits);
    *at = p + n;
    return 1;
}

const char *qc_number_read_double(double *value, const char **at, const char *end)
{
    Decimal d;
    if (read_short(value, at, end)) return NULL;
    const char *behind = read_decimal(&d, *at, end);
    if (!behind) return what_else(*at, end);
    double v = (double)d.mantissa;
    int exact = d.digits <= DIGITS_MAX && d.mantissa <= (uint64_t)1 << 53; /* as a double has it */
    if (!exact || d.power < -EXACT_POWER || d.power > EXACT_POWER) {
        v = read_slowly(*at, (size_t)(behind - *at));
        if (isnan(v)) return "is not a number";
    } else {
        v = d.power < 0 ? v / powers[-d.power] : v * powers[d.power]; /* both exact, so the result is rounded once */
        if (d.negative) v = -v;
    }
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
