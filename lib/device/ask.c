/* Distances are distances of features whitened by S, the scatter around the class means: one unit is a standard
 * deviation within a class, in any direction. */
#include "ask.h"

#include "learnerset.h"
#include "qmath.h"

/* Whitened features of the waiting windows, and the squared distance of each to the nearest labelled example, in
 * steps. */
typedef struct Ask {
    QcLearner *l;
    uint32_t begin, end, gap, after_gap; /* rows of the latest windows: begin..end - 1 without gap..after_gap - 1 */
    uint32_t n;      /* features */
    uint32_t classes; /* classes that have a mean in s->mean */
    int8_t *white;   /* [ring][n] */
    float *nearest;  /* [ring] distance to the nearest labelled example */
    float *doubt;    /* [ring] distance to the nearest class mean, relative to the second nearest; 0..1 */
} Ask;

/* The first row from `row` on whose window waits for a label; a->end: there is none. */
static uint32_t waiting_from(const Ask *a, uint32_t row)
{
    const uint8_t *flags = a->l->ring.flags;
    if (row == a->gap) row = a->after_gap;
    while (row < a->end && flags[row] != QC_RING_PREDICTED)
        if (++row == a->gap) row = a->after_gap;
    return row;
}

static uint32_t first_waiting(const Ask *a) { return waiting_from(a, a->begin); }
static uint32_t next_waiting(const Ask *a, uint32_t row) { return waiting_from(a, row + 1); }

/* The latest windows lie side by side, unless they go on from the ring's end at its beginning. */
static void find_rows(Ask *a, uint32_t latest)
{
    uint32_t capacity = a->l->ring.capacity;
    if (latest > capacity) latest = capacity;
    uint32_t first = qc_learner_row_of_age(a->l, latest);
    a->gap = a->after_gap = UINT32_MAX;
    a->begin = first;
    a->end = first + latest;
    if (a->end <= capacity) return;
    a->begin = 0;
    a->end = capacity;
    a->gap = a->l->next_row;
    a->after_gap = first;
}

static uint32_t number_of(const QcLearner *l, uint32_t row)
{
    uint32_t age = (l->next_row + l->ring.capacity - row - 1) % l->ring.capacity + 1;
    return l->counters->next - age;
}

/* ---- by the answer ---- */

static float uncertainty(QcLearner *l, uint32_t row, QcAskRule rule)
{
    uint32_t classes = l->shape.classes, best = qc_learner_logits_of(l, row), second = best == 0;
    float sum = 0, weighted = 0;
    if (classes < 2) return 0;
    for (uint32_t k = 0; k < classes; k++) {
        float difference = l->logits[k] - l->logits[best], e = qc_exp(difference);
        if (k != best && l->logits[k] > l->logits[second]) second = k;
        sum += e;
        weighted += e * difference;
    }
    return rule == QC_ASK_MARGIN ? l->logits[second] - l->logits[best] : qc_ln(sum) - weighted / sum;
}

static void score_by_answer(const Ask *a, QcAskRule rule)
{
    QcLearner *l = a->l;
    QcRng rng = qc_rng_seed(l->setup.seed, QC_STREAM_ASK0 + l->counters->next);
    for (uint32_t row = first_waiting(a); row < a->end; row = next_waiting(a, row))
        l->keys[row] = rule == QC_ASK_RANDOM ? (float)(qc_rng_next(&rng) >> 40) : uncertainty(l, row, rule);
}

/* ---- by distance ---- */

static float distance(const int8_t *restrict a, const int8_t *restrict b, uint32_t n)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += ((int32_t)a[i] - b[i]) * ((int32_t)a[i] - b[i]);
    return qc_sqrt((float)sum);
}

static void come_near(const Ask *a, const int8_t *white)
{
    for (uint32_t row = first_waiting(a); row < a->end; row = next_waiting(a, row))
        a->nearest[row] = qc_least(a->nearest[row], distance(a->white + (size_t)row * a->n, white, a->n));
}

/* The same for a class mean, but a->doubt keeps the second smallest distance. */
static void come_near_mean(const Ask *a, const int8_t *white)
{
    for (uint32_t row = first_waiting(a); row < a->end; row = next_waiting(a, row)) {
        float d = distance(a->white + (size_t)row * a->n, white, a->n), first = a->nearest[row];
        a->doubt[row] = qc_least(a->doubt[row], qc_most(d, first));
        a->nearest[row] = qc_least(first, d);
    }
}

