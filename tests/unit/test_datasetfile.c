/* test_datasetfile.c - data sets in files: reading gives what was written, and damaged files are refused. */
#include "suite.h"

#include <math.h>

#include "examples.h"
#include "scratch.h"

static void assert_same(const QcDataset *a, const QcDataset *b)
{
    ck_assert_uint_eq(a->n, b->n);
    ck_assert_uint_eq(a->channels, b->channels);
    ck_assert_uint_eq(a->height, b->height);
    ck_assert_uint_eq(a->length, b->length);
    ck_assert_uint_eq(a->capacity, b->capacity);
    ck_assert_mem_eq(a->x, b->x, a->n * qc_dataset_values(a) * sizeof *a->x);
    ck_assert_mem_eq(a->label, b->label, a->n * sizeof *a->label);
    ck_assert_mem_eq(a->id, b->id, a->n * sizeof *a->id);
    ck_assert_mem_eq(a->group, b->group, a->n * sizeof *a->group);
    ck_assert_mem_eq(a->recording, b->recording, a->n * sizeof *a->recording);
    assert_same_names(&a->labels, &b->labels);
    assert_same_names(&a->groups, &b->groups);
    assert_same_names(&a->recordings, &b->recordings);
    ck_assert_uint_eq(a->provenance.n, b->provenance.n);
    for (uint32_t k = 0; k < a->provenance.n; k++) ck_assert_str_eq(a->provenance.lines[k], b->provenance.lines[k]);
    if (a->capacity) {
        ck_assert_mem_eq(a->misses, b->misses, a->n * sizeof *a->misses);
        ck_assert_mem_eq(a->flags, b->flags, a->n);
    } else {
        ck_assert_ptr_null(b->misses);
        ck_assert_ptr_null(b->flags);
    }
}

START_TEST(dataset_round_trip)
{
    QcDataset d, back;
    make(&d, _i ? 10 : 0);
    ck_assert_int_eq(qc_dataset_save(&d, scratch_path("a.qcd"), &err), 0);
    ck_assert_msg(!qc_dataset_load(&back, scratch_path("a.qcd"), &err), "%s", err.text);
    assert_same(&d, &back);
    ck_assert_int_eq(qc_dataset_save(&back, scratch_path("b.qcd"), &err), 0);
    uint8_t *a, *b;
    size_t na, nb;
    ck_assert_int_eq(qc_read_all(scratch_path("a.qcd"), &a, &na, &err), 0);
    ck_assert_int_eq(qc_read_all(scratch_path("b.qcd"), &b, &nb, &err), 0);
    ck_assert_uint_eq(na, nb);
    ck_assert_mem_eq(a, b, na);
    uint8_t digest[QC_DIGEST_BYTES]; /* what sha256sum says of the file */
    qc_digest(digest, a, na);
    ck_assert_mem_eq(back.digest, digest, QC_DIGEST_BYTES);
    free(a);
    free(b);
    qc_dataset_release(&d);
    qc_dataset_release(&back);
}
END_TEST

/* _i 0: a byte that is no UTF-8; else a long command is cut, at other places within its characters. */
START_TEST(any_command_can_be_read_back)
{
    QcDataset d, back;
    char command[2100] = "qc-split \xe4 group=J\xc3\xbcrgen\n";
    const uint8_t digest[QC_DIGEST_BYTES] = {1, 2, 3};
    for (int k = 0; _i && k < 1000; k++) memcpy(command + _i + 2 * k, "\xc3\xa4", 3);
    make(&d, 0);
    ck_assert_int_eq(qc_dataset_sign(&d, command, digest, &err), 0);
    ck_assert_int_eq(qc_dataset_sign(&d, command, NULL, &err), 0);
    ck_assert_int_eq(qc_dataset_save(&d, scratch_path("a.qcd"), &err), 0);
    ck_assert_msg(!qc_dataset_load(&back, scratch_path("a.qcd"), &err), "%s", err.text);
    assert_same(&d, &back);
    if (_i == 0)
        ck_assert_str_eq(back.provenance.lines[1],
                         "qc-split \\xe4 group=J\xc3\xbcrgen\\x0a ; data=sha256:0102030000000000");
    else
        ck_assert_ptr_nonnull(strstr(back.provenance.lines[1], _i % 2 ? "\\xc3 ; data=sha256:0102030000000000"
                                                                      : "\xc3\xa4 ; data=sha256:0102030000000000"));
    qc_dataset_release(&d);
    qc_dataset_release(&back);
}
END_TEST

