/* fuzz.h - what fuzz targets share. A target is one file, fuzz_NAME.c, with libFuzzer's LLVMFuzzerTestOneInput; its
 * seeds lie in seeds/NAME.
 *
 * `make check` replays seeds and thousands of damaged copies of them (replay.c), the same ones each time; `make
 * fuzz-NAME` lets clang's libFuzzer search. Either way an input is refused in one sentence, or becomes a dataset that
 * our own file format takes.
 */
#ifndef QC_TESTS_FUZZ_H
#define QC_TESTS_FUZZ_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/data/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static inline void fuzz_demand(int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* A failure must say something, in one line. */
static inline void fuzz_refused(const QcErr *err)
{
    fuzz_demand(err->code != QC_OK && *err->text && !strchr(err->text, '\n'), "a failure without a proper sentence");
}

/* The bytes as a file; fuzz_close when done. */
static inline int fuzz_open(char path[64], const uint8_t *bytes, size_t length)
{
    int file = memfd_create("fuzz", 0);
    fuzz_demand(file >= 0 && write(file, bytes, length) == (ssize_t)length, "no memory for a file");
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

static inline void fuzz_dataset(QcDataset *d)
{
    QcErr err = {0};
    QcContainer c;
    QcDataset back;
    qc_container_init(&c, QC_KIND_DATA);
    fuzz_demand(!qc_dataset_encode(d, &c, &err), "a dataset that cannot be written");
    fuzz_demand(!qc_dataset_decode(&back, &c, &err), err.text);
    qc_container_release(&c);
    qc_dataset_release(&back);
    qc_dataset_release(d);
}

static inline void fuzz_import_path(const char *format, const char *path, const QcImportOptions *o)
{
    QcErr err = {0};
    QcDataset d;
    qc_max_bytes = 1 << 22; /* what inflates is to stop soon */
    if (qc_import(&d, format, path, o, &err)) fuzz_refused(&err);
    else fuzz_dataset(&d);
}

static inline void fuzz_import(const char *format, const uint8_t *bytes, size_t length, const QcImportOptions *o)
{
    char path[64];
    int file = fuzz_open(path, bytes, length);
    fuzz_import_path(format, path, o);
    close(file);
}

/* ---- formats that are folders ---- */

static inline void fuzz_put(const char *root, const char *name, const uint8_t *bytes, size_t length)
{
    char path[512];
    size_t start = strlen(root) + 1;
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + start; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(path, 0700);
    }
    FILE *out = fopen(path, "wb");
    fuzz_demand(out && fwrite(bytes, 1, length, out) == length && !fclose(out), "a file that cannot be written");
}

static inline int fuzz_remove(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static inline void fuzz_remove_tree(const char *root) { nftw(root, fuzz_remove, 8, FTW_DEPTH | FTW_PHYS); }

/* Where files of one input go: memory, if there is any. */
static inline const char *fuzz_files(void) { return access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm"; }

/* A new folder there. */
static inline void fuzz_make_folder(char root[32])
{
    snprintf(root, 32, "%s/qc-fuzz-XXXXXX", fuzz_files());
    fuzz_demand(mkdtemp(root) != NULL, "no folder for files");
}

/* A folder with this file alone, gone afterwards. */
static inline void fuzz_import_folder(const char *format, const char *name, const uint8_t *bytes, size_t length,
                                      const QcImportOptions *o)
{
    char root[32];
    fuzz_make_folder(root);
    fuzz_put(root, name, bytes, length);
    fuzz_import_path(format, root, o);
    fuzz_remove_tree(root);
}

#endif
