#include "experimentrules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16384, DIGITS = 16 };

/* ---- texts of a combination ---- */

static const char *value_of(const QcExperiment *e, uint32_t combination, uint32_t axis)
{
    return e->axes[axis].values[qc_experiment_value(e, combination, axis)];
}

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

static int add_text(Text *t, const char *text, const QcYaml *at, QcErr *err)
{
    return add_bytes(t, text, strlen(text), at, err);
}

/* Adds the text as one quoted word for a shell, even if quotes are not needed. */
static int add_in_quotes(Text *t, const char *text, const QcYaml *at, QcErr *err)
{
    if (add_text(t, "'", at, err)) return -1;
    for (; *text; text++)
        if (*text == '\'' ? add_text(t, "'\\''", at, err) : add_bytes(t, text, 1, at, err)) return -1;
    return add_text(t, "'", at, err);
}

/* In a command, the value `default` is nothing: no option is given. */
static const char *in_command(const char *value) { return strcmp(value, "default") ? value : ""; }
/* As one word for a shell. */
static int add_quoted(Text *t, const char *text, const QcYaml *at, QcErr *err)
{
    return qc_is_plain(text) ? add_text(t, text, at, err) : add_in_quotes(t, text, at, err);
}

/* What {name} becomes. out NULL: in the digest's text, where paths keep their names and results are their digests. */
static int add_value(QcJobMaker *m, Text *t, const QcName *name, uint32_t step, uint32_t combination, const char *out,
                     const QcYaml *at, QcErr *err)
{
    switch (name->kind) {
    case QC_NAME_AXIS: return add_text(t, in_command(value_of(m->e, combination, name->index)), at, err);
    case QC_NAME_LET: return add_text(t, name->value, at, err);
    case QC_NAME_PATH: return out ? add_quoted(t, name->value, at, err) : add_text(t, name->name, at, err);
    case QC_NAME_STEP: break;
    }
    if (name->index >= step)
        return qc_yaml_fail(err, at, "step '%s' uses the result of '%s', which does not come before it",
                            m->e->steps[step], name->name);
    uint32_t job = m->job_of[name->index];
    return out ? add_quoted(t, m->e->jobs[job].out, at, err) : add_text(t, m->digests[job], at, err);
}

/* The length of NAME where text is "{NAME}...", else 0; "${NAME}" is a variable of the shell's. */
static size_t name_length(const char *text, char before)
{
    size_t n = *text == '{' && before != '$' ? qc_word_length(text + 1) : 0;
    return n && text[1 + n] == '}' ? n : 0;
}

static int expand(QcJobMaker *m, Text *t, const char *text, uint32_t step, uint32_t combination, const char *out,
                  uint32_t *used, const QcYaml *at, QcErr *err)
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
        const QcName *name = qc_experiment_name(m, text + 1, n);
        if (n == 3 && !memcmp(text + 1, "out", 3)) {
            if (out ? add_quoted(t, out, at, err) : add_text(t, "{out}", at, err)) return -1;
        } else if (!name) {
            return qc_yaml_fail(err, at, "there is no axis, let, path or step '%.*s'", (int)(n < 40 ? n : 40),
                                text + 1);
        } else {
            if (add_value(m, t, name, step, combination, out, at, err)) return -1;
            if (name->kind == QC_NAME_STEP) *used |= 1u << name->index;
        }
        text += n + 2;
    }
    return 0;
}

/* ---- jobs ---- */

/* 1 if the combination's value of the axis is the one that is named, or one of those in a list. */
static int has_value(QcJobMaker *m, uint32_t combination, const char *axis, const QcYaml *named, QcErr *err)
{
    Text text;
    uint32_t used = 0;
    const char *value = value_of(m->e, combination, qc_experiment_name(m, axis, strlen(axis))->index);
    for (uint32_t i = 0; i < (named->kind == QC_YAML_LIST ? named->n : 1); i++) {
        const QcYaml *one = named->kind == QC_YAML_LIST ? named->items[i] : named;
        if (expand(m, &text, one->text, 0, combination, NULL, &used, one, err)) return -1;
        if (!strcmp(in_command(text.bytes), in_command(value))) return 1;
    }
    return 0;
}

int qc_experiment_map_holds(QcJobMaker *m, uint32_t combination, const QcYaml *map, QcErr *err)
{
    uint32_t hold = 0;
    for (uint32_t k = 0; k < map->n; k++) {
        int has = has_value(m, combination, map->keys[k], map->items[k], err);
        if (has < 0) return -1;
        hold += (uint32_t)has;
    }
    return hold == map->n;
}

static int left_out(QcJobMaker *m, const QcRules *without, const QcRules *only, uint32_t combination, QcErr *err)
{
    int out = qc_rules_name(without, m, combination, err);
    if (out || !only->maps) return out;
    int in = qc_rules_name(only, m, combination, err);
    return in < 0 ? -1 : !in;
}

/* The slot of the digest in the table, or the free slot that it would take. */
static uint32_t *look_up(const QcJobMaker *m, const char *digest)
{
    char head[9] = {0};
    memcpy(head, digest, 8);
    uint32_t at = (uint32_t)strtoul(head, NULL, 16);
    while (m->table[at % m->slots] && strcmp(m->digests[m->table[at % m->slots] - 1], digest)) at++;
    return &m->table[at % m->slots];
}

static int grow(QcJobMaker *m, QcErr *err)
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

/* The file that says that the job is done, as a word of the shell's. */
static int add_mark(QcJobMaker *m, QcJob *job, const QcYaml *at, QcErr *err)
{
    char mark[4200];
    Text text = {.n = 0};
    snprintf(mark, sizeof mark, "%s.done", job->out);
    if (add_in_quotes(&text, mark, at, err)) return -1;
    job->mark = qc_arena_text(&m->e->arena, text.bytes, text.n, err);
    return job->mark ? 0 : -1;
}

static int add_job(QcJobMaker *m, uint32_t step, uint32_t combination, QcErr *err)
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
    if (snprintf(out, sizeof out, "%s/%s-%.*s", e->dir, e->steps[step], DIGITS, hex) >= (int)sizeof out)
        return qc_fail(err, QC_EUSAGE, "the folder's name is too long");
    if (!(job->out = qc_arena_text(&e->arena, out, strlen(out), err)) || add_mark(m, job, command, err)) return -1;
    if (expand(m, &text, command->text, step, combination, job->out, &used, command, err)) return -1;
    if (!(job->command = qc_arena_text(&e->arena, text.bytes, text.n, err))) return -1;
    for (uint32_t s = 0; s < step; s++)
        if (used >> s & 1) job->needs[job->n_needs++] = m->job_of[s];
    memcpy(m->digests[e->n_jobs], hex, sizeof hex);
    m->job_of[step] = e->n_jobs++;
    *slot = e->n_jobs;
    return 0;
}

int qc_experiment_make_jobs(QcJobMaker *m, QcErr *err)
{
    QcExperiment *e = m->e;
    QcRules without, only;
    if (qc_rules_make(&without, m, m->without, err) || qc_rules_make(&only, m, m->only, err)) return -1;
    if (!(e->reported = qc_arena_take(&e->arena, e->n_combinations, sizeof *e->reported, err))) return -1;
    for (uint32_t c = 0; c < e->n_combinations; c++) {
        int out = left_out(m, &without, &only, c, err);
        if (out < 0) return -1;
        e->reported[c] = UINT32_MAX;
        for (uint32_t s = 0; !out && s < e->n_steps; s++)
            if (add_job(m, s, c, err)) return -1;
        if (!out) e->reported[c] = m->job_of[e->report];
    }
    return 0;
}
