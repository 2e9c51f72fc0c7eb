/* check.h - as much of Check's as tests/unit/test_kernels.c and test_kernelconvs.c ask for, for processors that have no
 * libcheck here: the first failure ends the program. Under an operating system each test is a process of its own; on a
 * bare machine those that QC_PLAIN_BARE names ("a", "b") run one after the other.
 */
#ifndef QC_TESTS_PLAIN_CHECK_H
#define QC_TESTS_PLAIN_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Suite { int tests; } Suite;
typedef Suite TCase;
typedef Suite SRunner;
enum { CK_NORMAL };
enum fork_status { CK_FORK_GETENV, CK_FORK };

static Suite the_suite;
static void (*plain_setup)(void);

#define ck_assert_msg(holds, ...) \
    do { \
        if (holds) break; \
        printf("%s:%d: ", __FILE__, __LINE__); \
        printf(__VA_ARGS__); \
        printf("\n"); \
        exit(1); \
    } while (0)
#define ck_abort_msg(...) ck_assert_msg(0, __VA_ARGS__)
#define ck_assert(holds) ck_assert_msg(holds, "%s", "not so: " #holds)
#define ck_assert_int_eq(a, b) ck_assert((a) == (b))
#define ck_assert_uint_eq(a, b) ck_assert((a) == (b))
#define ck_assert_uint_ge(a, b) ck_assert((a) >= (b))
#define ck_assert_ptr_eq(a, b) ck_assert((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_ne(a, b) ck_assert((const void *)(a) != (const void *)(b))
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_str_eq(a, b) ck_assert(strcmp(a, b) == 0)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)
#define ck_assert_float_eq(a, b) ck_assert((a) == (b))
#define ck_assert_double_eq_tol(a, b, tolerance) ck_assert((a) - (b) < (tolerance) && (b) - (a) < (tolerance))

#define START_TEST(name) static void name(int _i)
#define END_TEST

#ifdef QC_PLAIN_BARE
static inline void plain_run(void (*test)(int), int i, const char *name)
{
    static const char *const wanted[] = {QC_PLAIN_BARE};
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        if (strcmp(name, wanted[k])) continue;
        plain_setup();
        test(i);
        the_suite.tests++;
        printf("%s %d\n", name, i);
    }
}
#else
#include <sys/wait.h>
#include <unistd.h>
static inline void plain_run(void (*test)(int), int i, const char *name)
{
    int status = 1;
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        plain_setup();
        test(i);
        fflush(stdout);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status) {
        printf("%s (%d) failed\n", name, i);
        exit(1);
    }
    the_suite.tests++;
}
#endif

static inline void plain_loop(void (*test)(int), int from, int to, const char *name)
{
    for (int i = from; i < to; i++) plain_run(test, i, name);
}

#define suite_create(name) (&the_suite)
#define tcase_create(name) (&the_suite)
#define tcase_set_timeout(t, seconds) (void)(t)
#define tcase_add_checked_fixture(t, before, after) (plain_setup = (before))
#define tcase_add_test(t, test) plain_run(test, 0, #test)
#define tcase_add_loop_test(t, test, from, to) plain_loop(test, from, to, #test)
#define suite_add_tcase(suite, t) (void)(suite)
#define srunner_create(suite) (suite)
#define srunner_set_fork_status(runner, how) (void)(how)
#define srunner_run_all(runner, how) printf("%d tests of kernels passed\n", (runner)->tests)
#define srunner_ntests_failed(runner) ((runner)->tests == 0)
#define srunner_free(runner) (void)(runner)

#endif
