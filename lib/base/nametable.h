/* nametable.h - the index of a name among many, in constant time, also for names that were chosen to collide: the hash
 * has a random key per process. */
#ifndef QC_BASE_NAMETABLE_H
#define QC_BASE_NAMETABLE_H

#include "arena.h"

typedef struct QcNameTable {
    struct QcNameSlot *slots; /* [room] from the arena; room is a power of two */
    uint32_t n, room;
} QcNameTable; /* all zero = empty and valid; dies with the arena */

int64_t qc_nametable_find(const QcNameTable *t, const char *name); /* its index; -1: none */

/* Adds a name, which is borrowed. 0: it is new; 1: it is there already, and nothing changes; -1: memory is out. */
int qc_nametable_add(QcNameTable *t, QcArena *arena, const char *name, uint32_t index, QcErr *err);

#endif
