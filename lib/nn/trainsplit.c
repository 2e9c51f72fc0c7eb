#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/rng.h"
#include "trainparts.h"

/* Marks the examples of one class that are held out. */
static void hold_out(uint8_t *held, uint32_t *members, uint32_t n, double fraction, QcRng *rng)
{
    if (n < 2) return;
    uint32_t take = (uint32_t)lround(fraction * n);
    take = take < 1 ? 1 : take > n - 1 ? n - 1 : take;
    qc_rng_shuffle(rng, members, n);
    for (uint32_t i = 0; i < take; i++) held[members[i]] = 1;
}

int qc_train_split(QcTraining *t, QcErr *err)
{
    uint32_t n = t->d->n;
    uint8_t *held = qc_arena_take(&t->arena, n, 1, err);
    uint32_t *members = held ? qc_arena_take(&t->arena, n, sizeof *members, err) : NULL;
    t->train = members ? qc_arena_take(&t->arena, n, sizeof *t->train, err) : NULL;
    t->valid = t->train ? qc_arena_take(&t->arena, n, sizeof *t->valid, err) : NULL;
    if (!t->valid) return -1;
    QcRng rng = qc_rng_seed(t->o->seed, 0x76616c6964);
    for (uint32_t class = 0; class < t->g->classes && t->o->valid > 0; class++) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < n; i++)
            if ((uint32_t)t->map[t->d->label[i]] == class) members[found++] = i;
        hold_out(held, members, found, t->o->valid, &rng);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (held[i])
            t->valid[t->n_valid++] = i;
        else
            t->train[t->n_train++] = i;
    }
    return 0;
}
