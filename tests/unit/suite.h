/* suite.h - the end of every test program: runs the suite and turns its failures into the exit status. */
#ifndef QC_TESTS_SUITE_H
#define QC_TESTS_SUITE_H

#include <check.h>

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
