/* nametable.h - which of many names is which, in time that does not grow with their number, whoever chose them: the
 * hash has a key of this process's own. */
#ifndef QC_BASE_NAMETABLE_H
#define QC_BASE_NAMETABLE_H

#include "arena.h"

typedef struct QcNameTable {
    struct QcNameSlot *slots; /* [room] from the arena; room is a power of two */
    uint32_t n, room;
} QcNameTable; /* all zero = empty and valid; dies with the arena */

int64_t qc_nametable_find(const QcNameTable *t, const char *name); /* its index; -1: it is not there */

/* Adds a name, which is borrowed. 0: it is new; 1: it is there already, and nothing changes; -1: memory is out. */
int qc_nametable_add(QcNameTable *t, QcArena *arena, const char *name, uint32_t index, QcErr *err);

#endif
