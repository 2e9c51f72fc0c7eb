/* A file that is written in place belongs to one process, also if several start together or others change the name
 * meanwhile (lib/base/lockedfile.c). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/lockedfile.h"

static char folder[64], path[128];

static void setup(void)
{
    strcpy(folder, "/tmp/qc-locked-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state", folder);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Waits until `start` ends, opens, says 'y' (and writes who it is) or 'n', and holds the file until `hold` ends. */
static void child(const int *start, const int *said, const int *hold, int who)
{
    uint64_t size;
    char c;
    close(start[1]);
    close(hold[1]);
    while (read(start[0], &c, 1) > 0) continue;
    int file = qc_lockedfile_open(path, &size, NULL);
    c = file >= 0 && size == 0 && pwrite(file, &who, sizeof who, 0) == sizeof who ? 'y' : 'n';
    if (write(said[1], &c, 1) != 1) _exit(1);
    while (read(hold[0], &c, 1) > 0) continue;
    _exit(c == 'y' && file < 0);
}

/* Several processes start at the same time without a file: one gets the lock, and the file of this name is the file
 * that it wrote. */
START_TEST(one_of_concurrent_processes_gets_lock)
{
    enum { PROCESSES = 4 };
    for (int round = 0; round < 60; round++) {
        int start[2], said[2], hold[2], won = 0, status;
        char c;
        ck_assert(!pipe(start) && !pipe(said) && !pipe(hold));
        for (int k = 0; k < PROCESSES; k++)
            if (!fork()) child(start, said, hold, k + 1);
        close(start[1]);
        close(start[0]);
        for (int k = 0; k < PROCESSES; k++) {
            ck_assert_int_eq(read(said[0], &c, 1), 1);
            won += c == 'y';
        }
        ck_assert_int_eq(won, 1);
        struct stat about;
        ck_assert(!stat(path, &about) && about.st_size == sizeof(int));
        close(hold[1]);
        for (int k = 0; k < PROCESSES; k++) {
            wait(&status);
            ck_assert_int_eq(status, 0);
        }
        close(hold[0]);
        close(said[0]);
        close(said[1]);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

/* Another process makes and removes files of this name all the time: what is opened always is the file of that name at
 * the end of opening. */
START_TEST(lock_is_correct_while_file_is_replaced)
{
    pid_t other = fork();
    if (!other)
        for (;;) {
            char spare[140];
            snprintf(spare, sizeof spare, "%s.new", path);
            FILE *file = fopen(spare, "wb");
            if (file) fclose(file);
            rename(spare, path);
            unlink(path);
        }
    for (int k = 0; k < 2000; k++) {
        uint64_t size;
        struct stat about;
        int file = qc_lockedfile_open(path, &size, NULL);
        if (file < 0) continue; /* again and again */
        ck_assert(!fstat(file, &about) && S_ISREG(about.st_mode) && size == 0);
        close(file);
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
}
END_TEST

START_TEST(non_regular_file_is_refused)
{
    uint64_t size;
    QcErr err = {0};
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(qc_lockedfile_open(path, &size, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "regular"));
    ck_assert_int_eq(qc_lockedfile_open(folder, &size, &err), -1);
    ck_assert_int_eq(qc_lockedfile_open("/dev/null", &size, &err), -1);
    ck_assert_int_eq(qc_lockedfile_open("/none/such", &size, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lockedfile");
    TCase *tcase = tcase_create("lockedfile");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_of_concurrent_processes_gets_lock);
    tcase_add_test(tcase, lock_is_correct_while_file_is_replaced);
    tcase_add_test(tcase, non_regular_file_is_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
