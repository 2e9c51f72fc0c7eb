#include "experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/digest.h"

enum { TEXT_MAX = 16384, DIGITS = 16 };

typedef enum NameKind { NAME_AXIS, NAME_LET, NAME_PATH, NAME_STEP } NameKind;

typedef struct Name {
    NameKind kind;
    const char *name, *value; /* value: of lets and paths */
    uint32_t index;           /* of axes and steps */
} Name;

/* What is only needed while the jobs are made. */
typedef struct Maker {
    QcExperiment *e;
    Name names[QC_EXPERIMENT_NAMES];
    uint32_t n_names;
    const QcYaml *axes, *without, *only;
    const QcYaml *commands[QC_EXPERIMENT_STEPS];
    uint32_t room;
    uint32_t *table, slots;                        /* hash table of job + 1 by digest */
    char (*digests)[QC_DIGEST_TEXT];               /* [room] of jobs */
    uint32_t job_of[QC_EXPERIMENT_STEPS];          /* of the combination in hand */
} Maker;

static size_t word_length(const char *text) { return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"); }
static int is_word(const char *text) { return *text && !text[word_length(text)]; }

/* A shell takes these as they are. */
static int is_plain(const char *text)
{
    if (!*text) return 0;
    for (; *text; text++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-,:=@%", *text)) return 0;
    return 1;
}

static const Name *find_name(const Maker *m, const char *name, size_t length)
{
    for (uint32_t i = 0; i < m->n_names; i++)
        if (strlen(m->names[i].name) == length && !memcmp(m->names[i].name, name, length)) return &m->names[i];
    return NULL;
}

static int add_name(Maker *m, const QcYaml *at, Name name, QcErr *err)
{
    if (!is_word(name.name)) return qc_yaml_fail(err, at->key, "'%.40s' is no name: letters, digits and _ make one", name.name);
    if (!strcmp(name.name, "out") || find_name(m, name.name, strlen(name.name)))
        return qc_yaml_fail(err, at->key, "the name '%.40s' is taken", name.name);
    if (m->n_names == QC_EXPERIMENT_NAMES) return qc_yaml_fail(err, at->key, "more than %d names", QC_EXPERIMENT_NAMES);
    m->names[m->n_names++] = name;
    return 0;
}

static const char *setting_of(const char *name, const char *const *settings, int n)
{
    const char *value = NULL;
    for (int i = 0; i < n; i++)
        if (!strncmp(settings[i], name, strlen(name)) && settings[i][strlen(name)] == '=') value = settings[i] + strlen(name) + 1;
    return value;
}

static int read_texts(Maker *m, const QcYaml *map, NameKind kind, const char *const *settings, int n, QcErr *err)
{
    for (uint32_t i = 0; map && i < map->n; i++) {
        const QcYaml *item = map->items[i];
        const char *set = setting_of(map->keys[i], settings, n);
        if (item->kind != QC_YAML_SCALAR) return qc_yaml_fail(err, item, "'%.40s' must be a text", map->keys[i]);
        if (add_name(m, item, (Name){kind, map->keys[i], set ? set : item->text, 0}, err)) return -1;
    }
    return 0;
}

/* The values of "a,b,c". */
static int cut_values(QcAxis *axis, QcArena *arena, const char *text, QcErr *err)
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

static int list_values(QcAxis *axis, QcArena *arena, const QcYaml *list, QcErr *err)
{
    if (list->kind != QC_YAML_LIST || !list->n) return qc_yaml_fail(err, list, "the values of '%.40s' must be a list of at least one", axis->name);
    axis->n = list->n;
    if (!(axis->values = qc_arena_take(arena, axis->n, sizeof *axis->values, err))) return -1;
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->items[i]->kind != QC_YAML_SCALAR) return qc_yaml_fail(err, list->items[i], "a value of '%.40s' must be a number or a word", axis->name);
        axis->values[i] = list->items[i]->text;
    }
    return 0;
}

