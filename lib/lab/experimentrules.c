#include "experimentrules.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX, LETTERS = 4, TEXT_LONG = 4096 };

/* The values of an axis that a map allows. */
typedef struct Allowed {
    uint32_t axis, n;
    uint32_t *values; /* [n] rising */
} Allowed;

typedef struct QcRule {
    uint32_t map, n;
    Allowed *allowed; /* [n] by axis */
} QcRule;

/* A rule has an entry for each value of the axis of which it allows the most: its pivot. Other axes of one value are
 * part of the key, too. */
typedef struct QcRuleEntry {
    uint32_t rule, next, last; /* next: of the same key; last: of this key's first entry */
} QcRuleEntry;

typedef struct QcRuleShape {
    uint32_t axes;     /* bits: these make the key */
    QcNameTable table; /* of first entries */
} QcRuleShape;

/* ---- reading ---- */

static uint32_t count(const QcYaml *named) { return named->kind == QC_YAML_LIST ? named->n : 1; }
static const char *text_of(const QcYaml *named, uint32_t i)
{
    return named->kind == QC_YAML_LIST ? named->items[i]->text : named->text;
}

static int is_plain(const QcYaml *map)
{
    for (uint32_t k = 0; k < map->n; k++)
        for (uint32_t i = 0; i < count(map->items[k]); i++) {
            const char *text = text_of(map->items[k], i);
            if (strchr(text, '{') || strlen(text) > TEXT_LONG) return 0;
        }
    return 1;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int by_axis(const void *a, const void *b)
{
    const Allowed *x = a, *y = b;
    return by_number(&x->axis, &y->axis);
}

/* Values that the axis does not have (any more) allow nothing. */
static int read_allowed(Allowed *a, QcJobMaker *m, const char *axis, const QcYaml *named, QcErr *err)
{
    a->axis = qc_experiment_name(m, axis, strlen(axis))->index;
    a->values = qc_arena_take(&m->e->arena, count(named), sizeof *a->values, err);
    if (!a->values) return -1;
    for (uint32_t i = 0; i < count(named); i++) {
        const char *text = text_of(named, i);
        int64_t value = qc_nametable_find(&m->e->axes[a->axis].table, *text ? text : "default");
        if (value >= 0) a->values[a->n++] = (uint32_t)value;
    }
    if (a->n) qsort(a->values, a->n, sizeof *a->values, by_number);
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++)
        if (!n || a->values[n - 1] != a->values[i]) a->values[n++] = a->values[i];
    a->n = n;
    return 0;
}

static int read_rule(QcRules *r, QcJobMaker *m, uint32_t map, QcErr *err)
{
    const QcYaml *said = r->maps->items[map];
    QcRule *rule = &r->plain[r->n_plain++];
    *rule = (QcRule){.map = map, .n = said->n};
    if (!(rule->allowed = qc_arena_take(&m->e->arena, said->n, sizeof *rule->allowed, err))) return -1;
    int may_hold = 1;
    for (uint32_t k = 0; k < said->n; k++) {
        if (read_allowed(&rule->allowed[k], m, said->keys[k], said->items[k], err)) return -1;
        may_hold = may_hold && rule->allowed[k].n;
    }
    qsort(rule->allowed, rule->n, sizeof *rule->allowed, by_axis);
    if (!may_hold) r->n_plain--;
    return 0;
}

/* ---- keys ---- */

static void put_letters(char *key, size_t *n, uint32_t value)
{
    for (int i = 0; i < LETTERS; i++) key[(*n)++] = (char)('0' + (value >> 6 * i & 63));
    key[*n] = 0;
}

static QcRuleShape *shape_of(QcRules *r, uint32_t axes)
{
    for (uint32_t s = 0; s < r->n_shapes; s++)
        if (r->shapes[s].axes == axes) return &r->shapes[s];
    r->shapes[r->n_shapes] = (QcRuleShape){.axes = axes};
    return &r->shapes[r->n_shapes++];
}

static uint32_t pivot_of(const QcRule *rule)
{
    uint32_t pivot = 0;
    for (uint32_t k = 1; k < rule->n; k++)
        if (rule->allowed[k].n > rule->allowed[pivot].n) pivot = k;
    return pivot;
}

