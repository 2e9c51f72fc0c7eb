/* Series that become a dataset: only their own memory is returned to the system. */
#include <stdlib.h>
#include <string.h>

#include "../../lib/data/series.h"
#include "suite.h"

enum { SERIES = 300, STEPS = 600, CHANNELS = 2, VALUES = STEPS * CHANNELS, CANARY = 16 };

/* Series by steps, each followed by bytes that must stay, like the bookkeeping of malloc between its blocks. */
static uint8_t *make_list(QcSeriesList *list)
{
    uint8_t *block = malloc(SERIES * (VALUES * sizeof(float) + CANARY)), *at = block;
    *list = (QcSeriesList){.items = calloc(SERIES, sizeof *list->items), .n = SERIES, .room = SERIES,
                           .channels = CHANNELS};
    for (int k = 0; k < SERIES; k++) {
        float *x = (float *)(void *)at;
        for (int i = 0; i < VALUES; i++) x[i] = (float)(k * VALUES + i);
        list->items[k] = (QcSeries){.x = x, .by_step = 1, .length = STEPS, .label = -1};
        at += VALUES * sizeof(float);
        memset(at, 0xa5, CANARY);
        at += CANARY;
    }
    return block;
}

static void check_canaries(const uint8_t *block)
{
    for (int k = 0; k < SERIES; k++) {
        const uint8_t *at = block + k * (VALUES * sizeof(float) + CANARY) + VALUES * sizeof(float);
        for (int i = 0; i < CANARY; i++) ck_assert_uint_eq(at[i], 0xa5);
    }
}

START_TEST(whole_series_keep_their_values_and_their_neighbours)
{
    QcSeriesList list;
    QcDataset d;
    QcErr err;
    const QcImportOptions o = {0};
    uint8_t *block = make_list(&list);
    ck_assert_msg(!qc_series_whole(&d, &list, &o, &err), "%s", err.text);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < SERIES; i++)
        for (uint32_t t = 0; t < STEPS; t++)
            for (uint32_t c = 0; c < CHANNELS; c++)
                wrong += qc_dataset_window(&d, i)[c * STEPS + t] != (float)(i * VALUES + t * CHANNELS + c);
    ck_assert_uint_eq(wrong, 0);
    check_canaries(block);
    qc_dataset_release(&d);
    qc_series_release(&list);
    free(block);
}
END_TEST

START_TEST(windows_keep_their_values_and_their_neighbours)
{
    enum { WINDOW = 250, STRIDE = 70, EACH = (STEPS - WINDOW) / STRIDE + 1 };
    QcSeriesList list;
    QcDataset d;
    QcErr err;
    const QcImportOptions o = {0};
    uint8_t *block = make_list(&list);
    ck_assert_msg(!qc_series_cut(&d, &list, WINDOW, STRIDE, &o, &err), "%s", err.text);
    ck_assert_uint_eq(d.n, SERIES * EACH);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < d.n; i++)
        for (uint32_t t = 0; t < WINDOW; t++)
            for (uint32_t c = 0; c < CHANNELS; c++)
                wrong += qc_dataset_window(&d, i)[c * WINDOW + t] !=
                         (float)(i / EACH * VALUES + (i % EACH * STRIDE + t) * CHANNELS + c);
    ck_assert_uint_eq(wrong, 0);
    check_canaries(block);
    qc_dataset_release(&d);
    qc_series_release(&list);
    free(block);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series");
    TCase *tcase = tcase_create("series");
    tcase_add_test(tcase, whole_series_keep_their_values_and_their_neighbours);
    tcase_add_test(tcase, windows_keep_their_values_and_their_neighbours);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
