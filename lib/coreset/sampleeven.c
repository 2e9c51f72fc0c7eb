/* How many examples of each class every level gives, so that the classes of the whole come out as even as the levels
 * allow. */
#include "sample.h"

#include <stdlib.h>

typedef struct Table {
    uint32_t levels, classes;
    uint32_t *taken;      /* [levels][classes] */
    const uint32_t *size; /* [levels][classes] */
    uint32_t *total;      /* [classes] of taken */
    uint32_t *order;      /* [classes] shuffled: no class is favoured for its number */
    uint32_t *via, *level; /* [classes] of the search: which class takes a slot from this one, and at which level */
    uint32_t *queue;      /* [classes] */
} Table;

enum { UNSEEN = UINT32_MAX };

static uint32_t *cell(const Table *t, uint32_t level, uint32_t class)
{
    return t->taken + (size_t)level * t->classes + class;
}

static int has_room(const Table *t, uint32_t level, uint32_t class)
{
    return *cell(t, level, class) < t->size[(size_t)level * t->classes + class];
}

/* A first filling: each slot goes to the class that has least so far, among those the level still has; ties at
 * random. */
static void fill_level(Table *t, uint32_t level, uint32_t slots, QcRng *rng)
{
    while (slots--) {
        uint32_t best = UNSEEN, ties = 0;
        for (uint32_t c = 0; c < t->classes; c++) {
            if (!has_room(t, level, c)) continue;
            if (best != UNSEEN && t->total[c] > t->total[best]) continue;
            ties = best != UNSEEN && t->total[c] == t->total[best] ? ties + 1 : 1;
            if (!qc_rng_below(rng, ties)) best = c; /* the k-th of equals replaces the others once in k */
        }
        (*cell(t, level, best))++;
        t->total[best]++;
    }
}

/* Finds a class that can give a slot to `low`, directly or through other classes. A class can give to another class
 * at a level where it has slots and the other still has examples. The search is breadth-first. Returns a class that
 * has at least two slots more than `low`, or UNSEEN. */
static uint32_t find_giver(Table *t, uint32_t low)
{
    uint32_t head = 0, tail = 0;
    for (uint32_t c = 0; c < t->classes; c++) t->via[c] = UNSEEN;
    t->via[low] = low;
    t->queue[tail++] = low;
    while (head < tail) {
        uint32_t taker = t->queue[head++];
        for (uint32_t l = 0; l < t->levels; l++) {
            if (!has_room(t, l, taker)) continue;
            for (uint32_t k = 0; k < t->classes; k++) {
                uint32_t c = t->order[k];
                if (t->via[c] != UNSEEN || !*cell(t, l, c)) continue;
                t->via[c] = taker;
                t->level[c] = l;
                if (t->total[c] >= t->total[low] + 2) return c;
                t->queue[tail++] = c;
            }
        }
    }
    return UNSEEN;
}

static void hand_over(Table *t, uint32_t giver, uint32_t low)
{
    t->total[giver]--;
    t->total[low]++;
    for (uint32_t c = giver; c != low; c = t->via[c]) {
        (*cell(t, t->level[c], c))--;
        (*cell(t, t->level[c], t->via[c]))++;
    }
}

/* Moves slots along such chains while there are any. Each move lowers the sum of squares, so this ends; then no other
 * filling is more even. */
static void even_out(Table *t)
{
    uint32_t most = 0; /* no move makes a total larger than this */
    for (uint32_t c = 0; c < t->classes; c++) most = t->total[c] > most ? t->total[c] : most;
    for (int helped = 1; helped;) {
        helped = 0;
        for (uint32_t k = 0; k < t->classes; k++) {
            uint32_t low = t->order[k], giver;
            while (t->total[low] + 2 <= most && (giver = find_giver(t, low)) != UNSEEN) {
                hand_over(t, giver, low);
                helped = 1;
            }
        }
    }
}

int qc_sample_even(uint32_t *taken, const uint32_t *size, const uint32_t *quota, uint32_t levels, uint32_t classes,
                   QcRng *rng, QcErr *err)
{
    uint32_t *memory = calloc((size_t)classes * 5 + 1, sizeof *memory);
    if (!memory) return qc_fail_memory(err, "balancing classes");
    Table t = {levels,
               classes,
               taken,
               size,
               memory,
               memory + classes,
               memory + 2 * (size_t)classes,
               memory + 3 * (size_t)classes,
               memory + 4 * (size_t)classes};
    for (uint32_t c = 0; c < classes; c++) t.order[c] = c;
    qc_rng_shuffle(rng, t.order, classes);
    for (size_t i = 0; i < (size_t)levels * classes; i++) taken[i] = 0;
    for (uint32_t l = 0; l < levels; l++) fill_level(&t, l, quota[l], rng);
    even_out(&t);
    free(memory);
    return 0;
}
