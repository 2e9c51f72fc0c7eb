/* Views of inputs: a mapped file has the bytes of the file, also after its pages were returned to the system. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/arena.h"
#include "../../lib/base/file.h"
#include "../../lib/base/inputview.h"
#include "../../lib/cli/cli.h"
#include "suite.h"

enum { LENGTH = 5000003 };

static char path[64];
static uint8_t *content;

static void setup(void)
{
    QcErr err = {0};
    content = malloc(LENGTH);
    for (uint32_t k = 0; k < LENGTH; k++) content[k] = (uint8_t)(k * 2654435761u >> 24);
    strcpy(path, "/tmp/qc-view-XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
    ck_assert_msg(!qc_write_all(path, content, LENGTH, &err), "%s", err.text);
}

static void teardown(void)
{
    unlink(path);
    free(content);
}

static void expect_whole(const QcInputView *v)
{
    ck_assert_uint_eq(v->length, LENGTH);
    ck_assert_mem_eq(v->bytes, content, LENGTH);
}

START_TEST(mapped_file_keeps_its_bytes_after_pages_are_given_back)
{
    QcInputView v;
    QcErr err = {0};
    uint8_t digest[QC_DIGEST_BYTES], other[QC_DIGEST_BYTES];
    ck_assert_int_eq(qc_inputview_open(&v, path, &err), 0);
    ck_assert_ptr_null(v.own);
    expect_whole(&v);
    qc_inputview_pass(&v, v.bytes + 3 * 1000 * 1000);
    ck_assert_uint_gt(v.passed, 0);
    ck_assert_uint_le(v.passed, 3 * 1000 * 1000);
    qc_inputview_drop(&v, v.bytes + 4 * 1000 * 1000);
    expect_whole(&v);
    qc_inputview_digest(&v, digest);
    qc_digest(other, content, LENGTH);
    ck_assert_mem_eq(digest, other, sizeof digest);
    ck_assert_uint_eq(v.passed, 0);
    expect_whole(&v);
    qc_inputview_close(&v);
}
END_TEST

START_TEST(pipe_is_read_into_memory)
{
    char fifo[80], command[300];
    QcInputView v;
    QcErr err = {0};
    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    snprintf(command, sizeof command, "mkfifo %s && (cat %s >%s &)", fifo, path, fifo);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(qc_inputview_open(&v, fifo, &err), 0);
    unlink(fifo);
    ck_assert_ptr_nonnull(v.own);
    qc_inputview_pass(&v, v.bytes + LENGTH);
    expect_whole(&v);
    qc_inputview_drop(&v, v.bytes + 2 * 1000 * 1000); /* the bytes before are lost, all others stay */
    ck_assert_mem_eq(v.bytes + 2 * 1000 * 1000, content + 2 * 1000 * 1000, LENGTH - 2 * 1000 * 1000);
    qc_inputview_close(&v);
}
END_TEST

START_TEST(empty_large_and_missing_files)
{
    QcInputView v;
    QcErr err = {0};
    qc_max_bytes = LENGTH - 1;
    ck_assert_int_ne(qc_inputview_open(&v, path, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "larger than"));
    qc_max_bytes = LENGTH;
    ck_assert_int_eq(qc_inputview_open(&v, path, &err), 0);
    qc_inputview_close(&v);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(qc_inputview_open(&v, path, &err), 0);
    ck_assert_uint_eq(v.length, 0);
    qc_inputview_close(&v);
    unlink(path);
    ck_assert_int_ne(qc_inputview_open(&v, path, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
}
END_TEST

START_TEST(file_that_shrinks_ends_the_program_with_a_sentence)
{
    static const QcOption none[] = {{0}};
    static const QcProgram program = {"shrink", "", NULL, none, 1};
    char text[200] = "";
    int pipes[2], status;
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (!child) {
        char *words[] = {"shrink", NULL};
        QcInputView v;
        QcErr err = {0};
        dup2(pipes[1], 2);
        qc_cli_parse(&program, 1, words);
        if (qc_inputview_open(&v, path, &err) || truncate(path, 4096)) _exit(99);
        volatile uint8_t last = v.bytes[LENGTH - 1];
        _exit(last ? 98 : 97);
    }
    close(pipes[1]);
    ck_assert_int_gt(read(pipes[0], text, sizeof text - 1), 0);
    size_t used = strlen(text);
    if (read(pipes[0], text + used, sizeof text - 1 - used) < 0) ck_abort();
    waitpid(child, &status, 0);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), QC_EIO);
    ck_assert_str_eq(text, "shrink: an input became shorter while it was read\n");
}
END_TEST

/* qc_give_back keeps the bytes before and after the range, for every page size. */
START_TEST(memory_is_given_back_within_the_range_alone)
{
    enum { ROOM = 1 << 20 };
    QcErr err = {0};
    QcArena arena = {0};
    uint8_t *x = malloc(ROOM);
    ck_assert_int_eq(qc_arena_adopt(&arena, x, &err), 0);
    for (size_t from = 1; from < 20000; from += 3333)
        for (size_t n = 0; n < 200000; n += 77777) {
            memset(x, 7, ROOM);
            qc_give_back(x + from, n);
            size_t lost = 0, wrong = 0;
            for (size_t k = 0; k < ROOM; k++) {
                lost += x[k] != 7;
                wrong += x[k] != 7 && (k < from || k >= from + n || x[k]);
            }
            ck_assert_uint_eq(wrong, 0);
            ck_assert(n < 150000 || lost > 0);
        }
    qc_arena_release(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inputview");
    TCase *tcase = tcase_create("inputview");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, mapped_file_keeps_its_bytes_after_pages_are_given_back);
    tcase_add_test(tcase, pipe_is_read_into_memory);
    tcase_add_test(tcase, empty_large_and_missing_files);
    tcase_add_test(tcase, file_that_shrinks_ends_the_program_with_a_sentence);
    tcase_add_test(tcase, memory_is_given_back_within_the_range_alone);
    suite_add_tcase(suite, tcase);
    return run_suite_apart(suite);
}