static int read_axes(Maker *m, const QcYaml *axes, const char *const *settings, int n, QcErr *err)
{
    QcExperiment *e = m->e;
    uint64_t combinations = 1;
    if (axes->n > QC_EXPERIMENT_AXES) return qc_yaml_fail(err, axes, "more than %d axes", QC_EXPERIMENT_AXES);
    for (uint32_t a = 0; a < axes->n; a++) {
        QcAxis *axis = &e->axes[e->n_axes++];
        const char *set = setting_of(axes->keys[a], settings, n);
        axis->name = axes->keys[a];
        if (set ? cut_values(axis, &e->arena, set, err) : list_values(axis, &e->arena, axes->items[a], err)) return -1;
        for (uint32_t i = 0; i < axis->n; i++) {
            if (!is_plain(axis->values[i])) return qc_yaml_fail(err, axes->items[a], "'%.40s' of axis '%.40s' is not a plain word", axis->values[i], axis->name);
            for (uint32_t k = 0; k < i; k++) /* it would count as two runs */
                if (!strcmp(axis->values[i], axis->values[k])) return qc_yaml_fail(err, axes->items[a], "the axis '%.40s' has '%.40s' twice", axis->name, axis->values[i]);
        }
        if (add_name(m, axes->items[a], (Name){NAME_AXIS, axis->name, NULL, a}, err)) return -1;
        combinations *= axis->n;
        if (combinations > QC_EXPERIMENT_COMBINATIONS) return qc_yaml_fail(err, axes, "more than %d combinations", QC_EXPERIMENT_COMBINATIONS);
    }
    e->n_combinations = (uint32_t)combinations;
    return 0;
}

static int read_steps(Maker *m, const QcYaml *root, QcErr *err)
{
    QcExperiment *e = m->e;
    const QcYaml *steps = qc_yaml_need(root, "steps", QC_YAML_MAP, err), *report = qc_yaml_get(root, "report");
    if (!steps) return -1;
    if (!steps->n || steps->n > QC_EXPERIMENT_STEPS) return qc_yaml_fail(err, steps, "1 to %d steps are needed", QC_EXPERIMENT_STEPS);
    for (uint32_t s = 0; s < steps->n; s++) {
        const QcYaml *command = steps->items[s];
        if (command->kind != QC_YAML_SCALAR) return qc_yaml_fail(err, command, "a step is a command: one text");
        if (strpbrk(command->text, "\r\n")) return qc_yaml_fail(err, command, "a command is one line: write it behind >- to fold it");
        if (!*command->text) continue;
        if (add_name(m, command, (Name){NAME_STEP, steps->keys[s], NULL, e->n_steps}, err)) return -1;
        m->commands[e->n_steps] = command;
        e->steps[e->n_steps++] = steps->keys[s];
    }
    if (!e->n_steps) return qc_yaml_fail(err, steps, "no step has a command");
    e->report = e->n_steps - 1;
    if (!report) return 0;
    const Name *name = report->kind == QC_YAML_SCALAR ? find_name(m, report->text, strlen(report->text)) : NULL;
    if (!name || name->kind != NAME_STEP) return qc_yaml_fail(err, report, "report must be the name of a step");
    e->report = name->index;
    return 0;
}

/* One that the axis has, or had before --set gave it others; or of another axis. Where the map came from another description, it may be one of that one's axis. */
static int check_value(const Maker *m, const QcYaml *value, const Name *axis, QcErr *err)
{
    const QcAxis *now = &m->e->axes[axis->index];
    const QcYaml *said = m->axes->items[axis->index];
    int known = *value->text == '{' || strcmp(value->file, said->file);
    for (uint32_t i = 0; i < now->n; i++) known |= !strcmp(now->values[i], value->text);
    for (uint32_t i = 0; said->kind == QC_YAML_LIST && i < said->n; i++) known |= said->items[i]->kind == QC_YAML_SCALAR && !strcmp(said->items[i]->text, value->text);
    return known ? 0 : qc_yaml_fail(err, value, "the axis '%.40s' has no '%.40s'", axis->name, value->text);
}

/* One value, or a list of them. */
static int check_values(const Maker *m, const QcYaml *value, const Name *axis, QcErr *err)
{
    if (value->kind == QC_YAML_SCALAR) return check_value(m, value, axis, err);
    for (uint32_t i = 0; i < value->n; i++) {
        if (value->kind == QC_YAML_MAP || value->items[i]->kind != QC_YAML_SCALAR) return qc_yaml_fail(err, value, "one value of '%.40s' or a list of values is needed", axis->name);
        if (check_value(m, value->items[i], axis, err)) return -1;
    }
    return value->n ? 0 : qc_yaml_fail(err, value, "at least one value of '%.40s' is needed", axis->name);
}

