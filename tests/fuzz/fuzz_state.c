/* State files whose checksums and identity are made right again: names of new classes, then a learner that resumes,
 * learns and saves. The first byte chooses the learner: 'f' one with flips, else one with two spare rows. The model is
 * a seed of fuzz_sealed.c. */
#include "fuzz.h"
#include "learn.h"
#include "resealed.h"

#include "../../lib/device/learner.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/format/spareclasses.h"
#include "../../lib/format/statefile.h"

enum { CORESET = 6, SPARE = 2 };
enum { BLOCK = 4096, PAGE = 512, AT_OWNER = 16, OWNER = 24, AT_NAMES = 64 }; /* lib/format/statefile.c */

static const QcStateOwner owner = {.identity = 0x0123456789abcdef};

typedef struct Device {
    QcModelFile m;
    QcArena arena;
    QcQGraph g;
    QcFlip flip;
    QcLearnerSetup setup;
    QcLearner l;
    void *memory;
} Device;

static void reseal(uint8_t *b, size_t n, uint32_t state_bytes)
{
    size_t slot = (qc_state_bytes(state_bytes, PAGE) + BLOCK - 1) / BLOCK * BLOCK;
    if (n < BLOCK) return;
    memset(b + AT_OWNER, 0, OWNER); /* of nobody */
    uint32_t place = 0;
    for (size_t at = AT_NAMES, length; at + 6 < BLOCK; at += 6 + length, place++) {
        length = get_number(b + at, 2);
        if (!length || at + 6 + length > BLOCK) break;
        put_number(b + at + 2 + length, qc_crc32_add(place, b + at, 2 + length), 4);
    }
    for (size_t at = BLOCK; at + PAGE + state_bytes <= n && at <= BLOCK + 2 * slot; at += slot) {
        put_number(b + at + 8, owner.identity, 8);
        put_number(b + at + 24, qc_crc32(b + at + PAGE, state_bytes), 4);
        put_number(b + at + 28, qc_crc32(b + at, 28), 4);
    }
}

static void place(Device *d, int flips, const char *state)
{
    QcErr err = {0};
    *d = (Device){0};
    fuzz_demand(!qc_modelfile_load(&d->m, "tests/fuzz/seeds/sealed/flip.qcm", &err) &&
                    !qc_qgraphfile_decode(&d->g, &d->m, &d->arena, &err) &&
                    !qc_flipfile_decode(&d->flip, &d->m, &d->g, &d->arena, &err) &&
                    (flips || !qc_add_spare_classes(&d->m, &d->g, SPARE, &d->arena, &err)),
                err.text);
    qc_statefile_read_names(&d->m, state);
    d->setup = (QcLearnerSetup){.graph = &d->g,
                                .flips = flips ? &qc_flip_rounds : NULL,
                                .flip = flips ? &d->flip : NULL,
                                .parameters = qc_parameters_default(d->g.bits),
                                .seed = 1,
                                .capacity = CORESET,
                                .ring = LEARN_RING};
    d->setup.parameters.rounds = 2;
    d->memory = qc_aligned_new(qc_learner_bytes(&d->setup), "a learner", &err);
    fuzz_demand(d->memory != NULL, err.text);
    qc_learner_place(&d->l, &d->setup, &qc_kernels_scalar, d->memory);
}

static void release(Device *d)
{
    free(d->memory);
    qc_arena_release(&d->arena);
    qc_modelfile_release(&d->m);
}

/* What the file says of the time before an adapt is sound, or refused. */
static void go_back(const Device *d, QcStateFile *f, const char *path)
{
    QcErr err = {0};
    Device earlier;
    place(&earlier, d->setup.flips != NULL, path);
    int found = qc_statefile_load_before(f, &earlier.l, &err);
    if (found < 0) fuzz_refused(&err);
    fuzz_demand(found < 1 || qc_learner_is_sound(&earlier.l), "an unsound learner was taken as the earlier one");
    release(&earlier);
}

/* What was learned is saved, and found again, and so is what was there before. */
static void resume(Device *d, QcStateFile *f, const char *path)
{
    QcErr err = {0};
    Device again;
    void *before = malloc(d->l.state_bytes);
    go_back(d, f, path);
    memcpy(before, d->l.state, d->l.state_bytes);
    learn_windows(&d->l, 0);
    qc_learner_undo(&d->l);
    fuzz_demand(qc_learner_is_sound(&d->l), "a sound learner has become an unsound one by undo");
    fuzz_demand(!qc_statefile_save_before(f, &d->l, before, &err) && !qc_statefile_save(f, &d->l, &err), err.text);
    qc_statefile_close(f);
    place(&again, d->setup.flips != NULL, path);
    fuzz_demand(!qc_statefile_open(f, path, &again.l, &owner, &err) && qc_statefile_load(f, &again.l, &err) == 1 &&
                    !memcmp(again.l.state, d->l.state, d->l.state_bytes),
                "what was saved is not found again");
    fuzz_demand(qc_statefile_load_before(f, &again.l, &err) == 1 && !memcmp(again.l.state, before, d->l.state_bytes),
                "what was there before is not found again");
    free(before);
    release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    QcErr err = {0};
    QcStateFile f = {0};
    Device d;
    static uint32_t state_bytes[2];
    if (!length) return 0;
    int flips = bytes[0] == 'f';
    size_t n = length - 1;
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, bytes + 1, n);
    if (!state_bytes[flips]) {
        place(&d, flips, "/nowhere");
        state_bytes[flips] = d.l.state_bytes;
        release(&d);
    }
    reseal(copy, n, state_bytes[flips]);
    int file = fuzz_open(path, copy, n);
    place(&d, flips, path);
    if (qc_statefile_open(&f, path, &d.l, &owner, &err)) fuzz_refused(&err);
    else {
        int found = qc_statefile_load(&f, &d.l, &err);
        if (found < 0) fuzz_refused(&err);
        if (found > 0) resume(&d, &f, path);
    }
    qc_statefile_close(&f);
    release(&d);
    close(file);
    free(copy);
    return 0;
}
