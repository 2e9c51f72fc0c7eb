#include "arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGN = 64, BLOCK = 1 << 16, LARGE = 1 << 23, PAGE = 4096 };

void qc_advise_large(void *memory, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    size_t skip = (PAGE - (uintptr_t)memory % PAGE) % PAGE;
    if (bytes >= LARGE) (void)madvise((char *)memory + skip, (bytes - skip) / PAGE * PAGE, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)bytes;
#endif
}

typedef struct QcArenaBlock {
    struct QcArenaBlock *next;
    size_t size, used; /* size, used: bytes of the block, header included */
    void *base; /* the address that free takes */
    void *adopted; /* malloc'd memory that is freed with the block, or NULL */
} QcArenaBlock;

/* The block is zeroed: for large blocks calloc gets zeroed pages from the system and need not write them. */
static QcArenaBlock *block_new(size_t bytes)
{
    char *base = calloc(1, bytes + ALIGN - 1);
    if (!base) return NULL;
    qc_advise_large(base, bytes);
    QcArenaBlock *block = (QcArenaBlock *)(void *)(base + (ALIGN - (uintptr_t)base % ALIGN) % ALIGN);
    *block = (QcArenaBlock){.size = bytes, .used = ALIGN, .base = base};
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
    return piece;
}

int qc_arena_adopt(QcArena *arena, void *memory, QcErr *err)
{
    QcArenaBlock *block = calloc(1, sizeof *block);
    if (!block) {
        free(memory);
        return qc_fail_memory(err, "a block of the arena");
    }
    *block = (QcArenaBlock){.base = block, .adopted = memory};
    /* the first block stays first: qc_arena_take fills it */
    QcArenaBlock **place = arena->blocks ? &arena->blocks->next : &arena->blocks;
    block->next = *place;
    *place = block;
    return 0;
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
        free(block->adopted);
        free(block->base);
    }
    *arena = (QcArena){0};
}

void qc_give_back(void *memory, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (page - (uintptr_t)memory % page) % page;
    if (bytes > skip + page) (void)madvise((char *)memory + skip, (bytes - skip) / page * page, MADV_DONTNEED);
}

void *qc_aligned_new(uint64_t bytes, const char *what, QcErr *err)
{
    uint64_t whole = (bytes | 1) + ALIGN - 1; /* at least one byte */
    void *room = bytes < SIZE_MAX / 2 ? aligned_alloc(ALIGN, (size_t)(whole - whole % ALIGN)) : NULL;
    if (!room) qc_fail_memory(err, what);
    return room;
}
