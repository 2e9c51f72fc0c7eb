/* A learner's state against power cuts: on memory with flash semantics, the power is cut at every byte. */
#include "suite.h"
#include "tiny.h"
#include "flashcells.h"
#include "restarted.h"

/* _i: bits, without and with flips. */
START_TEST(restored_learner_continues_with_same_bytes)
{
    Device d;
    static Cells cells;
    QcFlash f;
    uint32_t solved = 0;
    device_init(&d, 2 << _i % 3, _i / 3);
    for (uint32_t b = 0; b < 4; b++) solved += learn(&d, b);
    ck_assert_uint_gt(solved, 0); /* and so there is more than codes to bring back */
    Snapshot straight = snapshot(&d);
    for (uint32_t cut = 0; cut <= 4; cut++) {
        cells_init(&cells, &f, 1024, 8);
        place(&d, CAPACITY);
        for (uint32_t b = 0; b < cut; b++) learn(&d, b);
        save(&d, &f);
        ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
        for (uint32_t b = cut; b < 4; b++) learn(&d, b);
        Snapshot now = snapshot(&d);
        ck_assert_msg(same(&now, &straight), "cut after batch %u", cut);
    }
    device_release(&d);
}
END_TEST

/* RAM as it is at a moment. */
typedef struct Ram {
    QcLearner l;
    uint8_t *memory;
} Ram;

static Ram keep_ram(const Device *d) { return (Ram){d->l, copy_of(d->memory, d->bytes)}; }

static void put_ram(Device *d, const Ram *ram)
{
    d->l = ram->l;
    memcpy(d->memory, ram->memory, d->bytes);
}

/* One save, cut after `budget` bytes: 1 when it got through. Afterwards there is the old state or the new one, and
 * saving works again. */
static int cut_save(Device *d, Cells *cells, const QcFlash *f, int64_t budget, const Snapshot *old, const Snapshot *new,
                    int has_old, int *is_new)
{
    QcState s;
    cells->budget = budget;
    qc_state_init(&s, f, 1);
    int status = qc_state_save(&s, &d->l), finished = !cells->is_off;
    ck_assert_int_eq(status, finished ? 0 : -1);
    cells->is_off = 0;
    cells->budget = -1;

    QcStateFound found = restart(d, f, 1);
    Snapshot now = snapshot(d);
    *is_new = same(&now, new);
    ck_assert_msg(*is_new || same(&now, old), "cut at byte %lld: neither the old state nor the new", (long long)budget);
    ck_assert_int_eq(found, has_old || *is_new ? QC_STATE_LOADED : QC_STATE_NONE);
    ck_assert(!finished || *is_new);

    save(d, f);
    ck_assert_int_eq(restart(d, f, 1), QC_STATE_LOADED);
    Snapshot saved = snapshot(d);
    ck_assert(same(&saved, &now));
    return finished;
}

/* _i: the page, without and with flips. before: saves that went well; 0: the first save of all, over garbage; then into
 * either slot. */
START_TEST(power_cut_at_any_byte_keeps_a_valid_state)
{
    /* the state with flips is large */
    const uint32_t pages[] = {1, 8, 64, 512}, page = pages[_i], step = _i % 2 ? 7 : 1;
    Device d;
    static Cells cells, start;
    static Snapshot old, new;
    QcFlash f;
    device_init(&d, 4, _i % 2);
    for (uint32_t before = 0; before < 3; before++) {
        cells_init(&cells, &f, page > 256 ? page : 256, page);
        place(&d, CAPACITY);
        for (uint32_t b = 0; b < before; b++) {
            learn(&d, b);
            save(&d, &f);
        }
        old = snapshot(&d);
        start = cells;
        learn(&d, before);
        new = snapshot(&d);
        Ram ram = keep_ram(&d);
        uint32_t n_old = 0;
        int finished = 0, is_new = 0;
        for (int64_t budget = 0; !finished; budget += step) {
            put_ram(&d, &ram);
            cells = start;
            finished = cut_save(&d, &cells, &f, budget, &old, &new, before > 0, &is_new);
            n_old += (uint32_t)!is_new;
        }
        ck_assert_uint_gt(n_old * step, new.n); /* it was cut that often before the new state was whole */
        free(ram.memory);
    }
    device_release(&d);
}
END_TEST

START_TEST(sequence_number_wraps_around)
{
    Device d;
    static Cells cells;
    QcFlash f;
    QcState s;
    device_init(&d, 2, 1);
    cells_init(&cells, &f, 4096, 64);
    qc_state_init(&s, &f, 1);
    ck_assert_int_eq(qc_state_load(&s, &d.l), QC_STATE_NONE);
    s.sequence = UINT32_MAX - 2;
    for (uint32_t b = 0; b < 6; b++) {
        learn(&d, b);
        ck_assert_int_eq(qc_state_save(&s, &d.l), 0);
        ck_assert_uint_eq(s.sequence, UINT32_MAX - 1 + b); /* wraps as it does */
        Snapshot saved = snapshot(&d);
        ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
        Snapshot now = snapshot(&d);
        ck_assert_msg(same(&now, &saved), "save %u", b);
    }
    ck_assert_uint_lt(s.sequence, 6);
    device_release(&d);
}
END_TEST

/* A byte of either slot is corrupted after it was written. */
START_TEST(corrupted_byte_loses_one_state_at_most)
{
    Device d;
    static Cells cells;
    static Snapshot states[2];
    QcFlash f;
    device_init(&d, 4, 1);
    cells_init(&cells, &f, 1024, 64);
    for (uint32_t b = 0; b < 2; b++) {
        learn(&d, b);
        save(&d, &f);
        states[b] = snapshot(&d);
    }
    uint32_t used = (uint32_t)qc_state_bytes(d.l.state_bytes, 64), lost = 0;
    for (uint32_t slot = 0; slot < 2; slot++)
        for (uint32_t at = 0; at < used; at++) {
            uint8_t *byte = &cells.bytes[slot * (ROOM / 2) + at];
            *byte ^= (uint8_t)(1u << (at % 8));
            ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
            Snapshot now = snapshot(&d);
            int is_new = same(&now, &states[1]);
            ck_assert(is_new || same(&now, &states[0]));
            ck_assert_msg(slot == 1 || is_new, "byte %u of the older slot took the newer one with it", at);
            lost += !is_new;
            *byte ^= (uint8_t)(1u << (at % 8));
        }
    uint32_t content;
    memcpy(&content, cells.bytes + ROOM / 2 + 20, sizeof content);
    ck_assert_uint_ge(lost, content + 32); /* the header's */
    device_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *t = tcase_create("state");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, restored_learner_continues_with_same_bytes, 0, 6);
    tcase_add_loop_test(t, power_cut_at_any_byte_keeps_a_valid_state, 0, 4);
    tcase_add_test(t, sequence_number_wraps_around);
    tcase_add_test(t, corrupted_byte_loses_one_state_at_most);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
