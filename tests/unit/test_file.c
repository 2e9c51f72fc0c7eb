/* Outputs are never torn: whatever fails, and whenever the program is killed, either the old file or the new file is
 * whole. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/file.h"

static char folder[64], path[128];

static void setup(void)
{
    QcErr err = {0};
    strcpy(folder, "/tmp/qc-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    ck_assert_int_eq(qc_write_all(path, "old", 3, &err), 0);
}

static int files_in_folder(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void expect(const char *text)
{
    uint8_t *bytes;
    size_t length;
    QcErr err = {0};
    ck_assert_msg(qc_read_all(path, &bytes, &length, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_mem_eq(bytes, text, length);
    free(bytes);
}

START_TEST(new_file_replaces_old)
{
    QcErr err = {0};
    ck_assert_int_eq(qc_write_all(path, "newer", 5, &err), 0);
    expect("newer");
    ck_assert_int_eq(files_in_folder(), 1); /* nothing temporary is left */
}
END_TEST

START_TEST(cancelled_output_keeps_old_file)
{
    QcErr err = {0};
    QcOutput out;
    ck_assert_int_eq(qc_output_open(&out, path, 1, &err), 0);
    fputs("half", out.stream);
    qc_output_release(&out);
    qc_output_release(&out);
    expect("old");
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

START_TEST(signal_removes_temporary_files_of_all_outputs)
{
    QcErr err = {0};
    QcOutput one, two;
    char other[128];
    snprintf(other, sizeof other, "%s/other", folder);
    qc_output_named = 1;
    ck_assert_int_eq(qc_write_all(path, "done", 4, &err), 0);
    ck_assert_int_eq(qc_output_open(&one, path, 1, &err), 0);
    ck_assert_int_eq(qc_output_open(&two, other, 1, &err), 0);
    ck_assert_int_eq(files_in_folder(), 3);
    qc_output_cleanup(); /* as a handler does */
    ck_assert_int_eq(files_in_folder(), 1);
    expect("done");
    qc_output_release(&one);
    qc_output_release(&two);
}
END_TEST

START_TEST(full_disk_keeps_old_file)
{
    static char big[1 << 20];
    QcErr err = {0};
    struct rlimit limit = {4096, 4096}; /* files may grow to 4 KiB: the nearest thing to a full disk without a mount */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(qc_write_all(path, big, sizeof big, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    expect("old");
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

START_TEST(full_device_is_reported)
{
    QcErr err = {0};
    ck_assert_int_eq(qc_write_all("/dev/full", "x", 1, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    struct stat about;
    ck_assert_int_eq(stat("/dev/full", &about), 0);
    ck_assert(S_ISCHR(about.st_mode)); /* not renamed over */
}
END_TEST

START_TEST(unwritable_paths_are_refused)
{
    QcErr err = {0};
    char nowhere[160];
    snprintf(nowhere, sizeof nowhere, "%s/none/out", folder);
    ck_assert_int_eq(qc_write_all(nowhere, "x", 1, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_int_eq(qc_write_all(folder, "x", 1, &err), -1); /* a folder */
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_ptr_nonnull(strstr(err.text, "directory"));
}
END_TEST

/* A child writes a file again and again, each time as many bytes of one letter as before; it is killed at some
 * moment. */
START_TEST(file_is_whole_after_kill)
{
    enum { BYTES = 200000 };
    qc_output_named = _i % 2;
    pid_t child = fork();
    if (!child) {
        static char bytes[BYTES];
        for (int i = 0;; i++) {
            memset(bytes, 'a' + i % 26, BYTES);
            qc_write_all(path, bytes, BYTES, NULL);
        }
    }
    struct timespec moment = {0, 3000000L * (_i + 1)};
    nanosleep(&moment, NULL); /* not waited for: any moment will do */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    uint8_t *bytes;
    size_t length;
    QcErr err = {0};
    ck_assert_int_eq(qc_read_all(path, &bytes, &length, &err), 0);
    ck_assert(length == BYTES || (length == 3 && !memcmp(bytes, "old", 3)));
    for (size_t i = 1; length == BYTES && i < length; i++) ck_assert_uint_eq(bytes[i], bytes[0]);
    free(bytes);
}
END_TEST

START_TEST(too_large_input_is_refused)
{
    uint8_t *bytes;
    size_t length;
    QcErr err = {0};
    qc_max_bytes = 2;
    ck_assert_int_eq(qc_read_all(path, &bytes, &length, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_ptr_nonnull(strstr(err.text, "--max-bytes"));
    qc_max_bytes = 3;
    expect("old");
    qc_max_bytes = 1000;
    ck_assert_int_eq(qc_read_all("/dev/zero", &bytes, &length, &err), -1); /* without an end */
    ck_assert_int_eq(err.code, QC_EFORMAT);
}
END_TEST

START_TEST(missing_input_is_reported)
{
    uint8_t *bytes;
    size_t length;
    QcErr err = {0};
    ck_assert_int_eq(qc_read_all("/none/such", &bytes, &length, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_int_eq(qc_read_all(folder, &bytes, &length, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
}
END_TEST

START_TEST(two_names_of_one_output_are_refused)
{
    char other[160];
    const char *base = strrchr(folder, '/') + 1;
    snprintf(other, sizeof other, "%s/../%s/./out", folder, base);
    ck_assert(qc_same_output(path, path) && qc_same_output(path, other) && qc_same_output("out", "./out") &&
              qc_same_output(NULL, "-"));
    snprintf(other, sizeof other, "%s/out2", folder);
    ck_assert(!qc_same_output(path, other) && !qc_same_output(path, "out") && !qc_same_output(path, NULL) &&
              !qc_same_output("/none/such/x", "/none/such2/x"));
    ck_assert(!qc_same_output("/dev/null", "/dev/null")); /* takes any number */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, new_file_replaces_old);
    tcase_add_test(tcase, cancelled_output_keeps_old_file);
    tcase_add_test(tcase, signal_removes_temporary_files_of_all_outputs);
    tcase_add_test(tcase, full_disk_keeps_old_file);
    tcase_add_test(tcase, full_device_is_reported);
    tcase_add_test(tcase, unwritable_paths_are_refused);
    tcase_add_loop_test(tcase, file_is_whole_after_kill, 0, 8);
    tcase_add_test(tcase, too_large_input_is_refused);
    tcase_add_test(tcase, missing_input_is_reported);
    tcase_add_test(tcase, two_names_of_one_output_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