START_TEST(every_flipped_or_missing_byte_is_detected)
{
    QcDataset d, back;
    make(&d, 10);
    uint8_t *bytes;
    size_t length;
    ck_assert_int_eq(qc_dataset_save(&d, scratch_path("a.qcd"), &err), 0);
    ck_assert_int_eq(qc_read_all(scratch_path("a.qcd"), &bytes, &length, &err), 0);
    for (size_t k = 0; k < length; k += 1 + k / 97) {
        bytes[k] ^= 1 << k % 8;
        const char *path = scratch_write("b.qcd", bytes, length);
        ck_assert_int_eq(qc_dataset_load(&back, path, &err), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        ck_assert_ptr_nonnull(strstr(err.text, "b.qcd"));
        bytes[k] ^= 1 << k % 8;
        ck_assert_int_eq(qc_dataset_load(&back, scratch_write("b.qcd", bytes, k), &err), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
    }
    free(bytes);
    qc_dataset_release(&d);
}
END_TEST

/* --- well-made containers whose content is wrong ---------------------------------------------- */

typedef struct Wrong {
    void (*spoil)(QcDataset *d);
    const char *sentence; /* part of it */
} Wrong;

static void spoil_nan(QcDataset *d) { d->x[CHANNELS * LENGTH * 2 + 4] = NAN; }
static void spoil_infinite(QcDataset *d) { d->x[0] = -INFINITY; }
static void spoil_label(QcDataset *d) { d->label[5] = 3; }
static void spoil_low_label(QcDataset *d) { d->label[5] = -2; }
static void spoil_id(QcDataset *d) { d->id[6] = d->id[1]; }
static void spoil_group(QcDataset *d) { d->group[0] = 2; }
static void spoil_recording(QcDataset *d) { d->recording[6] = UINT32_MAX; }
static void spoil_flags(QcDataset *d) { d->flags[3] = 8; }
static void spoil_name(QcDataset *d) { strcpy(d->labels.names[1], "walk"); }
static void spoil_utf8(QcDataset *d) { d->groups.names[1][0] = (char)0xff; }
static void spoil_capacity(QcDataset *d) { d->capacity = N - 1; }
static void spoil_height(QcDataset *d) { d->height = 0; }
static void spoil_labels_away(QcDataset *d) { d->labels.n = 0; }

static const Wrong wrongs[] = {
    {spoil_nan, "value 4 of example 2"},
    {spoil_infinite, "value 0 of example 0"},
    {spoil_label, "label 3 of example 5"},
    {spoil_low_label, "label -2 of example 5"},
    {spoil_id, "same id 899999999983"},
    {spoil_group, "group 2 of example 0"},
    {spoil_recording, "of example 6"},
    {spoil_flags, "flags 8"},
    {spoil_name, "'walk'"},
    {spoil_utf8, "UTF-8"},
    {spoil_capacity, "capacity of 6"},
    {spoil_height, "windows of 3 x 0 x 5"},
    {spoil_labels_away, "label 0 of example 1"},
};
enum { WRONGS = sizeof wrongs / sizeof *wrongs };

START_TEST(wrong_content_is_refused)
{
    QcDataset d, back;
    make(&d, 10);
    wrongs[_i].spoil(&d);
    QcContainer c;
    qc_container_init(&c, QC_KIND_DATA);
    ck_assert_int_eq(qc_dataset_encode(&d, &c, &err), 0);
    ck_assert_int_eq(qc_dataset_decode(&back, &c, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_msg(strstr(err.text, wrongs[_i].sentence) != NULL, "%s", err.text);
    qc_container_release(&c);
    qc_dataset_release(&d);
}
END_TEST

/* A shape that disagrees with the values after it must not cause an allocation. */
START_TEST(wrong_shape_is_refused)
{
    static const uint32_t shapes[][5] = {{N + 1, CHANNELS, 1, LENGTH, 0},
                                         {0, CHANNELS, 1, LENGTH, 0},
                                         {UINT32_MAX, 1u << 24, 1u << 24, 1u << 24, 0},
                                         {UINT32_MAX, CHANNELS, 1, LENGTH, 0},
                                         {N, UINT32_MAX, 1, LENGTH, 0},
                                         {N, CHANNELS, LENGTH, LENGTH, 0},
                                         {N * CHANNELS, 1, 1, LENGTH, 0},
                                         {N, CHANNELS, 1, LENGTH, 10}};
    QcDataset d, back;
    make(&d, 0);
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        QcContainer c;
        QcWriter w = {0};
        qc_container_init(&c, QC_KIND_DATA);
        ck_assert_int_eq(qc_dataset_encode(&d, &c, &err), 0);
        qc_put_u32s(&w, shapes[k], 5);
        ck_assert_int_eq(qc_container_add(&c, "shape", 0, &w, &err), 0);
        ck_assert_int_eq(qc_dataset_decode(&back, &c, &err), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        qc_container_release(&c);
    }
    qc_dataset_release(&d);
}
END_TEST

/* Random damage after good checksums: refused, or a dataset that can be used and saved. */
START_TEST(damaged_sections_do_no_harm)
{
    QcDataset d, back;
    QcRng rng = qc_rng_seed(8, (uint64_t)_i);
    uint32_t refusals = 0;
    make(&d, 10);
    for (int k = 0; k < 400; k++) {
        QcContainer c;
        qc_container_init(&c, QC_KIND_DATA);
        ck_assert_int_eq(qc_dataset_encode(&d, &c, &err), 0);
        QcSection *section = &c.sections[qc_rng_below(&rng, c.n)];
        char name[17];
        uint8_t bytes[1024];
        size_t length = section->length;
        ck_assert_uint_lt(length, sizeof bytes);
        memcpy(name, section->name, sizeof name);
        memcpy(bytes, section->bytes, length);
        for (uint32_t hits = 1 + qc_rng_below(&rng, 3); hits; hits--) {
            uint32_t at = qc_rng_below(&rng, (uint32_t)length);
            bytes[at] = qc_rng_below(&rng, 2) ? (uint8_t)(bytes[at] ^ (1u << qc_rng_below(&rng, 8)))
                                              : (uint8_t)qc_rng_next(&rng);
        }
        if (qc_rng_below(&rng, 4) == 0) length -= qc_rng_below(&rng, (uint32_t)length);
        QcWriter w = {0};
        qc_put_bytes(&w, bytes, length);
        ck_assert_int_eq(qc_container_add(&c, name, section->flags, &w, &err), 0);
        if (qc_dataset_decode(&back, &c, &err)) {
            ck_assert_int_eq(err.code, QC_EFORMAT);
            refusals++;
        } else {
            QcNorm norm;
            ck_assert_int_eq(qc_norm_measure(&norm, &back, &back.arena, &err), 0);
            for (uint32_t ch = 0; ch < back.channels; ch++)
                ck_assert(isfinite(norm.mean[ch]) && isfinite(norm.deviation[ch]) && norm.deviation[ch] > 0);
            ck_assert_int_eq(qc_dataset_save(&back, scratch_path("a.qcd"), &err), 0);
            qc_dataset_release(&back);
        }
        qc_container_release(&c);
    }
    ck_assert_uint_gt(refusals, 100);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(missing_and_unknown_sections_are_refused)
{
    static const char *const needed[] = {"shape", "x", "examples", "names"};
    QcDataset d, back;
    make(&d, 0);
    for (int k = 0; k < 5; k++) {
        QcContainer whole, c;
        qc_container_init(&whole, QC_KIND_DATA);
        qc_container_init(&c, QC_KIND_DATA);
        ck_assert_int_eq(qc_dataset_encode(&d, &whole, &err), 0);
        for (uint32_t s = 0; s < whole.n; s++) {
            QcWriter w = {0};
            if (k < 4 && !strcmp(whole.sections[s].name, needed[k])) continue;
            qc_put_bytes(&w, whole.sections[s].bytes, whole.sections[s].length);
            ck_assert_int_eq(qc_container_add(&c, whole.sections[s].name, whole.sections[s].flags, &w, &err), 0);
        }
        QcWriter w = {0};
        if (k == 4) ck_assert_int_eq(qc_container_add(&c, "riddle", 0, &w, &err), 0);
        ck_assert_int_eq(qc_dataset_decode(&back, &c, &err), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        ck_assert_msg(strstr(err.text, k == 4 ? "riddle" : needed[k]) != NULL, "%s", err.text);
        qc_container_release(&c);
        qc_container_release(&whole);
    }
    qc_dataset_release(&d);
}
END_TEST

START_TEST(empty_dataset_is_not_saved)
{
    QcDataset d;
    ck_assert_int_eq(qc_dataset_init(&d, 0, 1, 1, 1, 0, &err), 0);
    ck_assert_int_eq(qc_dataset_save(&d, scratch_path("none.qcd"), &err), -1);
    struct stat about;
    ck_assert_int_ne(stat(scratch_path("none.qcd"), &about), 0);
    qc_dataset_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("datasetfile");
    TCase *t = tcase_create("datasetfile");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, dataset_round_trip, 0, 2);
    tcase_add_loop_test(t, any_command_can_be_read_back, 0, 3);
    tcase_add_test(t, every_flipped_or_missing_byte_is_detected);
    tcase_add_loop_test(t, wrong_content_is_refused, 0, WRONGS);
    tcase_add_test(t, wrong_shape_is_refused);
    tcase_add_loop_test(t, damaged_sections_do_no_harm, 0, 3);
    tcase_add_test(t, missing_and_unknown_sections_are_refused);
    tcase_add_test(t, empty_dataset_is_not_saved);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
