/* suite.h - the last call of every test program: runs the suite; the exit status is 1 if a test failed. */
#ifndef QC_TESTS_SUITE_H
#define QC_TESTS_SUITE_H

#include <check.h>

static inline int run_suite_by(Suite *suite, enum fork_status fork_status)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, fork_status);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

static inline int run_suite(Suite *suite)
{
    return run_suite_by(suite, CK_FORK_GETENV);
}

/* Each test in its own process, also if CK_FORK=no: for choices that a process makes once. */
static inline int run_suite_apart(Suite *suite)
{
    return run_suite_by(suite, CK_FORK);
}

#endif
