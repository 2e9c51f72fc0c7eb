#include "experimentfile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "../base/share.h"

enum { JOINED_MAX = 4096 };

/* ---- one map of two ---- */

static int has_key(const QcYaml *map, const char *key) { return qc_yaml_get(map, key) != NULL; }

static void put(QcYaml *map, const char *key, const QcYaml *item)
{
    map->keys[map->n] = key;
    map->items[map->n++] = item;
}

/* An empty map at the position of `like`, with room for the entries of both maps. */
static QcYaml *new_map(QcArena *arena, const QcYaml *like, uint32_t room, QcErr *err)
{
    QcYaml *map = qc_arena_take(arena, 1, sizeof *map, err);
    if (!map) return NULL;
    *map = *like;
    map->n = 0;
    map->items = qc_arena_take(arena, room, sizeof *map->items, err);
    map->keys = qc_arena_take(arena, room, sizeof *map->keys, err);
    return map->items && map->keys ? map : NULL;
}

/* The entries of `own`, each where `base` has it, or before the next one that base has, or at the end; between them the
 * entries of `base` that `taken` has not (NULL: missing). */
static const QcYaml *join(QcArena *arena, const QcYaml *base, const QcYaml *own, const QcYaml *taken, QcErr *err)
{
    QcYaml *map = new_map(arena, own, base->n + own->n, err);
    if (!map) return NULL;
    uint32_t done = 0;
    if (base->n + own->n > JOINED_MAX) {
        qc_yaml_fail(err, own, "%u names, of this and of the description that it is from, are too many",
                     base->n + own->n);
        return NULL;
    }
    for (uint32_t i = 0; i < base->n; i++) {
        if (has_key(own, base->keys[i]))
            while (!has_key(map, base->keys[i])) put(map, own->keys[done], own->items[done]), done++;
        else if (!taken || !has_key(taken, base->keys[i]))
            put(map, base->keys[i], base->items[i]);
    }
    for (; done < own->n; done++) put(map, own->keys[done], own->items[done]);
    return map;
}

/* `own` without `from`, and with what is joined name by name. */
static const QcYaml *complete(QcArena *arena, const QcYaml *base, const QcYaml *own, QcErr *err)
{
    static const char *const joined[] = {"let", "paths", "steps"};
    const QcYaml *axes = qc_yaml_get(own, "axes");
    QcYaml none = *own, *map = new_map(arena, own, own->n + 3, err);
    none.n = 0;
    if (!map) return NULL;
    for (uint32_t k = 0; k < 3; k++) {
        const QcYaml *mine = qc_yaml_get(own, joined[k]), *other = qc_yaml_get(base, joined[k]), *all = mine;
        if (other && other->kind == QC_YAML_MAP && (!mine || mine->kind == QC_YAML_MAP) &&
            !(all = join(arena, other, mine ? mine : &none, axes, err)))
            return NULL;
        if (all) put(map, joined[k], all);
    }
    for (uint32_t i = 0; i < own->n; i++)
        if (strcmp(own->keys[i], "from") && !has_key(map, own->keys[i])) put(map, own->keys[i], own->items[i]);
    return map;
}

/* ---- files ---- */

/* 0, and the path as it is, where no experiment of that name comes with the programs. */
static int find_installed(char *path, size_t room, const char *name)
{
    char found[4096];
    return qc_share_find(found, sizeof found, "experiments", name) && snprintf(path, room, "%s", found) < (int)room;
}

static int path_beside(char *path, size_t room, const QcYaml *from, QcErr *err)
{
    const char *slash = *from->text == '/' ? NULL : strrchr(from->file, '/');
    int folder = slash ? (int)(slash - from->file + 1) : 0;
    if (snprintf(path, room, "%.*s%s", folder, from->file, from->text) >= (int)room)
        return qc_yaml_fail(err, from, "the path is too long");
    if (access(path, F_OK)) (void)find_installed(path, room, from->text);
    return 0;
}

/* *root: a map with nothing left to put in. */
static int load(QcExperimentFile *f, const char *path, const QcYaml **root, QcErr *err)
{
    QcYamlDocument *document = &f->documents[f->n++];
    const QcYaml *base;
    char other[4096];
    if (qc_yaml_load(document, path, err)) return -1;
    *root = document->root;
    if ((*root)->kind != QC_YAML_MAP)
        return qc_yaml_fail(err, *root, "an experiment is a map with name, axes and steps");
    const QcYaml *from = qc_yaml_get(*root, "from");
    if (!from) return 0;
    if (from->kind != QC_YAML_SCALAR || !*from->text)
        return qc_yaml_fail(err, from, "from must be the path of one description");
    if (f->n == QC_EXPERIMENT_FILES)
        return qc_yaml_fail(err, from, "more than %d descriptions, each from another: is one from itself?",
                            QC_EXPERIMENT_FILES);
    if (path_beside(other, sizeof other, from, err) || qc_need_regular(other, err) || load(f, other, &base, err))
        return -1;
    const QcYaml *own = complete(&f->arena, base, *root, err);
    *root = own ? join(&f->arena, base, own, NULL, err) : NULL;
    return *root ? 0 : -1;
}

int qc_experiment_file_load(QcExperimentFile *f, const char *path, QcErr *err)
{
    char installed[4096];
    *f = (QcExperimentFile){0};
    if (!qc_is_standard(path) && access(path, F_OK) && find_installed(installed, sizeof installed, path))
        path = installed;
    int status = load(f, path, &f->root, err);
    if (status) qc_experiment_file_release(f);
    return status;
}

void qc_experiment_file_release(QcExperimentFile *f)
{
    if (!f) return;
    for (uint32_t i = 0; i < f->n; i++) qc_yaml_release(&f->documents[i]);
    qc_arena_release(&f->arena);
    *f = (QcExperimentFile){0};
}