static void find_doubts(const Ask *a)
{
    for (uint32_t row = first_waiting(a); row < a->end; row = next_waiting(a, row))
        a->doubt[row] = a->doubt[row] > 0 ? a->nearest[row] / a->doubt[row] : 1;
}

/* Measures the distance to labelled examples: class means (of source and stream together), stream examples of the
 * coreset, labelled windows. */
static void measure(const Ask *a)
{
    QcLearner *l = a->l;
    const QcSet *set = &l->set;
    QcHeadScratch *s = &l->scratch;
    int8_t *white = (int8_t *)s->queue;
    for (uint32_t row = first_waiting(a); row < a->end; row = next_waiting(a, row)) {
        a->nearest[row] = a->doubt[row] = 1e30f;
        qc_white_features(a->white + (size_t)row * a->n, s, &l->shape, qc_slot_features(&l->ring, row));
    }
    for (uint32_t k = 0; k < a->classes; k++) {
        for (uint32_t i = 0; i < a->n; i++) s->row[i] = s->mean[(size_t)k * a->n + i] - s->centre[i];
        qc_whiten(s->kernels, s->row, s->scatter, a->n);
        qc_round_white(white, s->row, a->n);
        come_near_mean(a, white);
    }
    find_doubts(a);
    for (uint32_t i = 0; i < set->n; i++) {
        if (qc_set_is_source(set, i)) continue;
        qc_white_features(white, s, &l->shape, qc_set_features(set, i));
        come_near(a, white);
    }
}

/* By how much a label of this window would lower the sum of all distances to the nearest labelled example. Distances
 * count more if the class is in doubt. */
static float saving(const Ask *a, uint32_t row)
{
    float sum = 0;
    for (uint32_t other = first_waiting(a); other < a->end; other = next_waiting(a, other)) {
        float save = a->nearest[other] - distance(a->white + (size_t)row * a->n, a->white + (size_t)other * a->n, a->n);
        if (save > 0) sum += a->doubt[other] * save;
    }
    return sum;
}

static void score_by_distance(const Ask *a, QcAskRule rule)
{
    for (uint32_t row = first_waiting(a); row < a->end; row = next_waiting(a, row))
        a->l->keys[row] = rule == QC_ASK_COVER ? saving(a, row) : a->nearest[row];
}

/* ---- the rules ---- */

/* a->end: no window waits. */
static uint32_t best_row(const Ask *a)
{
    const float *keys = a->l->keys;
    uint32_t best = first_waiting(a);
    for (uint32_t row = best; row < a->end; row = next_waiting(a, row))
        if (keys[row] > keys[best]) best = row;
    return best;
}

uint32_t qc_learner_ask(QcLearner *l, uint32_t *numbers, uint32_t n, uint32_t latest)
{
    QcAskRule rule = (QcAskRule)l->setup.parameters.ask;
    Ask a = {.l = l, .n = l->shape.features, .white = l->scratch.white, .nearest = l->nearest,
             .doubt = l->scratch.share}; /* nothing is guessed meanwhile */
    int by_distance = rule == QC_ASK_COVER || rule == QC_ASK_CENTER;
    uint32_t found = 0;
    find_rows(&a, latest);
    if (by_distance && (by_distance = l->moments.n > 0 && !l->setup.all_labelled)) {
        qc_learner_gather(l);
        QcHeadTask task = qc_learner_task(l);
        a.classes = task.shape->classes;
        by_distance = qc_discriminant_whiten(&l->scratch, &task);
    }
    if (by_distance) measure(&a);
    else score_by_answer(&a, rule == QC_ASK_COVER || rule == QC_ASK_CENTER ? QC_ASK_MARGIN : rule);
    for (; found < n; found++) {
        if (by_distance) score_by_distance(&a, rule);
        uint32_t row = best_row(&a);
        if (row >= a.end) break;
        l->ring.flags[row] = QC_RING_ASKED;
        numbers[found] = number_of(l, row);
        if (by_distance) come_near(&a, a.white + (size_t)row * a.n);
    }
    for (uint32_t row = a.begin; row < a.end; row++)
        if (l->ring.flags[row] == QC_RING_ASKED) l->ring.flags[row] = QC_RING_PREDICTED;
    return found;
}
