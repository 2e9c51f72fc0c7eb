#include "importleak.h"

#include <stdlib.h>
#include <string.h>

/* What a channel has been so far in a class. */
typedef struct Seen {
    uint32_t windows;
    float value;
} Seen;

static int is_constant(const float *x, uint32_t n, float value)
{
    for (uint32_t i = 0; i < n; i++)
        if (x[i] != value) return 0;
    return 1;
}

/* seen [d->labels.n] */
static int is_label(const QcDataset *d, uint32_t c, Seen *seen)
{
    uint32_t differ = 0;
    const Seen *first = NULL;
    memset(seen, 0, d->labels.n * sizeof *seen);
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->label[i] < 0) continue;
        const float *x = d->x + ((size_t)i * d->channels + c) * d->length;
        Seen *s = &seen[d->label[i]];
        if (!s->windows++) s->value = *x;
        if (!is_constant(x, d->length, s->value)) return 0;
    }
    for (uint32_t k = 0; k < d->labels.n; k++) {
        if (!seen[k].windows) continue;
        if (seen[k].windows < 2) return 0;
        if (!first) first = &seen[k];
        differ += seen[k].value != first->value;
    }
    return differ > 0;
}

int qc_import_find_leak(int64_t *channel, const QcDataset *d, QcErr *err)
{
    *channel = -1;
    if (!d->x || !d->length || d->height > 1 || d->labels.n < 2) return 0;
    Seen *seen = malloc(d->labels.n * sizeof *seen);
    if (!seen) return qc_fail_memory(err, "classes");
    for (uint32_t c = 0; c < d->channels && *channel < 0; c++)
        if (is_label(d, c, seen)) *channel = c;
    free(seen);
    return 0;
}
