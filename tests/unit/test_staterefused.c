/* States that a learner must refuse: another learner's, forged states with right checksums, and memory that cannot
 * hold a state. */
#include "suite.h"
#include "tiny.h"
#include "flashcells.h"
#include "restarted.h"

#include "../../lib/base/digest.h"

START_TEST(states_of_other_learners_are_refused)
{
    Device d;
    static Cells cells;
    QcFlash f;
    QcState s;
    device_init(&d, 4, 1);
    cells_init(&cells, &f, 1024, 8);
    ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_NONE);
    learn(&d, 0);
    save(&d, &f);
    for (uint64_t identity = 2; identity; identity <<= 1) {
        place(&d, CAPACITY);
        Snapshot before = snapshot(&d);
        ck_assert_int_eq(restart(&d, &f, identity), QC_STATE_FOREIGN);
        Snapshot now = snapshot(&d);
        ck_assert(same(&before, &now));
    }
    place(&d, CAPACITY + 1); /* the same name, another coreset */
    qc_state_init(&s, &f, 1);
    ck_assert_int_eq(qc_state_load(&s, &d.l), QC_STATE_FOREIGN);
    /* Saving over it is the caller's decision; the other's state is then still in the other slot. */
    ck_assert_int_eq(qc_state_save(&s, &d.l), 0);
    ck_assert_int_eq(qc_state_load(&s, &d.l), QC_STATE_LOADED);
    device_release(&d);
}
END_TEST

/* The header's checksums made right again. */
static void seal(uint8_t *slot, uint32_t n)
{
    uint32_t crc = qc_crc32(slot + QC_STATE_HEADER, n);
    memcpy(slot + 24, &crc, sizeof crc);
    crc = qc_crc32(slot, 28);
    memcpy(slot + 28, &crc, sizeof crc);
}

static Cells forged;
static QcFlash forged_flash;

/* A state whose checksums are right and that has `value` at a place of the learner's state must not be taken; without
 * it, it is. */
static void expect_refused(Device *d, const void *place_in_state, const void *value, uint32_t n, const char *what)
{
    uint8_t *at = forged.bytes + QC_STATE_HEADER + ((const uint8_t *)place_in_state - d->l.state), was[8];
    uint32_t bytes = d->l.state_bytes;
    memcpy(was, at, n);
    memcpy(at, value, n);
    seal(forged.bytes, bytes);
    ck_assert_msg(restart(d, &forged_flash, 1) == QC_STATE_BROKEN, "%s", what);
    memcpy(at, was, n);
    seal(forged.bytes, bytes);
    ck_assert_int_eq(restart(d, &forged_flash, 1), QC_STATE_LOADED);
}

static void expect_u32_refused(Device *d, const void *at, uint32_t value, const char *what)
{
    expect_refused(d, at, &value, sizeof value, what);
}
static void expect_float_refused(Device *d, const void *at, float value, const char *what)
{
    expect_refused(d, at, &value, sizeof value, what);
}

/* What would lead the learner astray: out of bounds, or where sums leave 32 bits. */
START_TEST(forged_states_are_refused)
{
    Device d;
    const uint16_t no_class = TINY_CLASSES;
    device_init(&d, 4, 1);
    cells_init(&forged, &forged_flash, 1024, 8);
    learn(&d, 0);
    save(&d, &forged_flash);
    const QcLearner *l = &d.l;
    expect_u32_refused(&d, &l->counters->active, 2, "active");
    expect_u32_refused(&d, &l->counters->can_undo, 2, "can_undo");
    for (int i = 0; i < 3; i++) expect_float_refused(&d, &l->counters->share, (float[]){NAN, 0, INFINITY}[i], "share");
    for (int layer = 0; layer < 2; layer++) {
        const QcLastLayer *of = &l->layers[layer];
        for (int i = 0; i < 4; i++)
            expect_float_refused(&d, &of->scale[TINY_CLASSES - 1], (float[]){NAN, 0, -1, INFINITY}[i], "scale");
        expect_u32_refused(&d, &of->bias[0], 0x7fffffff, "bias");
        expect_u32_refused(&d, &of->bias[TINY_CLASSES - 1], 0x80000000, "bias");
    }
    expect_float_refused(&d, l->moments.mean, NAN, "mean");
    expect_float_refused(&d, &l->moments.scatter[qc_triangle(l->moments.n) - 1], INFINITY, "scatter");
    expect_u32_refused(&d, &l->moments.count[1], UINT32_MAX, "count");
    expect_float_refused(&d, &l->flipper.hebb.mean_square[d.flip.n_layers - 1], -1, "mean square");
    for (uint32_t s = 0; s < CAPACITY; s++)
        expect_refused(&d, &l->coreset.label[s], &no_class, sizeof no_class, "label");
    device_release(&d);
}
END_TEST

/* A learner of the head alone has a state of another size than one with flips, of the same identity. */
START_TEST(states_of_another_size_are_refused)
{
    Device d, other;
    static Cells cells;
    QcFlash f;
    device_init(&d, 4, 0);
    device_init(&other, 4, 1);
    cells_init(&cells, &f, 1024, 8);
    learn(&d, 0);
    save(&d, &f);
    Snapshot before = snapshot(&other);
    ck_assert_int_eq(restart(&other, &f, 1), QC_STATE_FOREIGN);
    Snapshot now = snapshot(&other);
    ck_assert(same(&before, &now));
    ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
    device_release(&d);
    device_release(&other);
}
END_TEST

static int broken_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    (void)ctx, (void)at;
    memset(to, 0, n);
    return 1;
}

START_TEST(unreadable_memory_is_reported_broken)
{
    Device d;
    static Cells cells;
    QcFlash f;
    device_init(&d, 2, 0);
    cells_init(&cells, &f, 1024, 8);
    save(&d, &f);
    f.read = broken_read;
    ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_BROKEN);
    device_release(&d);
}
END_TEST

START_TEST(memory_of_wrong_size_is_refused)
{
    Device d;
    static Cells cells;
    QcFlash good, f;
    QcState s;
    device_init(&d, 4, 1);
    cells_init(&cells, &good, 1024, 8);
    uint32_t bytes = (uint32_t)qc_state_bytes(d.l.state_bytes, 8);
    const QcFlash wrong[] = {{.slot_bytes = bytes / 1024 * 1024, .sector_bytes = 1024, .page_bytes = 8},
                             {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 0},
                             {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 24},
                             {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 1024},
                             {.slot_bytes = 8192, .sector_bytes = 0, .page_bytes = 8},
                             {.slot_bytes = 8192, .sector_bytes = 3072, .page_bytes = 8},
                             {.slot_bytes = 1u << 31, .sector_bytes = 1024, .page_bytes = 8}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f = good;
        f.slot_bytes = wrong[i].slot_bytes;
        f.sector_bytes = wrong[i].sector_bytes;
        f.page_bytes = wrong[i].page_bytes;
        qc_state_init(&s, &f, 1);
        ck_assert_msg(qc_state_load(&s, &d.l) == QC_STATE_BROKEN, "case %zu", i);
        ck_assert_int_eq(qc_state_save(&s, &d.l), -1);
    }
    ck_assert_uint_eq(cells.changed, 0);
    device_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("staterefused");
    TCase *t = tcase_create("staterefused");
    tcase_add_test(t, states_of_other_learners_are_refused);
    tcase_add_test(t, forged_states_are_refused);
    tcase_add_test(t, states_of_another_size_are_refused);
    tcase_add_test(t, unreadable_memory_is_reported_broken);
    tcase_add_test(t, memory_of_wrong_size_is_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
