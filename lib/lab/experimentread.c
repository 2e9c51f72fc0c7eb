#include "experimentparts.h"

#include <stdlib.h>
#include <string.h>

#include "results.h"

size_t qc_word_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}
static int is_word(const char *text) { return *text && !text[qc_word_length(text)]; }

static int is_plain_character(char c)
{
    return c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-,:=@%", c);
}

int qc_is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!is_plain_character(*c)) return 0;
    return *text != 0;
}

/* Words like that with spaces in between. */
static int is_title(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c != ' ' && !is_plain_character(*c)) return 0;
    return *text != 0;
}

const QcName *qc_experiment_name(const QcJobMaker *m, const char *name, size_t length)
{
    for (uint32_t i = 0; i < m->n_names; i++)
        if (strlen(m->names[i].name) == length && !memcmp(m->names[i].name, name, length)) return &m->names[i];
    return NULL;
}

static int add_name(QcJobMaker *m, const QcYaml *at, QcName name, QcErr *err)
{
    if (!is_word(name.name))
        return qc_yaml_fail(err, at->key, "'%.40s' is no name: letters, digits and _ make one", name.name);
    if (!strcmp(name.name, "out") || qc_experiment_name(m, name.name, strlen(name.name)))
        return qc_yaml_fail(err, at->key, "the name '%.40s' is taken", name.name);
    if (m->n_names == QC_EXPERIMENT_NAMES) return qc_yaml_fail(err, at->key, "more than %d names", QC_EXPERIMENT_NAMES);
    m->names[m->n_names++] = name;
    return 0;
}

static const char *setting_of(const char *name, const char *const *settings, int n)
{
    const char *value = NULL;
    for (int i = 0; i < n; i++)
        if (!strncmp(settings[i], name, strlen(name)) && settings[i][strlen(name)] == '=')
            value = settings[i] + strlen(name) + 1;
    return value;
}

static int read_texts(QcJobMaker *m, const QcYaml *map, QcNameKind kind, const char *const *settings, int n, QcErr *err)
{
    for (uint32_t i = 0; map && i < map->n; i++) {
        const QcYaml *item = map->items[i];
        const char *set = setting_of(map->keys[i], settings, n);
        if (item->kind != QC_YAML_SCALAR) return qc_yaml_fail(err, item, "'%.40s' must be a text", map->keys[i]);
        if (strpbrk(set ? set : item->text, "\r\n"))
            return qc_yaml_fail(err, item, "'%.40s' has a line break, and a command is one line", map->keys[i]);
        if (add_name(m, item, (QcName){kind, map->keys[i], set ? set : item->text, 0}, err)) return -1;
    }
    return 0;
}

/* The values of "a,b,c". */
static int cut_values(QcExperimentAxis *axis, QcArena *arena, const char *text, QcErr *err)
{
    axis->n = 1;
    for (const char *c = text; *c; c++) axis->n += *c == ',';
    axis->values = qc_arena_take(arena, axis->n, sizeof *axis->values, err);
    for (uint32_t i = 0; axis->values && i < axis->n; i++) {
        size_t length = strcspn(text, ",");
        if (!(axis->values[i] = qc_arena_text(arena, text, length, err))) return -1;
        text += length + (text[length] == ',');
    }
    return axis->values ? 0 : -1;
}

static int list_values(QcExperimentAxis *axis, QcArena *arena, const QcYaml *list, QcErr *err)
{
    if (list->kind != QC_YAML_LIST || !list->n)
        return qc_yaml_fail(err, list, "the values of '%.40s' must be a list of at least one", axis->name);
    axis->n = list->n;
    if (!(axis->values = qc_arena_take(arena, axis->n, sizeof *axis->values, err))) return -1;
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->items[i]->kind != QC_YAML_SCALAR)
            return qc_yaml_fail(err, list->items[i], "a value of '%.40s' must be a number or a word", axis->name);
        axis->values[i] = list->items[i]->text;
    }
    return 0;
}

static int note_said(QcJobMaker *m, uint32_t axis, const QcYaml *list, QcErr *err)
{
    for (uint32_t i = 0; list->kind == QC_YAML_LIST && i < list->n; i++)
        if (list->items[i]->kind == QC_YAML_SCALAR &&
            qc_nametable_add(&m->said[axis], &m->e->arena, list->items[i]->text, i, err) < 0)
            return -1;
    return 0;
}

