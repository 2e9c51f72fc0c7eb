/* guard.c - refuses an adapt if its labels look random, or if the learner would lose what it knew (qc-method(7),
 * "The learner"). */
#include "learnerset.h"
#include "qmath.h"

/* ---- lost ---- */

/* Did the kept examples of one origin lose more correct answers than the guard allows? The excess must be at least
 * two standard deviations of the allowed number, and one example, because some of few examples are lost by chance. */
static int loses_of_origin(const QcLearner *l, int source)
{
    float n = 0, lost = 0;
    for (uint32_t i = 0; i < l->set.n_kept; i++) {
        if (qc_set_is_source(&l->set, i) != source) continue;
        n++;
        lost += (float)l->right[i] - (float)l->after[i];
    }
    float guard = l->setup.parameters.guard;
    return lost > guard * n + qc_most(1, 2 * qc_sqrt(guard * (1 - guard) * n));
}

int qc_learner_loses_too_much(const QcLearner *l) { return loses_of_origin(l, 1) || loses_of_origin(l, 0); }

/* ---- labels that look random ---- */

enum { MOST_WINDOWS = 256 }; /* the latest windows; time grows with the square */
#define DEVIATIONS 3.0f
#define LEAST_AGREEMENT 0.25f /* share of the agreement of labels beyond chance: the test must be able to detect so
                               * little */

/* How many of n labelled windows agree, and how many would by chance. */
typedef struct Agreement {
    float found, chance;
} Agreement;

/* The largest agreement that random labels reach. */
static float most_by_chance(const Agreement *a, float n)
{
    return a->chance + DEVIATIONS * qc_sqrt(a->chance * (1 - a->chance / n));
}

static uint32_t squared_distance(const uint8_t *a, const uint8_t *b, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        int32_t d = (int32_t)a[i] - (int32_t)b[i];
        sum += (uint32_t)(d * d);
    }
    return sum;
}

/* The example of the set, from `first` on, whose features are nearest to example i's; the first of equal ones. */
static uint32_t nearest_to(const QcLearner *l, uint32_t first, uint32_t i)
{
    uint32_t best = first + (i == first), least = UINT32_MAX;
    for (uint32_t j = first; j < l->set.n; j++) {
        if (j == i) continue;
        uint32_t distance =
            squared_distance(qc_set_features(&l->set, i), qc_set_features(&l->set, j), l->coreset.features);
        if (distance < least) least = distance, best = j;
    }
    return best;
}

/* Windows whose nearest neighbour has the same label (Schilling, 1986). *mates: windows whose label another window
 * has, too; agreement is at most this number. */
static Agreement agree_with_neighbours(const QcLearner *l, uint32_t first, float *mates)
{
    Agreement a = {0, 0};
    *mates = 0;
    for (uint32_t i = first; i < l->set.n; i++) {
        uint32_t same = 0, label = qc_set_label(&l->set, i);
        for (uint32_t j = first; j < l->set.n; j++) same += j != i && qc_set_label(&l->set, j) == label;
        a.chance += (float)same / (float)(l->set.n - first - 1);
        a.found += qc_set_label(&l->set, nearest_to(l, first, i)) == label ? 1.0f : 0.0f;
        *mates += same > 0 ? 1.0f : 0.0f;
    }
    return a;
}

static Agreement agree_with_answers(const QcLearner *l, uint32_t first)
{
    Agreement a = {0, 0};
    for (uint32_t i = first; i < l->set.n; i++) {
        uint32_t same = 0, label = qc_set_label(&l->set, i);
        for (uint32_t j = first; j < l->set.n; j++) same += l->answer[l->set.row[j]] == label;
        a.chance += (float)same / (float)(l->set.n - first);
        a.found += l->answer[l->set.row[i]] == label ? 1.0f : 0.0f;
    }
    return a;
}

int qc_learner_labels_are_random(const QcLearner *l)
{
    uint32_t first = l->set.n_kept, n = l->set.n - first;
    float mates;
    if (n > MOST_WINDOWS) first = l->set.n - MOST_WINDOWS, n = MOST_WINDOWS;
    if (n < 2 || !(l->setup.parameters.guard < 1)) return 0;
    Agreement answers = agree_with_answers(l, first);
    if (answers.found > most_by_chance(&answers, (float)n)) return 0;
    Agreement neighbours = agree_with_neighbours(l, first, &mates);
    float most = most_by_chance(&neighbours, (float)n);
    return neighbours.found <= most && neighbours.chance + LEAST_AGREEMENT * (mates - neighbours.chance) > most;
}
