#include "choose.h"

#include <stdlib.h>

const QcChooseOptions qc_choose_defaults = {.size = 30, .reserve = 2.0 / 3, .rule = QC_SAMPLE_PMF, .seed = 1};

typedef struct Known { /* what is known of the data's examples, in the data's order */
    QcArena arena;
    uint32_t *misses; /* [n] */
    uint8_t *never;   /* [n] */
} Known;

typedef struct Place {
    uint64_t id;
    uint32_t index;
} Place;

static int by_id(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static Place *places_of(const uint64_t *id, uint32_t n, QcArena *arena, QcErr *err)
{
    Place *places = qc_arena_take(arena, n, sizeof *places, err);
    if (!places) return NULL;
    for (uint32_t i = 0; i < n; i++) places[i] = (Place){id[i], i};
    qsort(places, n, sizeof *places, by_id);
    return places;
}

/* Both are sorted by id, so the first difference is the smallest id that only one of them has. */
static int ask_log(Known *known, const QcDataset *d, const QcMissLog *log, QcErr *err)
{
    Place *ours = places_of(d->id, d->n, &known->arena, err), *logged = places_of(log->id, log->n, &known->arena, err);
    if (!ours || !logged) return -1;
    for (uint32_t k = 0; k < d->n || k < log->n; k++) {
        if (k == log->n || (k < d->n && ours[k].id < logged[k].id))
            return qc_fail(err, QC_EFORMAT,
                           "example %llu of the data is not in the miss log, which was written for other data",
                           (unsigned long long)ours[k].id);
        if (k == d->n || logged[k].id < ours[k].id)
            return qc_fail(err, QC_EFORMAT, "the miss log has an example %llu that is not in the data",
                           (unsigned long long)logged[k].id);
        known->misses[ours[k].index] = qc_misslog_total(log, logged[k].index);
        known->never[ours[k].index] = (uint8_t)qc_misslog_never_right(log, logged[k].index);
    }
    return 0;
}

static int known_init(Known *known, const QcDataset *d, const QcMissLog *log, QcErr *err)
{
    *known = (Known){0};
    known->misses = qc_arena_take(&known->arena, d->n, sizeof *known->misses, err);
    known->never = qc_arena_take(&known->arena, d->n, sizeof *known->never, err);
    if (!known->misses || !known->never || (log && ask_log(known, d, log, err))) {
        qc_arena_release(&known->arena);
        return -1;
    }
    return 0;
}

static int check_labels(const QcDataset *d, int partial, QcErr *err)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->label[i] < 0)
            return qc_fail(err, QC_EFORMAT, "example %llu of the data has no label, and a coreset needs labels",
                           (unsigned long long)d->id[i]);
    int64_t empty = partial ? d->labels.n : qc_dataset_empty_class(d, err);
    if (empty < 0 || empty == d->labels.n) return empty < 0 ? -1 : 0;
    return qc_fail(
        err, QC_EFORMAT,
        "class \"%.100s\" has no example in the data, so the coreset would have none (--partial takes it so)",
        d->labels.names[empty]);
}

static int check(const QcDataset *d, const QcMissLog *log, const QcChooseOptions *o, QcErr *err)
{
    if (!o->size) return qc_fail(err, QC_EUSAGE, "a coreset needs at least one example");
    if (!(o->reserve >= 0 && o->reserve <= 1))
        return qc_fail(err, QC_EUSAGE, "the reserved share of a coreset must be between 0 and 1");
    if (!log && (o->rule == QC_SAMPLE_PROPORTIONAL || o->rule == QC_SAMPLE_HARDEST))
        return qc_fail(err, QC_EUSAGE, "choosing by the rule \"%s\" needs misses: a miss log or a float model",
                       qc_sample_names[o->rule]);
    if (!d->n) return qc_fail(err, QC_EFORMAT, "the data has no examples");
    if (o->size > d->n)
        return qc_fail(err, QC_EFORMAT, "a coreset of %u examples cannot be chosen from data that has %u", o->size,
                       d->n);
    return check_labels(d, o->partial, err);
}

static int mark_reserved(QcDataset *coreset, const QcChooseOptions *o, QcArena *arena, QcErr *err)
{
    uint32_t reserved = (uint32_t)(o->reserve * o->size + 0.5),
             *slot = qc_arena_take(arena, coreset->n, sizeof *slot, err);
    QcCandidates all = {.n = coreset->n, .classes = coreset->labels.n, .label = coreset->label};
    if (!slot || qc_sample(slot, &all, reserved, QC_SAMPLE_BALANCED, ~o->seed, err)) return -1;
    for (uint32_t k = 0; k < reserved; k++) coreset->flags[slot[k]] |= QC_EXAMPLE_RESERVED;
    return 0;
}

static int choose(QcDataset *coreset, const QcDataset *d, Known *known, const QcChooseOptions *o, QcErr *err)
{
    QcCandidates all = {d->n, d->labels.n, d->label, known->misses, known->never};
    uint32_t *chosen = qc_arena_take(&known->arena, o->size, sizeof *chosen, err);
    if (!chosen || qc_sample(chosen, &all, o->size, o->rule, o->seed, err)) return -1;
    if (qc_dataset_subset(coreset, d, chosen, o->size, o->size, err)) return -1;
    for (uint32_t k = 0; k < o->size; k++) {
        coreset->misses[k] = known->misses[chosen[k]];
        coreset->flags[k] = known->never[chosen[k]] ? QC_EXAMPLE_NEVER_RIGHT : 0;
    }
    if (!mark_reserved(coreset, o, &known->arena, err)) return 0;
    qc_dataset_release(coreset);
    return -1;
}

int qc_choose(QcDataset *coreset, const QcDataset *data, const QcMissLog *log, const QcChooseOptions *o, QcErr *err)
{
    Known known;
    *coreset = (QcDataset){0};
    if (check(data, log, o, err) || known_init(&known, data, log, err)) return -1;
    int status = choose(coreset, data, &known, o, err);
    qc_arena_release(&known.arena);
    return status;
}
