#include "namepattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Field {
    int part; /* QC_PART_*; QC_PARTS = anything */
    int digits; /* digits alone */
    uint32_t modulo; /* 0 = none */
    const char *behind;
} Field;

/* The field at `at`, which is a brace. -1: there is no such field. */
static int read_field(Field *f, const char *at)
{
    static const char *const names[QC_PARTS + 1] = {"label", "group", "recording", "channels", ""};
    const char *close = strchr(at, '}');
    if (!close) return -1;
    size_t n = strcspn(at + 1, "%:}");
    *f = (Field){.part = -1, .behind = close + 1};
    for (int k = 0; k <= QC_PARTS; k++)
        if (strlen(names[k]) == n && !memcmp(names[k], at + 1, n)) f->part = k;
    const char *more = at + 1 + n;
    if (f->part < 0) return -1;
    if (*more == ':') return f->digits = 1, more[1] == 'd' && more + 2 == close ? 0 : -1;
    if (*more == '%') {
        char *end;
        f->digits = 1;
        unsigned long modulo = strtoul(more + 1, &end, 10);
        f->modulo = modulo <= UINT32_MAX ? (uint32_t)modulo : 0;
        return f->modulo && end == close ? 0 : -1;
    }
    return 0;
}

int qc_namepattern_check(const char *pattern, QcErr *err)
{
    Field f;
    int fields = 0;
    for (const char *at = pattern; *at; fields++) {
        at = strchr(at, '{');
        if (!at) break;
        if (read_field(&f, at))
            return qc_fail(err, QC_EUSAGE,
                           "--name-pattern: '%.40s' is no field: use {label}, {group}, {recording}, {channels}, {} "
                           "(anything), {label%%7} or {label:d}",
                           at);
        at = f.behind;
    }
    return fields ? 0 : qc_fail(err, QC_EUSAGE, "--name-pattern '%.100s' has no field, such as {label}", pattern);
}

int qc_namepattern_has(const char *pattern, int part)
{
    Field f;
    for (const char *at = strchr(pattern, '{'); at && !read_field(&f, at); at = strchr(f.behind, '{'))
        if (f.part == part) return 1;
    return 0;
}

static int add_part(QcNameParts *parts, const Field *f, const char *at, size_t n)
{
    char *text = parts->text[f->part];
    size_t used = strlen(text), room = QC_PART_ROOM - used;
    const char *between = used ? "/" : "";
    if (n > 9 && f->modulo) return -1;
    int wrote = f->modulo ? snprintf(text + used, room, "%s%lu", between, strtoul(at, NULL, 10) % f->modulo)
                          : snprintf(text + used, room, "%s%.*s", between, (int)n, at);
    return wrote < 0 || (size_t)wrote >= room ? -1 : 0;
}

/* Tries all ways to match the rest; `found` keeps the first. Steps are counted, so that a pattern cannot take
 * exponential time. */
static int match(QcNameParts *found, const QcNameParts *so_far, int ways, const char *pattern, const char *text,
                 uint32_t *steps)
{
    if (ways > 1 || ++*steps > 100000) return ways;
    while (*pattern && *pattern != '{') {
        if (*pattern++ != *text++) return ways;
    }
    if (!*pattern) {
        if (*text) return ways;
        if (ways && !memcmp(found, so_far, sizeof *found)) return ways;
        if (!ways) *found = *so_far;
        return ways + 1;
    }
    Field f;
    if (read_field(&f, pattern)) return ways;
    for (size_t n = 1; text[n - 1] && text[n - 1] != '/'; n++) {
        if (f.digits && (text[n - 1] < '0' || text[n - 1] > '9')) break;
        if (f.digits && text[n] >= '0' && text[n] <= '9') continue; /* a number is taken whole */
        QcNameParts next = *so_far;
        if (f.part < QC_PARTS && add_part(&next, &f, text, n)) break;
        ways = match(found, &next, ways, f.behind, text + n, steps);
    }
    return ways;
}

int qc_namepattern_match(QcNameParts *parts, const char *pattern, const char *path)
{
    QcNameParts none;
    uint32_t slashes = 0, steps = 0;
    memset(&none, 0, sizeof none);
    *parts = none;
    for (const char *p = pattern; *p; p++) slashes += *p == '/' ? 1 : 0;
    const char *from = path + strlen(path);
    while (from > path && (from[-1] != '/' || slashes)) slashes -= *--from == '/' ? 1 : 0;
    return slashes ? 0 : match(parts, &none, 0, pattern, from, &steps);
}
