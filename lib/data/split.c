/* All splits use one scheme. Examples form units that must stay together (an example, a recording, a group). Units
 * form strata, and each stratum gives its share. The last units of a stratum are its test part, after shuffling if
 * the split is random. */
#include "split.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/rng.h"

const QcSplitOptions qc_split_defaults = {.by = QC_SPLIT_BLOCK, .test = 0.2, .stratify = 1, .seed = 1};

typedef struct Unit {
    uint32_t first;   /* its first example: units keep the order of recording */
    uint32_t n;       /* examples */
    int32_t label;    /* of all its examples; MIXED where they differ */
    uint64_t stratum;
    int test;
} Unit;

typedef struct Units {
    uint32_t n;
    Unit *units;  /* [n] */
    uint32_t *of; /* [d->n] unit of each example */
    uint32_t *recording; /* [d->n] number of each example's recording, from 0 on */
} Units;

enum { MIXED = -2 };

static int pick_word(const char *const *words, int n, const char *word, const char *what, QcErr *err)
{
    char known[128] = "";
    for (int i = 0; i < n; i++) {
        if (!strcmp(words[i], word)) return i;
        if (i) strcat(known, i == n - 1 ? " or " : ", ");
        strcat(known, words[i]);
    }
    return qc_fail(err, QC_EUSAGE, "there is no %s '%.40s' (use %s)", what, word, known);
}

int qc_split_by_name(QcSplitBy *by, const char *name, QcErr *err)
{
    static const char *const words[] = {"random", "block", "recording", "group"};
    int word = pick_word(words, 4, name, "way to split", err);
    if (word >= 0) *by = (QcSplitBy)word;
    return word < 0 ? -1 : 0;
}

int qc_stream_order_by_name(QcStreamOrder *kind, const char *name, QcErr *err)
{
    static const char *const words[] = {"shuffled", "recorded", "classes"};
    int word = pick_word(words, 3, name, "stream order", err);
    if (word >= 0) *kind = (QcStreamOrder)word;
    return word < 0 ? -1 : 0;
}

/* For the messages: a name for a label, unlabelled examples being a class of their own. */
static const char *class_name(const QcDataset *d, int32_t label)
{
    return label < 0 ? "(unlabelled)" : d->labels.names[label];
}

static void units_release(Units *u)
{
    free(u->units);
    free(u->of);
    free(u->recording);
    *u = (Units){0};
}

typedef struct Place {
    uint64_t recording; /* group, then name */
    uint32_t index;
} Place;

static int by_place(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    if (x->recording != y->recording) return x->recording < y->recording ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* A recording is of one group: in tables of several people each may have a session "s1". */
static int number_recordings(uint32_t *number, const QcDataset *d)
{
    Place *places = malloc(d->n * sizeof *places);
    if (!places) return -1;
    for (uint32_t i = 0; i < d->n; i++) places[i] = (Place){(uint64_t)d->group[i] << 32 | d->recording[i], i};
    qsort(places, d->n, sizeof *places, by_place);
    for (uint32_t k = 0, recordings = 0; k < d->n; k++) {
        recordings += k && places[k].recording != places[k - 1].recording;
        number[places[k].index] = recordings;
    }
    free(places);
    return 0;
}

static uint32_t key_of(const Units *u, const QcDataset *d, QcSplitBy by, uint32_t i)
{
    return by == QC_SPLIT_RECORDING ? u->recording[i] : by == QC_SPLIT_GROUP ? d->group[i] : i;
}

static int units_find(Units *u, const QcDataset *d, QcSplitBy by, QcErr *err)
{
    uint32_t keys = 0;
    u->units = calloc(d->n, sizeof *u->units);
    u->of = malloc(d->n * sizeof *u->of);
    u->recording = malloc(d->n * sizeof *u->recording);
    if (!u->units || !u->of || !u->recording || number_recordings(u->recording, d))
        return qc_fail_memory(err, "a split");
    for (uint32_t i = 0; i < d->n; i++) keys = key_of(u, d, by, i) >= keys ? key_of(u, d, by, i) + 1 : keys;
    uint32_t *unit_of_key = calloc(keys, sizeof *unit_of_key); /* index + 1 */
    if (!unit_of_key) return qc_fail_memory(err, "a split");
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t key = key_of(u, d, by, i);
        if (!unit_of_key[key]) {
            u->units[u->n] = (Unit){.first = i, .label = d->label[i]};
            unit_of_key[key] = ++u->n;
        }
        Unit *unit = &u->units[u->of[i] = unit_of_key[key] - 1];
        unit->n++;
        if (unit->label != d->label[i]) unit->label = MIXED;
    }
    free(unit_of_key);
    return 0;
}