static int add_entry(QcRules *r, QcArena *arena, QcRuleShape *shape, const char *key, uint32_t rule, QcErr *err)
{
    uint32_t at = r->n_entries++;
    r->entries[at] = (QcRuleEntry){rule, NONE, at};
    int64_t first = qc_nametable_find(&shape->table, key);
    if (first >= 0) {
        r->entries[r->entries[first].last].next = at;
        r->entries[first].last = at;
        return 0;
    }
    const char *kept = qc_arena_text(arena, key, strlen(key), err);
    return !kept || qc_nametable_add(&shape->table, arena, kept, at, err) ? -1 : 0;
}

static int enter(QcRules *r, QcArena *arena, uint32_t at, QcErr *err)
{
    const QcRule *rule = &r->plain[at];
    uint32_t pivot = pivot_of(rule), axes = 0;
    for (uint32_t k = 0; k < rule->n; k++)
        if (k == pivot || rule->allowed[k].n == 1) axes |= 1u << rule->allowed[k].axis;
    QcRuleShape *shape = shape_of(r, axes);
    for (uint32_t i = 0; i < rule->allowed[pivot].n; i++) {
        char key[QC_EXPERIMENT_AXES * LETTERS + 1];
        size_t n = 0;
        for (uint32_t k = 0; k < rule->n; k++) {
            const Allowed *a = &rule->allowed[k];
            if (k == pivot || a->n == 1) put_letters(key, &n, a->values[k == pivot ? i : 0]);
        }
        if (add_entry(r, arena, shape, key, at, err)) return -1;
    }
    return 0;
}

int qc_rules_make(QcRules *r, QcJobMaker *m, const QcYaml *maps, QcErr *err)
{
    QcArena *arena = &m->e->arena;
    uint64_t entries = 0;
    *r = (QcRules){.maps = maps};
    if (!maps) return 0;
    r->plain = qc_arena_take(arena, maps->n, sizeof *r->plain, err);
    r->tried = qc_arena_take(arena, maps->n, sizeof *r->tried, err);
    r->shapes = qc_arena_take(arena, maps->n, sizeof *r->shapes, err);
    if (!r->plain || !r->tried || !r->shapes) return -1;
    for (uint32_t i = 0; i < maps->n; i++)
        if (!is_plain(maps->items[i])) r->tried[r->n_tried++] = i;
        else if (read_rule(r, m, i, err)) return -1;
    for (uint32_t i = 0; i < r->n_plain; i++) entries += r->plain[i].allowed[pivot_of(&r->plain[i])].n;
    if (!(r->entries = qc_arena_take(arena, entries, sizeof *r->entries, err))) return -1;
    for (uint32_t i = 0; i < r->n_plain; i++)
        if (enter(r, arena, i, err)) return -1;
    return 0;
}

/* ---- looking up ---- */

static int holds(const QcRule *rule, const QcExperiment *e, uint32_t combination)
{
    for (uint32_t k = 0; k < rule->n; k++) {
        const Allowed *a = &rule->allowed[k];
        uint32_t value = qc_experiment_value(e, combination, a->axis);
        if (!bsearch(&value, a->values, a->n, sizeof value, by_number)) return 0;
    }
    return 1;
}

/* The first of the maps of this shape that holds; NONE. */
static uint32_t first_of(const QcRules *r, const QcRuleShape *shape, const QcExperiment *e, uint32_t combination)
{
    char key[QC_EXPERIMENT_AXES * LETTERS + 1];
    size_t n = 0;
    for (uint32_t a = 0; a < e->n_axes; a++)
        if (shape->axes >> a & 1) put_letters(key, &n, qc_experiment_value(e, combination, a));
    int64_t first = qc_nametable_find(&shape->table, key);
    for (uint32_t at = first < 0 ? NONE : (uint32_t)first; at != NONE; at = r->entries[at].next) {
        const QcRule *rule = &r->plain[r->entries[at].rule];
        if (holds(rule, e, combination)) return rule->map;
    }
    return NONE;
}

int qc_rules_name(const QcRules *r, QcJobMaker *m, uint32_t combination, QcErr *err)
{
    uint32_t first = NONE;
    for (uint32_t s = 0; s < r->n_shapes; s++) {
        uint32_t map = first_of(r, &r->shapes[s], m->e, combination);
        if (map < first) first = map;
    }
    /* an error in a map behind the first that holds is not met */
    for (uint32_t i = 0; i < r->n_tried && r->tried[i] < first; i++) {
        int hold = qc_experiment_map_holds(m, combination, r->maps->items[r->tried[i]], err);
        if (hold) return hold;
    }
    return first != NONE;
}