static int read_axes(QcJobMaker *m, const QcYaml *axes, const char *const *settings, int n, QcErr *err)
{
    QcExperiment *e = m->e;
    uint64_t combinations = 1;
    if (axes->n > QC_EXPERIMENT_AXES) return qc_yaml_fail(err, axes, "more than %d axes", QC_EXPERIMENT_AXES);
    for (uint32_t a = 0; a < axes->n; a++) {
        QcExperimentAxis *axis = &e->axes[e->n_axes++];
        const char *set = setting_of(axes->keys[a], settings, n);
        axis->name = axes->keys[a];
        if (qc_is_column(axis->name))
            return qc_yaml_fail(err, axes->items[a]->key, "no axis is named '%.40s': tables have a column of that name",
                                axis->name);
        if (set ? cut_values(axis, &e->arena, set, err) : list_values(axis, &e->arena, axes->items[a], err)) return -1;
        if (set && note_said(m, a, axes->items[a], err)) return -1;
        for (uint32_t i = 0; i < axis->n; i++) {
            if (!qc_is_plain(axis->values[i]))
                return qc_yaml_fail(err, axes->items[a], "'%.40s' of axis '%.40s' is not a plain word", axis->values[i],
                                    axis->name);
            /* a repeated value would count as two runs */
            int twice = qc_nametable_add(&axis->table, &e->arena, axis->values[i], i, err);
            if (twice)
                return twice < 0 ? -1
                                 : qc_yaml_fail(err, axes->items[a], "the axis '%.40s' has '%.40s' twice", axis->name,
                                                axis->values[i]);
        }
        if (add_name(m, axes->items[a], (QcName){QC_NAME_AXIS, axis->name, NULL, a}, err)) return -1;
        combinations *= axis->n;
        if (combinations > QC_EXPERIMENT_COMBINATIONS)
            return qc_yaml_fail(err, axes, "more than %d combinations", QC_EXPERIMENT_COMBINATIONS);
    }
    e->n_combinations = (uint32_t)combinations;
    return 0;
}

static int read_steps(QcJobMaker *m, const QcYaml *root, QcErr *err)
{
    QcExperiment *e = m->e;
    const QcYaml *steps = qc_yaml_need(root, "steps", QC_YAML_MAP, err), *report = qc_yaml_get(root, "report");
    if (!steps) return -1;
    if (!steps->n || steps->n > QC_EXPERIMENT_STEPS)
        return qc_yaml_fail(err, steps, "1 to %d steps are needed", QC_EXPERIMENT_STEPS);
    for (uint32_t s = 0; s < steps->n; s++) {
        const QcYaml *command = steps->items[s];
        if (command->kind != QC_YAML_SCALAR) return qc_yaml_fail(err, command, "a step is a command: one text");
        if (strpbrk(command->text, "\r\n"))
            return qc_yaml_fail(err, command, "a command is one line: write it after >- to fold it");
        if (!*command->text) continue;
        if (add_name(m, command, (QcName){QC_NAME_STEP, steps->keys[s], NULL, e->n_steps}, err)) return -1;
        m->commands[e->n_steps] = command;
        e->steps[e->n_steps++] = steps->keys[s];
    }
    if (!e->n_steps) return qc_yaml_fail(err, steps, "no step has a command");
    e->report = e->n_steps - 1;
    if (!report) return 0;
    const QcName *name =
        report->kind == QC_YAML_SCALAR ? qc_experiment_name(m, report->text, strlen(report->text)) : NULL;
    if (!name || name->kind != QC_NAME_STEP) return qc_yaml_fail(err, report, "report must be the name of a step");
    e->report = name->index;
    return 0;
}

/* One that the axis has, or had before --set gave it others; or of another axis. Where the map came from another
 * description, it may be one of that one's axis. */