static uint64_t stratum_of(const Unit *unit, const Units *u, const QcSplitOptions *o)
{
    uint64_t label = (uint64_t)((int64_t)unit->label + 2); /* MIXED and unlabelled come first */
    if (o->by == QC_SPLIT_BLOCK) return label << 32 | u->recording[unit->first];
    return o->by != QC_SPLIT_GROUP && o->stratify ? label : 0;
}

static int compare_units(const void *a, const void *b)
{
    const Unit *p = *(Unit *const *)a, *q = *(Unit *const *)b;
    if (p->stratum != q->stratum) return p->stratum < q->stratum ? -1 : 1;
    return p->first < q->first ? -1 : p->first > q->first;
}

static void shuffle_units(QcRng *rng, Unit **units, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = qc_rng_below(rng, i);
        Unit *swap = units[i - 1];
        units[i - 1] = units[j];
        units[j] = swap;
    }
}

/* Marks the last units of one stratum, as many as come nearest to the fraction. */
static int choose_test(Unit **units, uint32_t n, const QcDataset *d, const QcSplitOptions *o, QcErr *err)
{
    static const char *const whole[] = {"example", "example", "recording", "group"};
    uint32_t test = (uint32_t)floor(o->test * n + 0.5);
    /* a short recording may lie entirely in one part; a class or a whole dataset may not */
    if (o->by != QC_SPLIT_BLOCK) {
        if (n < 2) {
            if (o->by == QC_SPLIT_GROUP || !o->stratify)
                return qc_fail(err, QC_EUSAGE, "there is only one %s, which cannot be in both parts", whole[o->by]);
            return qc_fail(err, QC_EUSAGE, "class '%.60s' has only one %s, which cannot be in both parts%s",
                           class_name(d, units[0]->label), whole[o->by],
                           o->by == QC_SPLIT_RANDOM ? " (leave the class out, or split without regard to classes)"
                                                    : "");
        }
        test = test < 1 ? 1 : test > n - 1 ? n - 1 : test;
    }
    for (uint32_t i = n - test; i < n; i++) units[i]->test = 1;
    return 0;
}

/* Marks the last examples of the recordings of one class, if all of them are too short for a test example each: what a
 * recording is short of, the next one gives too. */
static void add_up_shares(Unit **units, uint32_t n, double part)
{
    double due = 0;
    for (uint32_t k = 0; k < n; k++)
        if (units[k]->test) return;
    for (uint32_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && units[to]->stratum == units[from]->stratum;) to++;
        due += part * (to - from);
        if (due < 0.5) continue;
        units[to - 1]->test = 1;
        due -= 1;
    }
}

static int choose_all(Units *u, const QcDataset *d, const QcSplitOptions *o, QcErr *err)
{
    Unit **sorted = malloc(u->n * sizeof *sorted);
    if (!sorted) return qc_fail_memory(err, "a split");
    for (uint32_t k = 0; k < u->n; k++) {
        u->units[k].stratum = stratum_of(&u->units[k], u, o);
        sorted[k] = &u->units[k];
    }
    qsort(sorted, u->n, sizeof *sorted, compare_units);
    QcRng rng = qc_rng_seed(o->seed, QC_STREAM_SPLIT);
    int status = 0;
    for (uint32_t from = 0, to; from < u->n && !status; from = to) {
        for (to = from; to < u->n && sorted[to]->stratum == sorted[from]->stratum; to++)
            ;
        if (o->by != QC_SPLIT_BLOCK) shuffle_units(&rng, sorted + from, to - from);
        status = choose_test(sorted + from, to - from, d, o, err);
    }
    for (uint32_t from = 0, to; o->by == QC_SPLIT_BLOCK && from < u->n; from = to) {
        for (to = from; to < u->n && sorted[to]->stratum >> 32 == sorted[from]->stratum >> 32;) to++;
        add_up_shares(sorted + from, to - from, o->test);
    }
    free(sorted);
    return status;
}

