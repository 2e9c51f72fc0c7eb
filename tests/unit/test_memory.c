/* Exactly i allocations succeed, for every i: each failure must be reported and leak nothing (the sanitizer build
 * looks for leaks). The linker puts these wrappers before the library's own calls (see the Makefile). Calls inside
 * shared libraries are not wrapped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "tiny.h"
#include "../../lib/data/dataset.h"
#include "../../lib/format/yaml.h"
#include "../../lib/lab/rivaltable.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/graphfile.h"

static long left = -1; /* allocations that succeed; -1: all */

static int granted(void)
{
    if (left == 0) return 0;
    if (left > 0) left--;
    return 1;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes) { return granted() ? __real_malloc(bytes) : NULL; }
void *__wrap_calloc(size_t n, size_t bytes) { return granted() ? __real_calloc(n, bytes) : NULL; }
void *__wrap_realloc(void *old, size_t bytes) { return granted() ? __real_realloc(old, bytes) : NULL; }
void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return granted() ? __real_aligned_alloc(alignment, bytes) : NULL;
}

static char path[64];

/* Each of these does one thing from beginning to end and cleans up. */

static int parse_yaml(QcErr *err)
{
    static const char text[] = "a: [1, 2, {b: c, d: [e, f]}]\nlong: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n";
    QcYamlDocument d;
    int status = qc_yaml_parse(&d, text, strlen(text), "t.yaml", 1, err);
    qc_yaml_release(&d);
    return status;
}

static int save_and_load_data(QcErr *err)
{
    QcDataset d = {0}, back = {0};
    uint32_t index;
    int status = qc_dataset_init(&d, 4, 2, 1, 3, 5, err);
    if (!status) status = qc_names_add(&d.labels, &d.arena, "walk", &index, err);
    if (!status) status = qc_dataset_save(&d, path, err);
    if (!status) status = qc_dataset_load(&back, path, err);
    qc_dataset_release(&back);
    qc_dataset_release(&d);
    return status;
}

static int save_and_load_model(QcErr *err)
{
    static float mean[] = {0, 0}, deviation[] = {1, 1};
    static char *labels[] = {"walk", "sit"};
    static const QcNorm norm = {2, mean, deviation};
    QcModelFile m = {0}, back = {0};
    QcGraph g = {0}, read = {0};
    char name[QC_NAME_MAX + 1];
    int status = qc_arch_load(&g, name, "share/arch/mlp.yaml", 0, 2, 1, 8, 2, err);
    if (!status) status = qc_modelfile_init(&m, name, 2, 1, 8, 2, labels, &norm, err);
    if (!status) status = qc_graph_encode(&m, &g, err);
    if (!status) status = qc_modelfile_add_provenance(&m, "a line", err);
    if (!status) status = qc_modelfile_save(&m, path, err);
    if (!status) status = qc_modelfile_load(&back, path, err);
    if (!status) status = qc_graph_decode(&read, &back, err);
    qc_graph_release(&read);
    qc_modelfile_release(&back);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
    return status;
}

static Tiny tiny; /* made before anything may fail */

/* One batch by one method. */
static int learn_by(const QcMethod *m, QcErr *err)
{
    QcMethodRun l = {.method = m,
                     .g = &tiny.g,
                     .kernels = &qc_kernels_scalar,
                     .parameters = qc_parameters_default(8),
                     .seed = 1,
                     .capacity = 4,
                     .batch_max = 3,
                     .threads = 1};
    const uint8_t x[3 * TINY_VALUES] = {0};
    const uint16_t labels[3] = {0, 1, 2};
    const uint64_t ids[3] = {1, 2, 3};
    const QcBatch batch = {.n = 3, .windows = x, .labels = labels, .ids = ids};
    QcMethodReport report;
    int status = qc_method_settings(l.setting, m, NULL, 0, err) || qc_method_place(&l, err) ||
                 qc_method_open(&l, err) || qc_method_next(&l, &report, &batch, NULL, err);
    qc_method_close(&l);
    return status ? -1 : 0;
}

static int rehearse(QcErr *err)
{
    const QcMethod *const methods[] = {&qc_method_er_ace, &qc_method_der_pp, &qc_method_a_gem, &qc_method_camel,
                                       &qc_method_deepc};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (learn_by(methods[i], err)) return -1;
    return 0;
}

static int (*const things[])(QcErr *) = {parse_yaml, save_and_load_data, save_and_load_model, rehearse};

START_TEST(every_failed_allocation_is_reported)
{
    strcpy(path, "/tmp/qc-memory-XXXXXX");
    close(mkstemp(path));
    tiny_make(&tiny, TINY_RESIDUAL, 8, 8, 1);
    long allowed = 0;
    for (;; allowed++) {
        QcErr err = {0};
        left = allowed;
        int status = things[_i](&err);
        left = -1;
        if (!status) break;
        ck_assert_msg(err.code == QC_EFAIL, "with %ld allocations: status %d, '%s'", allowed, err.code, err.text);
        ck_assert_msg(strstr(err.text, "memory") != NULL, "with %ld allocations: '%s'", allowed, err.text);
        ck_assert_int_lt(allowed, 100000);
    }
    ck_assert_int_gt(allowed, 3);
    tiny_release(&tiny);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_failed_allocation_is_reported, 0, sizeof things / sizeof *things);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
