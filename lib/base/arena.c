#include "arena.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, BLOCK = 1 << 16 };

typedef struct QcArenaBlock {
    struct QcArenaBlock *next;
    size_t size, used; /* of the bytes after this header, header included */
} QcArenaBlock;

static QcArenaBlock *block_new(size_t bytes)
{
    QcArenaBlock *block = aligned_alloc(ALIGN, bytes);
    if (block) *block = (QcArenaBlock){.size = bytes, .used = ALIGN};
    return block;
}

void *qc_arena_take(QcArena *arena, uint64_t n, uint64_t size, QcErr *err)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2) {
        qc_fail_memory(err, "a size that does not fit this machine");
        return NULL;
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (!bytes) bytes = ALIGN;
    QcArenaBlock *block = arena->blocks;
    if (!block || block->size - block->used < bytes) {
        block = block_new(bytes + ALIGN > BLOCK ? bytes + ALIGN : BLOCK);
        if (!block) {
            qc_fail(err, QC_EFAIL, "out of memory for %zu bytes", bytes);
            return NULL;
        }
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *piece = (char *)block + block->used;
    block->used += bytes;
    arena->bytes += bytes;
    return memset(piece, 0, bytes);
}

char *qc_arena_text(QcArena *arena, const char *text, size_t length, QcErr *err)
{
    char *copy = qc_arena_take(arena, length + 1, 1, err);
    if (copy) memcpy(copy, text, length);
    return copy;
}

void qc_arena_release(QcArena *arena)
{
    if (!arena) return;
    for (QcArenaBlock *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (QcArena){0};
}

void *qc_aligned_new(uint64_t bytes, const char *what, QcErr *err)
{
    uint64_t whole = (bytes | 1) + ALIGN - 1; /* never nothing */
    void *room = bytes < SIZE_MAX / 2 ? aligned_alloc(ALIGN, (size_t)(whole - whole % ALIGN)) : NULL;
    if (!room) qc_fail_memory(err, what);
    return room;
}