/* Recordings that match the pattern go into the test part; nothing is random. */
static int leave_out(Units *u, const QcDataset *d, const char *pattern, QcErr *err)
{
    uint32_t found = 0;
    for (uint32_t k = 0; k < u->n; k++) {
        if (fnmatch(pattern, d->recordings.names[d->recording[u->units[k].first]], 0)) continue;
        u->units[k].test = 1;
        found++;
    }
    if (found) return 0;
    return qc_fail(err, QC_EUSAGE, "no recording of the data is named '%.60s' (its first is '%.60s')", pattern,
                   d->recordings.names[d->recording[u->units[0].first]]);
}

static int leave_all_out(Units *u, const QcDataset *d, const QcSplitOptions *o, QcErr *err)
{
    for (uint32_t i = 0; i < o->n_leave; i++)
        if (leave_out(u, d, o->leave[i], err)) return -1;
    return 0;
}

static uint32_t fill_order(uint32_t *order, const QcDataset *d, const Units *u)
{
    uint32_t n = 0, n_train = 0;
    for (int test = 0; test < 2; test++) {
        for (uint32_t i = 0; i < d->n; i++)
            if (u->units[u->of[i]].test == test) order[n++] = i;
        if (!test) n_train = n;
    }
    return n_train;
}

/* A model cannot learn a class that it never sees. A block test without a class measures less than it seems to. */
static int check_classes(const uint32_t *order, uint32_t n_train, const QcDataset *d, const QcSplitOptions *o,
                         QcErr *err)
{
    uint32_t(*seen)[2] = calloc(d->labels.n ? d->labels.n : 1, sizeof *seen);
    if (!seen) return qc_fail_memory(err, "a split");
    for (uint32_t k = 0; k < d->n; k++)
        if (d->label[order[k]] >= 0) seen[d->label[order[k]]][k >= n_train]++;
    int need_test = !o->n_leave && o->by != QC_SPLIT_GROUP && (o->stratify || o->by == QC_SPLIT_BLOCK), status = 0;
    for (uint32_t c = 0; c < d->labels.n && !status; c++) {
        uint32_t n = seen[c][0] + seen[c][1];
        if (n && !seen[c][0])
            status = qc_fail(err, QC_EUSAGE,
                             "all %u examples of class '%.60s' would be in the test part (choose another --seed, "
                             "fraction or way to split)",
                             n, class_name(d, (int32_t)c));
        else if (n && need_test && !seen[c][1])
            status = qc_fail(err, QC_EUSAGE,
                             "none of the %u examples of class '%.60s' would be in the test part: the fraction %g is "
                             "too small for it",
                             n, class_name(d, (int32_t)c), o->test);
    }
    free(seen);
    return status;
}

