/* States that a device must not take: another's, forged ones whose checksums are right, and memory that cannot hold one. */
#include "suite.h"
#include "tiny.h"
#include "flashcells.h"
#include "restarted.h"

#include "../../lib/base/digest.h"

START_TEST(states_of_others_are_refused)
{
    Device d;
    static Cells cells;
    QcFlash f;
    QcState s;
    device_init(&d, 4);
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
    ck_assert_int_eq(qc_state_load(&s, &d.c), QC_STATE_FOREIGN);
    /* Saving over it is the caller's decision; the other's state is then still in the other slot. */
    ck_assert_int_eq(qc_state_save(&s, &d.c), 0);
    ck_assert_int_eq(qc_state_load(&s, &d.c), QC_STATE_LOADED);
    device_release(&d);
}
END_TEST

static void put_u32(uint8_t *at, uint32_t value) { memcpy(at, &value, sizeof value); }

/* A slot whose checksums are right, and that would lead the step astray. */
START_TEST(forged_states_are_refused)
{
    Device d;
    static Cells cells;
    QcFlash f;
    device_init(&d, 4);
    cells_init(&cells, &f, 1024, 8);
    learn(&d, 0);
    save(&d, &f);
    uint8_t *header = cells.bytes, *content = cells.bytes + QC_STATE_HEADER;
    uint32_t n;
    memcpy(&n, header + 20, sizeof n);
    const QcLda *l = &d.c.lda;
    uint32_t label = 28 + d.tiny.g.n_code_bytes + CAPACITY * WINDOW, squares = label + CAPACITY * 13, scale = squares + d.flip.n_layers * 4;
    uint32_t mean = scale + 3 * TINY_CLASSES * 4, other = n - TINY_CLASSES * 8; /* behind the first: biases and counts; of the other last layer, scales and biases */
    ck_assert(d.c.heads != QC_HEADS_ONE && other == mean + 4 * (l->n * TINY_CLASSES + l->n * (l->n + 1) / 2) + qc_lda_code_bytes(l));
    const uint32_t fields[] = {label, 4, squares, scale, scale + TINY_CLASSES * 4, mean, other - qc_lda_code_bytes(l) - 4, other, other + TINY_CLASSES * 4, 16, 20};
    const uint32_t nan = 0x7fc00000, minus_one = 0xbf800000, most = 0x7fffffff, all = 0xffffffff;
    const uint32_t values[] = {all, minus_one, nan, minus_one, most, nan, nan, nan, most, QC_HEADS_COUNT, nan};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t was[4];
        memcpy(was, content + fields[i], 4);
        put_u32(content + fields[i], values[i]);
        put_u32(header + 24, qc_crc32(content, n));
        put_u32(header + 28, qc_crc32(header, 28));
        ck_assert_msg(restart(&d, &f, 1) == QC_STATE_BROKEN, "field %zu", i);
        memcpy(content + fields[i], was, 4);
        put_u32(header + 24, qc_crc32(content, n));
        put_u32(header + 28, qc_crc32(header, 28));
        ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
    }
    device_release(&d);
}
END_TEST

START_TEST(memory_that_does_not_fit_is_refused)
{
    Device d;
    static Cells cells;
    QcFlash good, f;
    QcState s;
    device_init(&d, 4);
    cells_init(&cells, &good, 1024, 8);
    uint32_t bytes = (uint32_t)qc_state_bytes(&d.c, 8);
    const QcFlash wrong[] = {{.slot_bytes = bytes / 1024 * 1024, .sector_bytes = 1024, .page_bytes = 8},  {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 0},
                             {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 24},   {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 1024},
                             {.slot_bytes = 8192, .sector_bytes = 0, .page_bytes = 8},       {.slot_bytes = 8192, .sector_bytes = 3072, .page_bytes = 8},
                             {.slot_bytes = 1u << 31, .sector_bytes = 1024, .page_bytes = 8}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f = good;
        f.slot_bytes = wrong[i].slot_bytes;
        f.sector_bytes = wrong[i].sector_bytes;
        f.page_bytes = wrong[i].page_bytes;
        qc_state_init(&s, &f, 1);
        ck_assert_msg(qc_state_load(&s, &d.c) == QC_STATE_BROKEN, "case %zu", i);
        ck_assert_int_eq(qc_state_save(&s, &d.c), -1);
    }
    ck_assert_uint_eq(cells.changed, 0);
    device_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("staterefused");
    TCase *t = tcase_create("staterefused");
    tcase_add_test(t, states_of_others_are_refused);
    tcase_add_test(t, forged_states_are_refused);
    tcase_add_test(t, memory_that_does_not_fit_is_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
