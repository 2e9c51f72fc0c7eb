#include "sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const qc_sample_names[QC_SAMPLE_RULES] = {"pmf", "proportional", "random", "balanced", "hardest"};

int qc_sample_find(const char *name)
{
    for (int i = 0; i < QC_SAMPLE_RULES; i++)
        if (!strcmp(name, qc_sample_names[i])) return i;
    return -1;
}

typedef struct Ranked { /* of an example or a level */
    double key;         /* smallest first */
    uint32_t index, tie;
} Ranked;

static int by_key(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

int qc_sample_quota(uint32_t *quota, const uint32_t *size, uint32_t levels, uint32_t n, uint32_t slots, QcRng *rng,
                    QcErr *err)
{
    Ranked *rank = malloc(levels * sizeof *rank + 1);
    if (!rank) return qc_fail_memory(err, "sampling");
    uint32_t left = slots;
    for (uint32_t l = 0; l < levels; l++) {
        uint64_t share = (uint64_t)slots * size[l];
        quota[l] = (uint32_t)(share / n);
        left -= quota[l];
        rank[l] = (Ranked){-(double)(share % n), l, (uint32_t)(qc_rng_next(rng) >> 32)};
    }
    qsort(rank, levels, sizeof *rank, by_key);
    for (uint32_t k = 0; k < left; k++) quota[rank[k].index]++; /* only where a remainder is left: never beyond the
                                                                   level's size */
    free(rank);
    return 0;
}

static double weight_of(const QcCandidates *c, uint32_t i) { return c->misses[i] + 0.1 + 0.5 * (c->never[i] != 0); }

/* Exponential variates of rate w: the smallest of them are a sample by weight without replacement (Efraimidis and
 * Spirakis, 2006). */
static double exponential(QcRng *rng, double rate)
{
    return -log((double)(qc_rng_next(rng) >> 11) * 0x1p-53 + 0x1p-54) / rate;
}

static int choose_by_rank(uint32_t *chosen, const QcCandidates *c, uint32_t slots, QcSampleRule rule, QcRng *rng,
                          QcErr *err)
{
    Ranked *rank = malloc(c->n * sizeof *rank + 1);
    if (!rank) return qc_fail_memory(err, "sampling");
    for (uint32_t i = 0; i < c->n; i++) {
        rank[i] = (Ranked){0, i, (uint32_t)(qc_rng_next(rng) >> 32)};
        if (rule == QC_SAMPLE_PROPORTIONAL) rank[i].key = exponential(rng, weight_of(c, i));
        if (rule == QC_SAMPLE_HARDEST) rank[i].key = -weight_of(c, i);
    }
    qsort(rank, c->n, sizeof *rank, by_key);
    for (uint32_t k = 0; k < slots; k++) chosen[k] = rank[k].index;
    free(rank);
    return 0;
}

/* level [n] <- 0, 1, 2, ... in order of misses, those that were never right apart, at the end. Returns how many levels
 * there are. */
static uint32_t find_levels(uint32_t *level, const QcCandidates *c, Ranked *rank)
{
    uint32_t levels = 0;
    for (uint32_t i = 0; i < c->n; i++) rank[i] = (Ranked){c->never[i] ? INFINITY : c->misses[i], i, i};
    qsort(rank, c->n, sizeof *rank, by_key);
    for (uint32_t k = 0; k < c->n; k++) {
        levels += k == 0 || rank[k].key != rank[k - 1].key;
        level[rank[k].index] = levels - 1;
    }
    return levels;
}

/* taken [levels][classes] says how many to draw; any example of a cell is as likely as the next. */
static void draw_cells(uint32_t *chosen, uint32_t *taken, const QcCandidates *c, const uint32_t *level, uint32_t *order,
                       QcRng *rng)
{
    for (uint32_t i = 0; i < c->n; i++) order[i] = i;
    qc_rng_shuffle(rng, order, c->n);
    for (uint32_t k = 0, n = 0; k < c->n; k++) {
        uint32_t *open = taken + (size_t)level[order[k]] * c->classes + (uint32_t)c->label[order[k]];
        if (!*open) continue;
        --*open;
        chosen[n++] = order[k];
    }
}

static int choose_by_level(uint32_t *chosen, const QcCandidates *c, uint32_t slots, QcSampleRule rule, QcRng *rng,
                           QcErr *err)
{
    Ranked *rank = malloc(c->n * sizeof *rank + 1);
    uint32_t *level = calloc((size_t)c->n + 1, sizeof *level), *order = calloc((size_t)c->n + 1, sizeof *order),
             *size = NULL;
    int status = -1;
    if (!rank || !level || !order) {
        qc_fail_memory(err, "sampling");
        goto end;
    }
    uint32_t levels = rule == QC_SAMPLE_PMF ? find_levels(level, c, rank) : 1;
    size_t cells = (size_t)levels * c->classes;
    size = calloc(2 * cells + 2 * (size_t)levels + 1, sizeof *size);
    if (!size) {
        qc_fail_memory(err, "sampling");
        goto end;
    }
    uint32_t *taken = size + cells, *of_level = taken + cells, *quota = of_level + levels;
    for (uint32_t i = 0; i < c->n; i++) {
        size[(size_t)level[i] * c->classes + (uint32_t)c->label[i]]++;
        of_level[level[i]]++;
    }
    if (qc_sample_quota(quota, of_level, levels, c->n, slots, rng, err) ||
        qc_sample_even(taken, size, quota, levels, c->classes, rng, err))
        goto end;
    draw_cells(chosen, taken, c, level, order, rng);
    status = 0;
end:
    free(rank);
    free(level);
    free(order);
    free(size);
    return status;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int qc_sample(uint32_t *chosen, const QcCandidates *c, uint32_t slots, QcSampleRule rule, uint64_t seed, QcErr *err)
{
    QcRng rng = qc_rng_seed(seed, QC_STREAM_CORESET);
    if (!slots) return 0;
    int by_level = rule == QC_SAMPLE_PMF || rule == QC_SAMPLE_BALANCED;
    if (by_level ? choose_by_level(chosen, c, slots, rule, &rng, err)
                 : choose_by_rank(chosen, c, slots, rule, &rng, err))
        return -1;
    qsort(chosen, slots, sizeof *chosen, by_number);
    return 0;
}
