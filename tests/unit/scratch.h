/* scratch.h - a temporary folder for a test's files, removed if the test passes. Include after check.h. */
#ifndef QC_TESTS_SCRATCH_H
#define QC_TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char scratch[64];

static inline void scratch_make(void)
{
    strcpy(scratch, "/tmp/qc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline void scratch_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    ck_assert_int_eq(system(command), 0);
}

/* The path of a name in the folder; eight can be used side by side. */
static inline const char *scratch_path(const char *name)
{
    static char paths[8][256];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", scratch, name);
    return paths[turn];
}

static inline const char *scratch_write(const char *name, const void *bytes, size_t length)
{
    const char *path = scratch_path(name);
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(bytes, 1, length, out), length);
    ck_assert_int_eq(fclose(out), 0);
    return path;
}

static inline const char *scratch_text(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

/* All of NAME.ENDING, which has n floats; the caller frees them. */
static inline float *scratch_floats(const char *name, const char *ending, size_t n)
{
    char file[160];
    float *values = malloc((n + 1) * sizeof *values);
    ck_assert_ptr_nonnull(values);
    snprintf(file, sizeof file, "%s.%s", name, ending);
    FILE *in = fopen(scratch_path(file), "rb");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fread(values, sizeof *values, n + 1, in), n);
    fclose(in);
    return values;
}

#endif