static int check_value(const QcJobMaker *m, const QcYaml *value, const QcName *axis, QcErr *err)
{
    const QcExperimentAxis *now = &m->e->axes[axis->index];
    const QcYaml *said = m->axes->items[axis->index];
    int known = *value->text == '{' || strcmp(value->file, said->file);
    known |= qc_nametable_find(&now->table, value->text) >= 0;
    known |= qc_nametable_find(&m->said[axis->index], value->text) >= 0;
    return known ? 0 : qc_yaml_fail(err, value, "the axis '%.40s' has no '%.40s'", axis->name, value->text);
}

/* One value, or a list of them. */
static int check_values(const QcJobMaker *m, const QcYaml *value, const QcName *axis, QcErr *err)
{
    if (value->kind == QC_YAML_SCALAR) return check_value(m, value, axis, err);
    for (uint32_t i = 0; i < value->n; i++) {
        if (value->kind == QC_YAML_MAP || value->items[i]->kind != QC_YAML_SCALAR)
            return qc_yaml_fail(err, value, "one value of '%.40s' or a list of values is needed", axis->name);
        if (check_value(m, value->items[i], axis, err)) return -1;
    }
    return value->n ? 0 : qc_yaml_fail(err, value, "at least one value of '%.40s' is needed", axis->name);
}

/* Lists of combinations: `without` and `only`. */
static int check_maps(const QcJobMaker *m, const QcYaml *maps, QcErr *err)
{
    for (uint32_t i = 0; maps && i < maps->n; i++) {
        const QcYaml *map = maps->items[i];
        if (map->kind != QC_YAML_MAP || !map->n)
            return qc_yaml_fail(err, map, "combinations are said as {AXIS: VALUE, ...}");
        for (uint32_t k = 0; k < map->n; k++) {
            const QcName *name = qc_experiment_name(m, map->keys[k], strlen(map->keys[k]));
            if (!name || name->kind != QC_NAME_AXIS)
                return qc_yaml_fail(err, map->items[k]->key, "'%.40s' is not an axis", map->keys[k]);
            if (check_values(m, map->items[k], name, err)) return -1;
        }
    }
    return 0;
}

static int check_settings(const QcJobMaker *m, const char *const *settings, int n, QcErr *err)
{
    for (int i = 0; i < n; i++) {
        size_t length = strcspn(settings[i], "=");
        const QcName *name = settings[i][length] ? qc_experiment_name(m, settings[i], length) : NULL;
        if (!name || name->kind == QC_NAME_STEP)
            return qc_fail(err, QC_EUSAGE,
                           "--set '%.60s': NAME=VALUE of a let, path or axis of the experiment is expected",
                           settings[i]);
    }
    return 0;
}

int qc_experiment_read(QcJobMaker *m, const char *const *settings, int n, QcErr *err)
{
    static const char *const keys[] = {"name", "paths", "let", "axes", "without", "only", "steps", "report", NULL};
    const QcYaml *root = m->e->file.root;
    const QcYaml *name = qc_yaml_need(root, "name", QC_YAML_SCALAR, err),
                 *axes = name ? qc_yaml_need(root, "axes", QC_YAML_MAP, err) : NULL;
    const QcYaml *paths = qc_yaml_get(root, "paths"), *let = qc_yaml_get(root, "let");
    if (!name || !axes || qc_yaml_known(root, keys, err)) return -1;
    if (paths && paths->kind != QC_YAML_MAP) return qc_yaml_fail(err, paths, "paths must be a map");
    if (let && let->kind != QC_YAML_MAP) return qc_yaml_fail(err, let, "let must be a map");
    if (!is_title(name->text))
        return qc_yaml_fail(err, name, "the name '%.40s' must be plain words: it gets into tables and pictures",
                            name->text);
    m->e->name = name->text;
    m->axes = axes;
    m->without = qc_yaml_get(root, "without");
    m->only = qc_yaml_get(root, "only");
    if (m->without && m->without->kind != QC_YAML_LIST) return qc_yaml_fail(err, m->without, "without must be a list");
    if (m->only && m->only->kind != QC_YAML_LIST) return qc_yaml_fail(err, m->only, "only must be a list");
    return read_texts(m, paths, QC_NAME_PATH, settings, n, err) || read_texts(m, let, QC_NAME_LET, settings, n, err) ||
           read_axes(m, axes, settings, n, err) || read_steps(m, root, err) || check_maps(m, m->without, err) ||
           check_maps(m, m->only, err) || check_settings(m, settings, n, err);
}