/* Lists of combinations: `without` and `only`. */
static int check_maps(const Maker *m, const QcYaml *maps, QcErr *err)
{
    for (uint32_t i = 0; maps && i < maps->n; i++) {
        const QcYaml *map = maps->items[i];
        if (map->kind != QC_YAML_MAP || !map->n) return qc_yaml_fail(err, map, "combinations are said as {AXIS: VALUE, ...}");
        for (uint32_t k = 0; k < map->n; k++) {
            const Name *name = find_name(m, map->keys[k], strlen(map->keys[k]));
            if (!name || name->kind != NAME_AXIS) return qc_yaml_fail(err, map->items[k]->key, "'%.40s' is not an axis", map->keys[k]);
            if (check_values(m, map->items[k], name, err)) return -1;
        }
    }
    return 0;
}

/* ---- texts of a combination ---- */

uint32_t qc_experiment_value(const QcExperiment *e, uint32_t combination, uint32_t axis)
{
    for (uint32_t a = e->n_axes; --a > axis;) combination /= e->axes[a].n;
    return combination % e->axes[axis].n;
}

static const char *value_of(const QcExperiment *e, uint32_t combination, uint32_t axis) { return e->axes[axis].values[qc_experiment_value(e, combination, axis)]; }

typedef struct Text {
    char bytes[TEXT_MAX];
    size_t n;
} Text;

static int add_bytes(Text *t, const char *bytes, size_t n, const QcYaml *at, QcErr *err)
{
    if (n >= sizeof t->bytes - t->n) return qc_yaml_fail(err, at, "the command is longer than %d bytes", TEXT_MAX);
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    t->bytes[t->n] = 0;
    return 0;
}

static int add_text(Text *t, const char *text, const QcYaml *at, QcErr *err) { return add_bytes(t, text, strlen(text), at, err); }

/* So that a shell takes it as one word. */
static int add_quoted(Text *t, const char *text, const QcYaml *at, QcErr *err)
{
    if (is_plain(text)) return add_text(t, text, at, err);
    if (add_text(t, "'", at, err)) return -1;
    for (; *text; text++)
        if (*text == '\'' ? add_text(t, "'\\''", at, err) : add_bytes(t, text, 1, at, err)) return -1;
    return add_text(t, "'", at, err);
}

/* What {name} becomes. out NULL: in the digest's text, where paths keep their names and results are their digests. */
static int add_value(Maker *m, Text *t, const Name *name, uint32_t step, uint32_t combination, const char *out, const QcYaml *at, QcErr *err)
{
    switch (name->kind) {
    case NAME_AXIS: return add_text(t, value_of(m->e, combination, name->index), at, err);
    case NAME_LET: return add_text(t, name->value, at, err);
    case NAME_PATH: return out ? add_quoted(t, name->value, at, err) : add_text(t, name->name, at, err);
    case NAME_STEP: break;
    }
    if (name->index >= step) return qc_yaml_fail(err, at, "step '%s' uses the result of '%s', which does not come before it", m->e->steps[step], name->name);
    uint32_t job = m->job_of[name->index];
    return out ? add_quoted(t, m->e->jobs[job].out, at, err) : add_text(t, m->digests[job], at, err);
}

/* The length of NAME where text is "{NAME}...", else 0; "${NAME}" is a variable of the shell's. */
static size_t name_length(const char *text, char before)
{
    size_t n = *text == '{' && before != '$' ? word_length(text + 1) : 0;
    return n && text[1 + n] == '}' ? n : 0;
}

static int expand(Maker *m, Text *t, const char *text, uint32_t step, uint32_t combination, const char *out, uint32_t *used, const QcYaml *at, QcErr *err)
{
    const char *start = text;
    t->n = 0;
    t->bytes[0] = 0;
    while (*text) {
        size_t n = name_length(text, text > start ? text[-1] : 0);
        if (!n) {
            if (add_bytes(t, text++, 1, at, err)) return -1;
            continue;
        }
        const Name *name = find_name(m, text + 1, n);
        if (n == 3 && !memcmp(text + 1, "out", 3)) {
            if (out ? add_quoted(t, out, at, err) : add_text(t, "{out}", at, err)) return -1;
        } else if (!name) {
            return qc_yaml_fail(err, at, "there is no axis, let, path or step '%.*s'", (int)(n < 40 ? n : 40), text + 1);
        } else {
            if (add_value(m, t, name, step, combination, out, at, err)) return -1;
            if (name->kind == NAME_STEP) *used |= 1u << name->index;
        }
        text += n + 2;
    }
    return 0;
}

