/* Open addressing, at most half full. */
#include "nametable.h"

#include <string.h>
#include <sys/random.h>

#include "rng.h"

typedef struct QcNameSlot {
    const char *name; /* NULL: free */
    uint32_t hash, index;
} QcNameSlot;

/* A secret key, so that nobody can choose names that collide in one slot. No result depends on it. */
static uint64_t process_key(void)
{
    static uint64_t key;
    /* the address of key is usually random, too */
    if (!key && getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key) key = (uintptr_t)&key;
    if (!key) key = 1;
    return key;
}

static uint32_t hash_of(const char *name)
{
    uint64_t hash = process_key(), word = 0;
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i += 8) {
        word = 0;
        memcpy(&word, name + i, length - i < 8 ? length - i : 8);
        hash = qc_hash64(hash, word);
    }
    return (uint32_t)qc_hash64(hash, length);
}

/* The slot of the name, or the free slot that it would take. */
static QcNameSlot *look_up(QcNameSlot *slots, uint32_t room, const char *name, uint32_t hash)
{
    uint32_t at = hash & (room - 1);
    while (slots[at].name && (slots[at].hash != hash || strcmp(slots[at].name, name))) at = (at + 1) & (room - 1);
    return &slots[at];
}

int64_t qc_nametable_find(const QcNameTable *t, const char *name)
{
    if (!t->n) return -1;
    const QcNameSlot *slot = look_up(t->slots, t->room, name, hash_of(name));
    return slot->name ? (int64_t)slot->index : -1;
}

static int grow(QcNameTable *t, QcArena *arena, QcErr *err)
{
    uint32_t room = t->room ? t->room * 2 : 16;
    QcNameSlot *slots = qc_arena_take(arena, room, sizeof *slots, err);
    if (!slots) return -1;
    for (uint32_t i = 0; i < t->room; i++)
        if (t->slots[i].name) *look_up(slots, room, t->slots[i].name, t->slots[i].hash) = t->slots[i];
    t->slots = slots;
    t->room = room;
    return 0;
}

int qc_nametable_add(QcNameTable *t, QcArena *arena, const char *name, uint32_t index, QcErr *err)
{
    if (t->n >= t->room / 2 && grow(t, arena, err)) return -1;
    uint32_t hash = hash_of(name);
    QcNameSlot *slot = look_up(t->slots, t->room, name, hash);
    if (slot->name) return 1;
    *slot = (QcNameSlot){name, hash, index};
    t->n++;
    return 0;
}
