/* How an output replaces its file (lib/base/output.c): permissions, links, names that others created, remains of
 * killed processes, two writers at a time. Each test uses temporary files without a name and with a name (_i = 1). */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/file.h"

static char folder[64], path[128];
static QcErr err;

static void setup(void)
{
    strcpy(folder, "/tmp/qc-output-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    umask(022);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static int files_in_folder(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static void write_to(const char *to, const char *text)
{
    ck_assert_msg(!qc_write_all(to, text, strlen(text), &err), "%s", err.text);
}

static void make(const char *name, const char *text)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void expect(const char *name, const char *text)
{
    uint8_t *bytes;
    size_t length;
    ck_assert_msg(!qc_read_all(name, &bytes, &length, &err), "%s", err.text);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_mem_eq(bytes, text, length);
    free(bytes);
}

static mode_t mode_of(const char *name)
{
    struct stat about;
    ck_assert_int_eq(lstat(name, &about), 0);
    return about.st_mode;
}

START_TEST(permissions_are_kept_and_new_files_follow_umask)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0444, 0755};
    qc_output_named = _i;
    umask(027);
    write_to(path, "new");
    ck_assert_uint_eq(mode_of(path) & 07777, 0640);
    for (int k = 0; k < 5; k++) {
        ck_assert_int_eq(chmod(path, modes[k]), 0);
        write_to(path, "again");
        ck_assert_uint_eq(mode_of(path) & 07777, modes[k]);
        expect(path, "again");
    }
}
END_TEST

/* A secret is never in a file that others can open, not even in a file without a name. */
START_TEST(temporary_file_has_private_permissions)
{
    QcOutput out;
    struct stat about;
    qc_output_named = _i;
    make(path, "old");
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(qc_output_open(&out, path, 1, &err), 0);
    ck_assert_int_eq(fstat(fileno(out.stream), &about), 0);
    ck_assert_uint_eq(about.st_mode & 07777, 0600);
    ck_assert_int_eq(out.temporary != NULL, _i);
    qc_output_release(&out);
}
END_TEST

