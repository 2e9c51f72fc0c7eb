/* Runs a fuzz target on the files of a folder and on damaged copies of them: bytes and numbers changed, pieces lost,
 * doubled, moved from one to another. The same ones each time. Usage: fuzz_NAME FOLDER [COPIES] */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/data/tree.h"
#include "fuzz.h"

enum { ROOM = 1 << 16, SEEDS_MAX = 64 };

typedef struct Seed {
    uint8_t *bytes;
    size_t length;
} Seed;

static uint8_t work[ROOM];

static void change_number(QcRng *rng, size_t length)
{
    static const uint64_t odd[] = {0,     1,     127,        128,        255,        256,        32767,
                                   65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX, (uint64_t)1 << 63};
    uint64_t value = qc_rng_below(rng, 2) ? odd[qc_rng_below(rng, sizeof odd / sizeof *odd)] : qc_rng_next(rng);
    uint32_t bytes = 1u << qc_rng_below(rng, 4), big = qc_rng_below(rng, 2);
    if (length < bytes) return;
    uint32_t at = qc_rng_below(rng, (uint32_t)(length - bytes + 1));
    for (uint32_t k = 0; k < bytes; k++) work[at + k] = (uint8_t)(value >> 8 * (big ? bytes - 1 - k : k));
}

/* A piece of `from` is put instead of one of ours. */
static size_t splice(QcRng *rng, size_t length, const Seed *from)
{
    uint32_t piece = 1 + qc_rng_below(rng, (uint32_t)(from->length < 64 ? from->length : 64)),
             source = qc_rng_below(rng, (uint32_t)(from->length - piece + 1));
    uint32_t at = qc_rng_below(rng, (uint32_t)length), lost = qc_rng_below(rng, 65);
    if (lost > length - at) lost = (uint32_t)(length - at);
    if (length - lost + piece > ROOM) return length;
    memmove(work + at + piece, work + at + lost, length - at - lost);
    memcpy(work + at, from->bytes + source, piece);
    return length - lost + piece;
}

static size_t damage(QcRng *rng, size_t length, const Seed *seeds, uint32_t n)
{
    static const char signs[] = "0123456789-+.eE,;:\t \n\r\"'@#%?{}()nai\\\xff";
    if (!length) return 0;
    uint32_t at = qc_rng_below(rng, (uint32_t)length);
    switch (qc_rng_below(rng, 6)) {
    case 0: work[at] ^= (uint8_t)(1u << qc_rng_below(rng, 8)); return length;
    case 1: work[at] = (uint8_t)signs[qc_rng_below(rng, sizeof signs - 1)]; return length;
    case 2: change_number(rng, length); return length;
    case 3: return qc_rng_below(rng, 4) ? length : at;
    default: return splice(rng, length, &seeds[qc_rng_below(rng, n)]);
    }
}

static int read_seeds(Seed *seeds, uint32_t *n, const char *path, QcErr *err)
{
    QcArena arena = {0};
    QcFolder folder;
    int status = qc_folder_read(&folder, path, &arena, err);
    for (uint32_t k = 0; !status && k < folder.n && *n < SEEDS_MAX; k++) {
        status = qc_read_all(folder.entries[k].path, &seeds[*n].bytes, &seeds[*n].length, err);
        if (!status && !seeds[*n].length) free(seeds[*n].bytes);
        else if (!status) ++*n;
    }
    qc_arena_release(&arena);
    return status;
}

int main(int argc, char **argv)
{
    Seed seeds[SEEDS_MAX];
    uint32_t n = 0, copies = argc > 2 ? (uint32_t)atoi(argv[2]) : 2000;
    QcErr err = {0};
    QcRng rng = qc_rng_seed(5, 0);
    if (argc < 2 || read_seeds(seeds, &n, argv[1], &err) || !n) {
        fprintf(stderr, "usage: %s FOLDER [COPIES]; %s\n", argv[0], *err.text ? err.text : "there are no seeds");
        return 2;
    }
    LLVMFuzzerTestOneInput(work, 0);
    for (uint32_t k = 0; k < n; k++) LLVMFuzzerTestOneInput(seeds[k].bytes, seeds[k].length);
    for (uint32_t k = 0; k < copies; k++) {
        const Seed *seed = &seeds[k % n];
        size_t length = seed->length < ROOM ? seed->length : ROOM;
        memcpy(work, seed->bytes, length);
        for (uint32_t hits = 1 + qc_rng_below(&rng, 4); hits; hits--) length = damage(&rng, length, seeds, n);
        uint8_t *exact = malloc(length ? length : 1); /* so that the sanitizer sees a step beyond the end */
        if (!exact) return 1;
        memcpy(exact, work, length);
        LLVMFuzzerTestOneInput(exact, length);
        free(exact);
    }
    for (uint32_t k = 0; k < n; k++) free(seeds[k].bytes);
    printf("%u seeds, %u damaged copies\n", n, copies);
    return 0;
}