/* ---- jobs ---- */

/* 1 where the combination's value of the axis is the one that is named, or one of those in a list. */
static int has_value(Maker *m, uint32_t combination, const char *axis, const QcYaml *named, QcErr *err)
{
    Text text;
    uint32_t used = 0;
    const char *value = value_of(m->e, combination, find_name(m, axis, strlen(axis))->index);
    for (uint32_t i = 0; i < (named->kind == QC_YAML_LIST ? named->n : 1); i++) {
        const QcYaml *one = named->kind == QC_YAML_LIST ? named->items[i] : named;
        if (expand(m, &text, one->text, 0, combination, NULL, &used, one, err)) return -1;
        if (!strcmp(text.bytes, value)) return 1;
    }
    return 0;
}

/* 1 where all that one of the maps says holds. */
static int is_in(Maker *m, uint32_t combination, const QcYaml *maps, QcErr *err)
{
    for (uint32_t i = 0; i < maps->n; i++) {
        const QcYaml *map = maps->items[i];
        uint32_t hold = 0;
        for (uint32_t k = 0; k < map->n; k++) {
            int has = has_value(m, combination, map->keys[k], map->items[k], err);
            if (has < 0) return -1;
            hold += (uint32_t)has;
        }
        if (hold == map->n) return 1;
    }
    return 0;
}

static int left_out(Maker *m, uint32_t combination, QcErr *err)
{
    int out = m->without ? is_in(m, combination, m->without, err) : 0;
    if (out || !m->only) return out;
    int in = is_in(m, combination, m->only, err);
    return in < 0 ? -1 : !in;
}

/* Where the table has the digest, or would have it. */
static uint32_t *look_up(const Maker *m, const char *digest)
{
    char head[9] = {0};
    memcpy(head, digest, 8);
    uint32_t at = (uint32_t)strtoul(head, NULL, 16);
    while (m->table[at % m->slots] && strcmp(m->digests[m->table[at % m->slots] - 1], digest)) at++;
    return &m->table[at % m->slots];
}

static int grow(Maker *m, QcErr *err)
{
    QcExperiment *e = m->e;
    if (e->n_jobs < m->room) return 0;
    m->room = m->room ? 2 * m->room : 256;
    m->slots = 4 * m->room;
    QcJob *jobs = realloc(e->jobs, m->room * sizeof *jobs);
    if (jobs) e->jobs = jobs;
    char(*digests)[QC_DIGEST_TEXT] = realloc(m->digests, m->room * sizeof *digests);
    if (digests) m->digests = digests;
    free(m->table);
    m->table = calloc(m->slots, sizeof *m->table);
    if (!jobs || !digests || !m->table) return qc_fail_memory(err, "the jobs of an experiment");
    for (uint32_t j = 0; j < e->n_jobs; j++) *look_up(m, digests[j]) = j + 1;
    return 0;
}

static int add_job(Maker *m, uint32_t step, uint32_t combination, QcErr *err)
{
    QcExperiment *e = m->e;
    const QcYaml *command = m->commands[step];
    uint8_t digest[QC_DIGEST_BYTES];
    char hex[QC_DIGEST_TEXT];
    Text text;
    uint32_t used = 0;
    if (grow(m, err) || expand(m, &text, command->text, step, combination, NULL, &used, command, err)) return -1;
    qc_digest(digest, text.bytes, text.n);
    qc_digest_text(hex, digest);
    uint32_t *slot = look_up(m, hex);
    if (*slot) {
        m->job_of[step] = *slot - 1;
        return 0;
    }
    QcJob *job = &e->jobs[e->n_jobs];
    *job = (QcJob){.step = step};
    char out[4096];
    if (snprintf(out, sizeof out, "%s/%s-%.*s", e->dir, e->steps[step], DIGITS, hex) >= (int)sizeof out) return qc_fail(err, QC_EUSAGE, "the folder's name is too long");
    if (!(job->out = qc_arena_text(&e->arena, out, strlen(out), err))) return -1;
    if (expand(m, &text, command->text, step, combination, job->out, &used, command, err)) return -1;
    if (!(job->command = qc_arena_text(&e->arena, text.bytes, text.n, err))) return -1;
    for (uint32_t s = 0; s < step; s++)
        if (used >> s & 1) job->needs[job->n_needs++] = m->job_of[s];
    memcpy(m->digests[e->n_jobs], hex, sizeof hex);
    m->job_of[step] = e->n_jobs++;
    *slot = e->n_jobs;
    return 0;
}