int qc_split(uint32_t *order, uint32_t *n_train, const QcDataset *d, const QcSplitOptions *o, QcErr *err)
{
    if (!o->n_leave && !(o->test > 0 && o->test < 1))
        return qc_fail(err, QC_EUSAGE, "the fraction of the test part must lie between 0 and 1, not %g", o->test);
    if (!d->n) return qc_fail(err, QC_EFORMAT, "there are no examples to split");
    if ((o->n_leave || o->by == QC_SPLIT_RECORDING) && !d->recordings.n)
        return qc_fail(err, QC_EUSAGE, "the data does not say which recordings it comes from, so none can be left out");
    Units u = {0};
    int status = units_find(&u, d, o->n_leave ? QC_SPLIT_RECORDING : o->by, err) ||
                         (o->n_leave ? leave_all_out(&u, d, o, err) : choose_all(&u, d, o, err))
                     ? -1
                     : 0;
    if (!status) *n_train = fill_order(order, d, &u);
    units_release(&u);
    if (status) return -1;
    if (!*n_train && o->n_leave)
        return qc_fail(err, QC_EUSAGE, "the training part would be empty: all recordings are named '%.60s'%s",
                       o->leave[0], o->n_leave > 1 ? " or as the next patterns" : "");
    if (*n_train == d->n && !o->n_leave && o->by == QC_SPLIT_BLOCK)
        return qc_fail(err, QC_EUSAGE,
                       "the test part would be empty: no class has enough examples for a fraction of %g", o->test);
    if (!*n_train || *n_train == d->n)
        return qc_fail(err, QC_EUSAGE, "the %s part would be empty: a fraction of %g does not fit %u examples",
                       *n_train ? "test" : "training", o->test, d->n);
    return check_classes(order, *n_train, d, o, err);
}

static int group_index(uint32_t *index, const QcDataset *d, const char *name, QcErr *err)
{
    int64_t found = qc_names_find(&d->groups, name);
    if (found >= 0) {
        *index = (uint32_t)found;
        return 0;
    }
    char known[256] = "";
    for (uint32_t i = 0; i < d->groups.n; i++) {
        size_t used = strlen(known);
        if (used + strlen(d->groups.names[i]) + 8 > sizeof known) {
            strcpy(known + used, " ...");
            break;
        }
        if (i) strcat(known, ", ");
        strcat(known, d->groups.names[i]);
    }
    return qc_fail(err, QC_EUSAGE, "there is no group '%.60s' in the data (%s%s)", name,
                   d->groups.n ? "it has " : "it has none", known);
}

int qc_split_pick_groups(uint32_t *order, uint32_t *n, const QcDataset *d, const char *const *names, uint32_t n_names,
                         QcErr *err)
{
    uint8_t *wanted = calloc(d->groups.n + 1, 1);
    if (!wanted) return qc_fail_memory(err, "groups");
    int status = 0;
    for (uint32_t k = 0; k < n_names && !status; k++) {
        uint32_t index = 0;
        status = group_index(&index, d, names[k], err);
        if (!status) wanted[index] = 1;
    }
    *n = 0;
    for (uint32_t i = 0; i < d->n && !status; i++)
        if (!n_names || wanted[d->group[i]]) order[(*n)++] = i;
    free(wanted);
    return status;
}

/* A stable counting sort by label, unlabelled examples last. */
static int order_by_class(uint32_t *order, const QcDataset *d, QcErr *err)
{
    uint32_t classes = d->labels.n + 1, at = 0;
    uint32_t *next = calloc(classes, sizeof *next);
    if (!next) return qc_fail_memory(err, "a stream");
    for (uint32_t i = 0; i < d->n; i++) next[d->label[i] < 0 ? classes - 1 : (uint32_t)d->label[i]]++;
    for (uint32_t c = 0; c < classes; c++) {
        uint32_t n = next[c];
        next[c] = at;
        at += n;
    }
    for (uint32_t i = 0; i < d->n; i++) order[next[d->label[i] < 0 ? classes - 1 : (uint32_t)d->label[i]]++] = i;
    free(next);
    return 0;
}

int qc_split_batches(uint32_t *order, uint32_t *starts, const QcDataset *d, uint32_t batches, QcStreamOrder kind,
                     uint64_t seed, QcErr *err)
{
    if (!batches || batches > d->n)
        return qc_fail(err, QC_EUSAGE, "%u examples cannot be cut into %u batches", d->n, batches);
    for (uint32_t i = 0; i < d->n; i++) order[i] = i;
    if (kind == QC_STREAM_SHUFFLED) {
        QcRng rng = qc_rng_seed(seed, QC_STREAM_BATCHES);
        qc_rng_shuffle(&rng, order, d->n);
    }
    if (kind == QC_STREAM_CLASSES && order_by_class(order, d, err)) return -1;
    for (uint32_t b = 0; b <= batches; b++) starts[b] = (uint32_t)((uint64_t)d->n * b / batches);
    return 0;
}
