/* arena.h - memory of one host object: many pieces taken, all freed at once.
 *
 * A host object (dataset, model, graph) keeps one QcArena; everything it points to was taken from it and dies
 * with qc_arena_release. Pieces are zeroed and 64-byte aligned. Taking multiplies with an overflow check.
 */
#ifndef QC_BASE_ARENA_H
#define QC_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

typedef struct QcArena {
    struct QcArenaBlock *blocks; /* newest first */
    size_t bytes;                /* taken in all */
} QcArena; /* all zero = empty and valid */

/* n x size zeroed bytes that live until the arena is released; NULL (with err) if memory runs out. n = 0 gives a valid
 * pointer. n and size have 64 bits on every machine: a request too large for a 32-bit machine is refused. */
void *qc_arena_take(QcArena *arena, uint64_t n, uint64_t size, QcErr *err);

/* A copy of the `length` bytes at `text`, with a terminating zero. */
char *qc_arena_text(QcArena *arena, const char *text, size_t length, QcErr *err);

/* The arena takes ownership of `memory` (malloc'd) and frees it at release. 0; -1 out of memory: `memory` is freed
 * already. */
int qc_arena_adopt(QcArena *arena, void *memory, QcErr *err);

void qc_arena_release(QcArena *arena); /* NULL or zero: nothing happens */

/* Says that memory not yet touched may come in large pages, which takes much less time: of use from 8 MB on. */
void qc_advise_large(void *memory, size_t bytes);

/* Returns the whole pages within these bytes to the system (MADV_DONTNEED). Their content is lost. */
void qc_give_back(void *memory, size_t bytes);

/* 64-byte aligned memory for objects that are placed (X_bytes, X_place), without an arena: the caller frees it with
 * free(). */
void *qc_aligned_new(uint64_t bytes, const char *what, QcErr *err);

#endif