static int make_jobs(Maker *m, QcErr *err)
{
    QcExperiment *e = m->e;
    if (!(e->reported = qc_arena_take(&e->arena, e->n_combinations, sizeof *e->reported, err))) return -1;
    for (uint32_t c = 0; c < e->n_combinations; c++) {
        int out = left_out(m, c, err);
        if (out < 0) return -1;
        e->reported[c] = UINT32_MAX;
        for (uint32_t s = 0; !out && s < e->n_steps; s++)
            if (add_job(m, s, c, err)) return -1;
        if (!out) e->reported[c] = m->job_of[e->report];
    }
    return 0;
}

static int check_settings(const Maker *m, const char *const *settings, int n, QcErr *err)
{
    for (int i = 0; i < n; i++) {
        size_t length = strcspn(settings[i], "=");
        const Name *name = settings[i][length] ? find_name(m, settings[i], length) : NULL;
        if (!name || name->kind == NAME_STEP) return qc_fail(err, QC_EUSAGE, "--set '%.60s': NAME=VALUE of a let, path or axis of the experiment is expected", settings[i]);
    }
    return 0;
}

static int read_all(Maker *m, const char *const *settings, int n, QcErr *err)
{
    static const char *const keys[] = {"name", "paths", "let", "axes", "without", "only", "steps", "report", NULL};
    const QcYaml *root = m->e->file.root;
    const QcYaml *name = qc_yaml_need(root, "name", QC_YAML_SCALAR, err), *axes = name ? qc_yaml_need(root, "axes", QC_YAML_MAP, err) : NULL;
    const QcYaml *paths = qc_yaml_get(root, "paths"), *let = qc_yaml_get(root, "let");
    if (!name || !axes || qc_yaml_known(root, keys, err)) return -1;
    if (paths && paths->kind != QC_YAML_MAP) return qc_yaml_fail(err, paths, "paths must be a map");
    if (let && let->kind != QC_YAML_MAP) return qc_yaml_fail(err, let, "let must be a map");
    m->e->name = name->text;
    m->axes = axes;
    m->without = qc_yaml_get(root, "without");
    m->only = qc_yaml_get(root, "only");
    if (m->without && m->without->kind != QC_YAML_LIST) return qc_yaml_fail(err, m->without, "without must be a list");
    if (m->only && m->only->kind != QC_YAML_LIST) return qc_yaml_fail(err, m->only, "only must be a list");
    return read_texts(m, paths, NAME_PATH, settings, n, err) || read_texts(m, let, NAME_LET, settings, n, err) || read_axes(m, axes, settings, n, err) ||
           read_steps(m, root, err) || check_maps(m, m->without, err) || check_maps(m, m->only, err) || check_settings(m, settings, n, err);
}

int qc_experiment_load(QcExperiment *e, const char *path, const char *dir, const char *const *settings, int n, QcErr *err)
{
    *e = (QcExperiment){.dir = dir};
    Maker *m = calloc(1, sizeof *m);
    if (!m) return qc_fail_memory(err, "an experiment");
    m->e = e;
    int status = qc_experiment_file_load(&e->file, path, err) || read_all(m, settings, n, err) || make_jobs(m, err) ? -1 : 0;
    free(m->table);
    free(m->digests);
    free(m);
    if (status) qc_experiment_release(e);
    return status;
}

void qc_experiment_release(QcExperiment *e)
{
    if (!e) return;
    free(e->jobs);
    qc_experiment_file_release(&e->file);
    qc_arena_release(&e->arena);
    *e = (QcExperiment){0};
}

int qc_job_done(const QcJob *job)
{
    char path[4200];
    snprintf(path, sizeof path, "%s.done", job->out);
    return access(path, F_OK) == 0;
}