START_TEST(link_is_kept_and_its_target_is_replaced)
{
    char link[128], deep[128], away[160], inner[160];
    qc_output_named = _i;
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(deep, sizeof deep, "%s/deep", folder);
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(away, sizeof away, "%s/inner/away", folder);
    ck_assert_int_eq(mkdir(inner, 0777), 0);
    make(away, "old");
    ck_assert(!symlink("inner/away", link) && !symlink("link", deep)); /* a link to a link, both relative */
    write_to(deep, "new");
    expect(away, "new");
    ck_assert(S_ISLNK(mode_of(link)) && S_ISLNK(mode_of(deep)));
    ck_assert_int_eq(unlink(away), 0); /* the file is made where the links point */
    write_to(deep, "made");
    expect(away, "made");
    ck_assert_int_eq(files_in_folder(), 3);
    ck_assert(qc_same_output(deep, away) && qc_same_output(link, deep) && !qc_same_output(link, path));
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink("deep", link), 0); /* round and round */
    ck_assert_int_eq(qc_write_all(link, "x", 1, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
}
END_TEST

/* PATH.tmp.PID, which 0.1.0 wrote to, may be a link of another user to a file that must not change. */
START_TEST(planted_symbolic_link_is_not_followed)
{
    char planted[160], victim[128];
    qc_output_named = _i;
    snprintf(planted, sizeof planted, "%s.tmp.%ld", path, (long)getpid());
    snprintf(victim, sizeof victim, "%s/victim", folder);
    make(victim, "stays");
    ck_assert_int_eq(symlink(victim, planted), 0);
    write_to(path, "new");
    expect(victim, "stays");
    ck_assert(S_ISLNK(mode_of(planted)) && S_ISREG(mode_of(path)));
}
END_TEST

START_TEST(temporary_names_differ_each_time)
{
    QcOutput one, two;
    qc_output_named = 1;
    ck_assert(!qc_output_open(&one, path, 1, &err) && !qc_output_open(&two, path, 1, &err));
    ck_assert_str_ne(one.temporary, two.temporary);
    qc_output_release(&one);
    qc_output_release(&two);
    ck_assert_int_eq(files_in_folder(), 0);
}
END_TEST

START_TEST(long_file_names_can_be_written)
{
    char name[400];
    qc_output_named = _i;
    int n = snprintf(name, sizeof name, "%s/", folder);
    memset(name + n, 'n', 255);
    name[n + 255] = 0;
    write_to(name, "new");
    expect(name, "new");
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

static pid_t start_and_die(int named)
{
    pid_t child = fork();
    if (!child) {
        QcOutput out;
        qc_output_named = named;
        if (qc_output_open(&out, path, 1, NULL)) _exit(1);
        fputs("half", out.stream);
        fflush(out.stream);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    return child;
}

START_TEST(only_temporary_files_of_dead_processes_are_removed)
{
    char other[160], living[160];
    start_and_die(0);
    ck_assert_int_eq(files_in_folder(), 0); /* a file without a name leaves nothing */
    start_and_die(1);
    start_and_die(1);
    ck_assert(files_in_folder() >= 1); /* the second swept the first */
    snprintf(other, sizeof other, "%s/out.tmp.notes", folder); /* the user's own */
    snprintf(living, sizeof living, "%s/out.tmp.0123456789ab", folder);
    make(other, "mine");
    int file = open(living, O_RDWR | O_CREAT, 0600);
    ck_assert(file >= 0 && !flock(file, LOCK_EX)); /* as another process that writes it now */
    qc_output_named = _i;
    write_to(path, "new");
    ck_assert_int_eq(files_in_folder(), 3);
    expect(other, "mine");
    close(file);
    write_to(path, "newer");
    ck_assert_int_eq(files_in_folder(), 2);
}
END_TEST

/* A child writes PATH, says so, and lives on until its input ends. */
static pid_t writer(int *said, int *hold)
{
    int out[2], in[2];
    ck_assert(!pipe(out) && !pipe(in));
    pid_t child = fork();
    if (!child) {
        char c;
        close(in[1]);
        c = qc_write_all(path, "first", 5, NULL) ? 'n' : 'y';
        if (write(out[1], &c, 1) != 1) _exit(1);
        while (read(in[0], &c, 1) > 0) continue;
        _exit(0);
    }
    close(out[1]);
    close(in[0]);
    *said = out[0];
    *hold = in[1];
    return child;
}

START_TEST(concurrent_writer_is_refused_at_open)
{
    int said, hold;
    char c = 0;
    qc_output_named = _i;
    pid_t child = writer(&said, &hold);
    ck_assert(read(said, &c, 1) == 1 && c == 'y');
    ck_assert_int_eq(qc_output_check(path, 1, &err), -1); /* at the start of long work, too */
    ck_assert_int_eq(qc_write_all(path, "second", 6, &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_ptr_nonnull(strstr(err.text, "another process"));
    expect(path, "first");
    close(hold);
    waitpid(child, NULL, 0);
    close(said);
    write_to(path, "second"); /* it is over */
    write_to(path, "third");
    expect(path, "third");
}
END_TEST

/* Both began before there was a file: whoever is second to write is refused. */
START_TEST(second_writer_of_new_file_is_refused)
{
    QcOutput out;
    int said, hold;
    char c = 0;
    qc_output_named = _i;
    ck_assert_int_eq(qc_output_open(&out, path, 1, &err), 0);
    fputs("second", out.stream);
    pid_t child = writer(&said, &hold);
    ck_assert(read(said, &c, 1) == 1 && c == 'y');
    ck_assert_int_eq(qc_output_commit(&out, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "another process"));
    expect(path, "first");
    close(hold);
    waitpid(child, NULL, 0);
    close(said);
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

/* Opens PATH, says so, waits until `start` ends, commits, says 'y' or 'n', and lives until `hold` ends. */
static void commit_together(const int *start, const int *said, const int *hold, int who)
{
    QcOutput out;
    char c;
    close(start[1]);
    close(hold[1]);
    if (qc_output_open(&out, path, 1, NULL)) _exit(1);
    fprintf(out.stream, "%d", who);
    if (write(said[1], "o", 1) != 1) _exit(1);
    while (read(start[0], &c, 1) > 0) continue;
    c = qc_output_commit(&out, NULL) ? 'n' : 'y';
    if (write(said[1], &c, 1) != 1) _exit(1);
    while (read(hold[0], &c, 1) > 0) continue;
    _exit(0);
}

/* Several processes have opened an output that does not exist, and commit at the same time: one of them writes it. */
START_TEST(one_of_concurrent_writers_makes_new_file)
{
    enum { PROCESSES = 4 };
    qc_output_named = _i;
    for (int round = 0; round < 60; round++) {
        int start[2], said[2], hold[2], won = 0, status;
        char c = 0;
        ck_assert(!pipe(start) && !pipe(said) && !pipe(hold));
        for (int k = 0; k < PROCESSES; k++)
            if (!fork()) commit_together(start, said, hold, k);
        close(start[0]);
        for (int k = 0; k < PROCESSES; k++) ck_assert(read(said[0], &c, 1) == 1 && c == 'o');
        close(start[1]);
        for (int k = 0; k < PROCESSES; k++) {
            ck_assert_int_eq(read(said[0], &c, 1), 1);
            won += c == 'y';
        }
        ck_assert_int_eq(won, 1);
        ck_assert_int_eq(files_in_folder(), 1);
        close(hold[0]);
        close(hold[1]);
        for (int k = 0; k < PROCESSES; k++) {
            wait(&status);
            ck_assert_int_eq(status, 0);
        }
        close(said[0]);
        close(said[1]);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

START_TEST(many_outputs_of_one_process)
{
    char name[160];
    qc_output_named = _i;
    for (int turn = 0; turn < 2; turn++)
        for (int k = 0; k < 50; k++) { /* more than there are places for locks */
            snprintf(name, sizeof name, "%s/part%d", folder, k);
            write_to(name, "part");
        }
    ck_assert_int_eq(files_in_folder(), 50);
}
END_TEST

/* Pieces are read of what a file names, so a pipe there must not stop the program. */
START_TEST(pieces_need_regular_file)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(qc_pieces_open(path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "regular"));
    ck_assert_ptr_null(qc_pieces_open(folder, &err));
    ck_assert_ptr_null(qc_pieces_open("/dev/zero", &err));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *tcase = tcase_create("output");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, permissions_are_kept_and_new_files_follow_umask, 0, 2);
    tcase_add_loop_test(tcase, temporary_file_has_private_permissions, 0, 2);
    tcase_add_loop_test(tcase, link_is_kept_and_its_target_is_replaced, 0, 2);
    tcase_add_loop_test(tcase, planted_symbolic_link_is_not_followed, 0, 2);
    tcase_add_test(tcase, temporary_names_differ_each_time);
    tcase_add_loop_test(tcase, long_file_names_can_be_written, 0, 2);
    tcase_add_loop_test(tcase, only_temporary_files_of_dead_processes_are_removed, 0, 2);
    tcase_add_loop_test(tcase, concurrent_writer_is_refused_at_open, 0, 2);
    tcase_add_loop_test(tcase, second_writer_of_new_file_is_refused, 0, 2);
    tcase_add_loop_test(tcase, one_of_concurrent_writers_makes_new_file, 0, 2);
    tcase_add_loop_test(tcase, many_outputs_of_one_process, 0, 2);
    tcase_add_test(tcase, pieces_need_regular_file);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
