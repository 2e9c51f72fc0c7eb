/* test_mat73.c - MATLAB files of version 7.3: the variables of a file of version 5 with the same arrays; damaged files;
 * children that die or send what they should not. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <matio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/rng.h"
#include "../../lib/data/confine.h"
#include "../../lib/data/mat73.h"
#include "../../lib/data/matfile.h"

#include "scratch.h"
#include "importing.h"

enum { ROWS = 6, COLUMNS = 4 };

/* --- files through libmatio --------------------------------------------------------------------------------- */

static matvar_t *numbers(const char *name, int class, int type, size_t a, size_t b, const void *values, int flags)
{
    matvar_t *v = Mat_VarCreate(name, (enum matio_classes)class, (enum matio_types)type, 2, (size_t[]){a, b},
                                (void *)(uintptr_t)values, flags);
    ck_assert_ptr_nonnull(v);
    return v;
}

static matvar_t *text(const char *name, const char *words)
{
    return numbers(name, MAT_C_CHAR, MAT_T_UINT8, 1, strlen(words), words, 0);
}

static matvar_t *cells(const char *name, size_t n, matvar_t **parts)
{
    return numbers(name, MAT_C_CELL, MAT_T_CELL, n, 1, parts, 0);
}

static void put(mat_t *file, matvar_t *v, enum matio_compression packed)
{
    ck_assert_int_eq(Mat_VarWrite(file, v, packed), 0);
    Mat_VarFree(v);
}

static double value(int row, int column) { return row * 10 + column + .25; }

