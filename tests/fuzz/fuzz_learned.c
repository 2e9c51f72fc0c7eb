/* Models that have learned, whose checksums are made right again: what they know of their source (drift, range,
 * augment), then a learner that goes on from the section "learned", learns, and is stored. */
#include "fuzz.h"
#include "learn.h"
#include "resealed.h"

#include "../../lib/data/augment.h"
#include "../../lib/format/driftfile.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/format/learnedfile.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/format/rangefile.h"

enum { CORESET = 5, MOST_CLASSES = 64, MOST_MEMORY = 1 << 22 };

typedef struct Device {
    QcModelFile m;
    QcArena arena;
    QcQGraph g;
    QcFlip flip;
    QcDriftBase drift;
    QcLearner l;
    void *memory;
} Device;

static int read_source(Device *d, QcErr *err)
{
    QcInputRange range;
    double strength;
    const char *kind;
    int found = qc_driftbase_decode(&d->drift, &d->m, &d->g, &d->arena, err);
    if (!found) d->drift.features = 0;
    return found < 0 || qc_inputrange_decode(&range, &d->m, &d->arena, err) < 0 ||
                   qc_augment_decode(&strength, &kind, &d->m, err) < 0
               ? -1
               : 0;
}

/* 1: right, and too large to run. */
static int place(Device *d, QcErr *err)
{
    QcCursor any;
    int flips = qc_container_find(&d->m.container, "flip", &any);
    if (flips && qc_flipfile_decode(&d->flip, &d->m, &d->g, &d->arena, err)) return -1;
    QcLearnerSetup setup = {.graph = &d->g,
                            .flips = flips ? &qc_flip_rounds : NULL,
                            .flip = flips ? &d->flip : NULL,
                            .parameters = qc_parameters_default(d->g.bits),
                            .seed = 1,
                            .capacity = CORESET,
                            .ring = LEARN_RING};
    if (d->drift.features) setup.source = (QcHeadSource){d->drift.mean, d->drift.weight};
    setup.parameters.rounds = 2;
    if (!qc_head_fits(&d->g) || (uint64_t)d->m.height * d->m.length * d->m.channels > LEARN_WINDOW ||
        d->g.classes > MOST_CLASSES || qc_learner_bytes(&setup) > MOST_MEMORY)
        return 1;
    d->memory = qc_aligned_new(qc_learner_bytes(&setup), "a learner", err);
    fuzz_demand(d->memory != NULL, err->text);
    qc_learner_place(&d->l, &setup, &qc_kernels_scalar, d->memory);
    return qc_learned_decode(&d->l, &d->m, err) < 0 ? -1 : 0;
}

static void learn(QcLearner *l)
{
    uint8_t window[LEARN_WINDOW];
    for (uint32_t i = 0; i < CORESET; i++) {
        memset(window, (int)(50 * i + 3), sizeof window);
        qc_learner_fill(l, i, window, NULL, (uint16_t)(i % l->shape.classes), 1, 0, i);
    }
    learn_windows(l, CORESET);
}

/* What is stored is found again. A session's figures of its input are not stored (learnedfile.c). */
static void store(Device *d)
{
    QcLearnerCounters *counters = d->l.counters;
    counters->input = 0;
    counters->input_adapts = 0;
    counters->drift = 0;
    QcErr err = {0};
    Device again = {0};
    qc_learner_store(&d->l, &d->g);
    fuzz_demand(!qc_qgraphfile_encode(&d->m, &d->g, &err) && !qc_learned_encode(&d->m, &d->l, &err), err.text);
    again.m = d->m;
    again.g = d->g;
    again.flip = d->flip;
    again.drift = d->drift;
    fuzz_demand(!place(&again, &err), err.text);
    fuzz_demand(!memcmp(again.l.state, d->l.state, d->l.learned_bytes), "what was stored is not found again");
    free(again.memory);
    qc_arena_release(&again.arena);
}

static void try_model(QcModelFile *m)
{
    QcErr err = {0};
    Device d = {.m = *m};
    int status = qc_qgraphfile_decode(&d.g, &d.m, &d.arena, &err) || read_source(&d, &err) ? -1 : place(&d, &err);
    if (status < 0) fuzz_refused(&err);
    if (!status) {
        learn(&d.l);
        store(&d);
    }
    free(d.memory);
    qc_arena_release(&d.arena);
    *m = d.m;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    QcErr err = {0};
    QcContainer c = {0};
    QcModelFile m;
    uint8_t *copy = malloc(length ? length : 1);
    qc_max_bytes = 1 << 22;
    memcpy(copy, bytes, length);
    reseal_container(copy, length);
    if (qc_container_decode(&c, copy, length, QC_KIND_MODEL, &err)) { /* the container's from here on, or freed */
        fuzz_refused(&err);
        return 0;
    }
    if (qc_modelfile_decode(&m, &c, &err)) {
        fuzz_refused(&err);
        qc_container_release(&c);
        return 0;
    }
    if (qc_modelfile_is_quantized(&m)) try_model(&m);
    qc_modelfile_release(&m);
    return 0;
}