static void put_numbers(mat_t *file)
{
    static const int8_t i8[] = {-128, 0, 127};
    static const uint8_t u8[] = {0, 1, 255}, truth[] = {1, 0, 1};
    static const int16_t i16[] = {-32768, 5, 32767};
    static const uint16_t u16[] = {0, 5, 65535};
    static const int32_t i32[] = {INT32_MIN, 5, INT32_MAX};
    static const uint32_t u32[] = {0, 5, UINT32_MAX};
    static const int64_t i64[] = {INT64_MIN, 5, (int64_t)1 << 53};
    static const uint64_t u64[] = {0, 5, (uint64_t)1 << 63};
    double x[ROWS * COLUMNS];
    float cube[30];
    for (int k = 0; k < ROWS * COLUMNS; k++) x[k] = value(k % ROWS, k / ROWS);
    for (int k = 0; k < 30; k++) cube[k] = (float)k / 8;
    put(file, numbers("x", MAT_C_DOUBLE, MAT_T_DOUBLE, ROWS, COLUMNS, x, 0), MAT_COMPRESSION_ZLIB);
    put(file, Mat_VarCreate("cube", MAT_C_SINGLE, MAT_T_SINGLE, 3, (size_t[]){3, 2, 5}, cube, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("i8", MAT_C_INT8, MAT_T_INT8, 1, 3, i8, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("u8", MAT_C_UINT8, MAT_T_UINT8, 1, 3, u8, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("i16", MAT_C_INT16, MAT_T_INT16, 1, 3, i16, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("u16", MAT_C_UINT16, MAT_T_UINT16, 1, 3, u16, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("i32", MAT_C_INT32, MAT_T_INT32, 1, 3, i32, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("u32", MAT_C_UINT32, MAT_T_UINT32, 1, 3, u32, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("i64", MAT_C_INT64, MAT_T_INT64, 1, 3, i64, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("u64", MAT_C_UINT64, MAT_T_UINT64, 1, 3, u64, 0), MAT_COMPRESSION_NONE);
    put(file, numbers("truth", MAT_C_UINT8, MAT_T_UINT8, 3, 1, truth, MAT_F_LOGICAL), MAT_COMPRESSION_NONE);
    put(file, numbers("none", MAT_C_DOUBLE, MAT_T_DOUBLE, 0, 3, NULL, 0), MAT_COMPRESSION_NONE);
    mat_complex_split_t both = {x, x + 2};
    put(file, numbers("turned", MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 2, &both, MAT_F_COMPLEX), MAT_COMPRESSION_NONE);
}

static void put_parts(mat_t *file)
{
    static const double twelve[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const char *const names[] = {"walk", "run", "walk", "sit", "run", "walk"};
    matvar_t *labels[ROWS];
    for (int k = 0; k < ROWS; k++) labels[k] = text(NULL, names[k]);
    put(file, cells("y", ROWS, labels), MAT_COMPRESSION_NONE);
    matvar_t *inner[] = {text(NULL, "deep"), numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 1, twelve + 4, 0)};
    matvar_t *outer[] = {cells(NULL, 2, inner), numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 3, 4, twelve, 0)};
    put(file, cells("nest", 2, outer), MAT_COMPRESSION_NONE);
    put(file, text("word", "hello"), MAT_COMPRESSION_NONE);
    put(file, numbers("rows", MAT_C_CHAR, MAT_T_UINT8, 3, 2, "abcdef", 0), MAT_COMPRESSION_NONE);
    matvar_t *n = Mat_VarCreateStruct("s", 2, (size_t[]){1, 1}, (const char *[]){"x", "note", "in"}, 3);
    matvar_t *in = Mat_VarCreateStruct(NULL, 2, (size_t[]){1, 1}, (const char *[]){"n"}, 1);
    Mat_VarSetStructFieldByName(in, "n", 0, numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 1, twelve + 6, 0));
    Mat_VarSetStructFieldByName(n, "x", 0, numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 4, 3, twelve, 0));
    Mat_VarSetStructFieldByName(n, "note", 0, text(NULL, "words"));
    Mat_VarSetStructFieldByName(n, "in", 0, in);
    put(file, n, MAT_COMPRESSION_NONE);
    matvar_t *list = Mat_VarCreateStruct("list", 2, (size_t[]){1, 2}, (const char *[]){"a", "b"}, 2);
    for (size_t k = 0; k < 2; k++) {
        Mat_VarSetStructFieldByName(list, "a", k, numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 2, twelve + 3 * k, 0));
        Mat_VarSetStructFieldByName(list, "b", k, text(NULL, k ? "second" : "first"));
    }
    put(file, list, MAT_COMPRESSION_NONE);
}

static const char *make_file(const char *name, enum mat_ft version)
{
    const char *path = scratch_path(name);
    mat_t *file = Mat_CreateVer(path, NULL, version);
    ck_assert_ptr_nonnull(file);
    put_numbers(file);
    put_parts(file);
    ck_assert_int_eq(Mat_Close(file), 0);
    return path;
}

/* --- the same as version 5 ------------------------------------------------------------------------------------ */

static void compare(const QcMatVariable *v, const QcMatVariable *w)
{
    ck_assert_msg(v->kind == w->kind && v->level == w->level && v->inside == w->inside, "%s: %s", v->name, w->what);
    ck_assert_str_eq(v->what, w->what);
    ck_assert_uint_eq(v->a.rank, w->a.rank);
    for (uint32_t k = 0; k < v->a.rank; k++)
        ck_assert_msg(v->a.shape[k] == w->a.shape[k] && v->a.stride[k] == w->a.stride[k], "%s", v->name);
    ck_assert_uint_eq(v->a.count, w->a.count);
    for (uint64_t k = 0; (v->kind == QC_MAT_NUMBERS || v->kind == QC_MAT_TEXT) && k < v->a.count; k++)
        ck_assert_msg(qc_ndarray_real(&v->a, k) == qc_ndarray_real(&w->a, k), "%s: value %d", v->name, (int)k);
}

START_TEST(variables_are_those_of_version_5)
{
    QcMat *five = qc_mat_open(make_file("5.mat", MAT_FT_MAT5), QC_MAT_5, &err);
    QcMat *seven = qc_mat_open(make_file("73.mat", MAT_FT_MAT73), QC_MAT_5_OR_73, &err);
    ck_assert_msg(five && seven, "%s", err.text);
    ck_assert_uint_eq(five->n, seven->n);
    for (uint32_t k = 0; k < five->n; k++) {
        const QcMatVariable *w = qc_mat_find(seven, five->variables[k].name);
        ck_assert_msg(w != NULL, "there is no %s", five->variables[k].name);
        compare(&five->variables[k], w);
    }
    const QcMatVariable *x = qc_mat_find(seven, "x");
    for (int k = 0; k < ROWS * COLUMNS; k++)
        ck_assert_msg(qc_ndarray_real(&x->a, (uint64_t)k) == value(k % ROWS, k / ROWS), "x: value %d", k);
    qc_mat_close(five);
    qc_mat_close(seven);
    ck_assert_ptr_null(qc_mat_open(scratch_path("73.mat"), QC_MAT_5, &err));
    ck_assert_int_eq(err.code, QC_EFORMAT);
}
END_TEST

static void compare_imports(const char *five, const char *seven, QcImportOptions o, uint32_t n, uint32_t classes)
{
    QcDataset a, b;
    ck_assert_msg(!import(&a, "mat", five, o), "%s", err.text);
    ck_assert_msg(!import(&b, "mat", seven, o), "%s", err.text);
    ck_assert_uint_eq(a.n, n);
    ck_assert_uint_eq(a.labels.n, classes);
    ck_assert_msg(a.n == b.n && a.channels == b.channels && a.height == b.height && a.length == b.length, "shapes");
    ck_assert_uint_eq(a.labels.n, b.labels.n);
    for (uint32_t k = 0; k < a.labels.n; k++) ck_assert_str_eq(a.labels.names[k], b.labels.names[k]);
    ck_assert_mem_eq(a.x, b.x, sizeof *a.x * a.n * a.channels * a.height * a.length);
    ck_assert_mem_eq(a.label, b.label, sizeof *a.label * a.n);
    qc_dataset_release(&a);
    qc_dataset_release(&b);
}

START_TEST(imports_are_those_of_version_5)
{
    const char *five = make_file("5.mat", MAT_FT_MAT5), *seven = make_file("73.mat", MAT_FT_MAT73);
    compare_imports(five, seven, plain, ROWS, 3);
    compare_imports(five, seven, (QcImportOptions){.values = "s.x", .label = "none"}, 4, 0);
    compare_imports(five, seven, (QcImportOptions){.values = "cube", .label = "truth"}, 3, 2);
    compare_imports(five, seven, (QcImportOptions){.values = "nest{2}", .label = "rows"}, 3, 3);
    compare_imports(five, seven, (QcImportOptions){.window = "3", .label = "none"}, 2, 0);
}
END_TEST

/* --- damaged files ---------------------------------------------------------------------------------------------- */

static uint32_t count_descriptors(void)
{
    uint32_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

/* 1: it was read; 0: it was refused in a sentence. */
static int open_damaged(const uint8_t *bytes, size_t length)
{
    err = (QcErr){0};
    QcMat *mat = qc_mat_open(scratch_write("damaged.mat", bytes, length), QC_MAT_5_OR_73, &err);
    if (!mat) ck_assert_msg(err.code == QC_EFORMAT && *err.text && !strchr(err.text, '\n'), "%s", err.text);
    int is_read = mat != NULL;
    qc_mat_close(mat);
    return is_read;
}

START_TEST(damaged_files_are_read_or_refused)
{
    uint8_t *bytes = NULL, *copy;
    size_t length;
    uint32_t flips = 0, cuts = 0, before = count_descriptors();
    QcRng rng = qc_rng_seed(3, 0);
    ck_assert_int_eq(qc_read_all(make_file("73.mat", MAT_FT_MAT73), &bytes, &length, &err), 0);
    copy = malloc(length);
    ck_assert_ptr_nonnull(copy);
    qc_mat73_seconds = 2;
    for (int k = 0; k < 400; k++) {
        memcpy(copy, bytes, length);
        for (uint32_t n = 1 + qc_rng_below(&rng, 3); n; n--)
            copy[128 + qc_rng_below(&rng, (uint32_t)length - 128)] ^= (uint8_t)(1u << qc_rng_below(&rng, 8));
        flips += (uint32_t)open_damaged(copy, length);
    }
    for (uint32_t k = 0; k < 40; k++) cuts += (uint32_t)open_damaged(bytes, length * k / 40);
    qc_mat73_seconds = 0;
    ck_assert_msg(flips > 0 && flips < 400, "%u of 400 files are read", flips);
    ck_assert_uint_eq(cuts, 0);
    ck_assert_int_eq(open_damaged(bytes, length), 1);
    ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
    ck_assert_uint_eq(count_descriptors(), before);
    free(bytes);
    free(copy);
}
END_TEST

/* --- children -------------------------------------------------------------------------------------------------- */

static void be_silent(const QcMat *mat, int to) { (void)mat, (void)to; }
static void be_killed(const QcMat *mat, int to) { (void)mat, (void)to, raise(SIGKILL); }
static void crash(const QcMat *mat, int to) { (void)mat, (void)to, raise(SIGSEGV); }
static void print(const QcMat *mat, int to) { (void)to, (void)!write(2, mat->path, 1), abort(); }

static void turn_around(const QcMat *mat, int to)
{
    (void)mat, (void)to;
    for (volatile int k = 0;; k = !k) continue;
}

static void close_and_wait(const QcMat *mat, int to)
{
    (void)mat, close(to);
    for (;;) pause();
}

static void send_garbage(const QcMat *mat, int to)
{
    (void)mat;
    while (write(to, "seven words that are not a record ", 34) == 34) continue;
}

/* Every end of a child but the right end is the same sentence. */
START_TEST(a_child_that_dies_is_a_file_that_cannot_be_read)
{
    static QcMat73Child *const ends[] = {be_silent, be_killed, crash, print, turn_around, close_and_wait, send_garbage};
    uint32_t before = count_descriptors();
    qc_mat73_seconds = 1;
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        QcMat mat = {.path = "f"};
        err = (QcErr){0};
        ck_assert_int_eq(qc_mat73_run(&mat, ends[k], &err), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        ck_assert_msg(strstr(err.text, "f: the HDF5 library could not read") == err.text, "%s", err.text);
        qc_arena_release(&mat.arena);
        free(mat.variables);
    }
    ck_assert_msg(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
    ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

/* Writes the letters of what it still can do. */
static void try_all(int to)
{
    const char *path = scratch_path("f");
    if (qc_confine()) (void)!write(to, "-", 1);
    if (open("/dev/null", O_RDONLY) >= 0) (void)!write(to, "o", 1);
    if (!unlink(path)) (void)!write(to, "u", 1);
    if (!kill(getppid(), SIGKILL)) (void)!write(to, "k", 1);
    pid_t child = fork();
    if (!child) _exit(0);
    if (child > 0) (void)!write(to, "p", 1);
    void *memory = malloc(1 << 24);
    if (memory) (void)!write(to, "m", 1);
    _exit(0);
}

START_TEST(a_confined_process_has_memory_and_its_pipe)
{
    int ends[2];
    char can[16] = "";
    scratch_text("f", "");
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) try_all(ends[1]);
    close(ends[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_ge(read(ends[0], can, sizeof can - 1), 1);
    close(ends[0]);
    if (*can != '-') ck_assert_str_eq(can, "m"); /* else this machine has no such filter */
}
END_TEST

/* 64 MB of zeros. */
START_TEST(a_file_that_inflates_too_much_is_refused)
{
    const char *path = scratch_path("bomb.mat");
    mat_t *file = Mat_CreateVer(path, NULL, MAT_FT_MAT73);
    double *zeros = calloc(1 << 23, sizeof *zeros);
    ck_assert_msg(file && zeros, "no memory");
    put(file, numbers("x", MAT_C_DOUBLE, MAT_T_DOUBLE, 1 << 12, 1 << 11, zeros, MAT_F_DONT_COPY_DATA),
        MAT_COMPRESSION_ZLIB);
    ck_assert_int_eq(Mat_Close(file), 0);
    free(zeros);
    qc_max_bytes = 1 << 25;
    ck_assert_ptr_null(qc_mat_open(path, QC_MAT_5_OR_73, &err));
    qc_max_bytes = QC_MAX_BYTES_DEFAULT;
    ck_assert_msg(err.code == QC_EFORMAT && strstr(err.text, "--max-bytes"), "%s", err.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mat73");
    TCase *tests = tcase_create("mat73");
    tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
    tcase_set_timeout(tests, 300); /* a thousand processes */
    tcase_add_test(tests, variables_are_those_of_version_5);
    tcase_add_test(tests, imports_are_those_of_version_5);
    tcase_add_test(tests, damaged_files_are_read_or_refused);
    tcase_add_test(tests, a_child_that_dies_is_a_file_that_cannot_be_read);
    tcase_add_test(tests, a_confined_process_has_memory_and_its_pipe);
    tcase_add_test(tests, a_file_that_inflates_too_much_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
