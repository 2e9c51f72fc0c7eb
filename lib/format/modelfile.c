#include "modelfile.h"

#include <math.h>
#include <string.h>

#include "../base/file.h"
#include "../base/text.h"

enum { MAX_CLASSES = 4096 };

void qc_provenance_encode(QcWriter *w, const QcProvenance *p)
{
    qc_put_u32(w, p->n);
    for (uint32_t i = 0; i < p->n; i++) qc_put_text(w, p->lines[i]);
}

int qc_provenance_decode(QcProvenance *p, QcCursor *c, QcArena *arena, QcErr *err)
{
    QcProvenance read = {.n = qc_get_count(c, 4)};
    read.lines = qc_arena_take(arena, read.n, sizeof *read.lines, err);
    if (!read.lines) return -1;
    for (uint32_t i = 0; i < read.n; i++) read.lines[i] = qc_get_text(c, arena);
    if (qc_cursor_end(c, "section 'provenance'", err)) return -1;
    *p = read;
    return 0;
}

int qc_provenance_add(QcProvenance *p, QcArena *arena, const char *line, QcErr *err)
{
    /* a chain is a handful of programs long: the old array remains in the arena */
    size_t room = 4 * strlen(line) + 1; /* each byte may become \xNN */
    char **lines = qc_arena_take(arena, (size_t)p->n + 1, sizeof *lines, err);
    if (!lines) return -1;
    if (p->n) memcpy(lines, p->lines, p->n * sizeof *lines);
    lines[p->n] = qc_arena_take(arena, room, 1, err);
    if (!lines[p->n]) return -1;
    qc_text_copy(lines[p->n], room, line, QC_TEXT_PLAIN);
    p->lines = lines;
    p->n++;
    return 0;
}

/* Checks that hold for every model. */
static int check(const QcModelFile *m, QcErr *err)
{
    if (!qc_model_can_take(m->channels, m->height, m->length))
        return qc_fail(err, QC_EFORMAT, "input windows of %u channels x %u x %u are not possible (1 to %d each)",
                       m->channels, m->height, m->length, QC_MODEL_DIM_MAX);
    if (!m->classes || m->classes > MAX_CLASSES)
        return qc_fail(err, QC_EFORMAT, "a model of %u classes is not possible (1 to %d)", m->classes, MAX_CLASSES);
    if (!qc_text_is_utf8(m->name, strlen(m->name)))
        return qc_fail(err, QC_EFORMAT, "the model's name '%.200s' is not valid UTF-8", m->name);
    for (uint32_t i = 0; i < m->classes; i++)
        if (!qc_text_is_utf8(m->labels[i], strlen(m->labels[i])))
            return qc_fail(err, QC_EFORMAT, "the name '%.200s' of class %u is not valid UTF-8", m->labels[i], i);
    for (uint32_t i = 0; i < m->classes; i++)
        for (uint32_t j = 0; j < i; j++)
            if (*m->labels[i] && !strcmp(m->labels[i], m->labels[j])) /* spare rows have no name */
                return qc_fail(err, QC_EFORMAT, "classes %u and %u are both named '%s'", j, i, m->labels[i]);
    if (m->norm.channels != m->channels)
        return qc_fail(err, QC_EFORMAT, "the normalization is of %u channels, the input of %u", m->norm.channels,
                       m->channels);
    for (uint32_t i = 0; i < m->channels; i++)
        if (!isfinite(m->norm.mean[i]) || !isfinite(m->norm.deviation[i]) || m->norm.deviation[i] <= 0)
            return qc_fail(err, QC_EFORMAT,
                           "the normalization of channel %u is not a finite mean and a deviation above 0", i);
    return 0;
}

int qc_modelfile_init(QcModelFile *m, const char *name, uint32_t channels, uint32_t height, uint32_t length,
                      uint32_t classes, char *const *labels, const QcNorm *norm, QcErr *err)
{
    *m = (QcModelFile){.channels = channels, .height = height, .length = length, .classes = classes};
    qc_container_init(&m->container, QC_KIND_MODEL);
    m->norm = (QcNorm){.channels = norm->channels,
                       .mean = qc_arena_take(&m->arena, norm->channels, sizeof *norm->mean, err),
                       .deviation = qc_arena_take(&m->arena, norm->channels, sizeof *norm->deviation, err)};
    m->labels = qc_arena_take(&m->arena, classes, sizeof *m->labels, err);
    m->name = qc_arena_text(&m->arena, name, strlen(name), err);
    if (!m->norm.mean || !m->norm.deviation || !m->labels || !m->name) goto fail;
    memcpy(m->norm.mean, norm->mean, norm->channels * sizeof *norm->mean);
    memcpy(m->norm.deviation, norm->deviation, norm->channels * sizeof *norm->deviation);
    for (uint32_t i = 0; i < classes; i++) {
        m->labels[i] = qc_arena_text(&m->arena, labels[i], strlen(labels[i]), err);
        if (!m->labels[i]) goto fail;
    }
    if (!check(m, err)) return 0;
fail:
    qc_modelfile_release(m);
    return -1;
}

static void encode_meta(QcWriter *w, const QcModelFile *m)
{
    qc_put_text(w, m->name);
    qc_put_u32(w, m->channels);
    qc_put_u32(w, m->height);
    qc_put_u32(w, m->length);
    qc_put_u32(w, m->classes);
    for (uint32_t i = 0; i < m->classes; i++) qc_put_text(w, m->labels[i]);
    qc_put_u32(w, m->norm.channels);
    qc_put_f32s(w, m->norm.mean, m->norm.channels);
    qc_put_f32s(w, m->norm.deviation, m->norm.channels);
}

static int decode_meta(QcModelFile *m, QcCursor *c, QcErr *err)
{
    m->name = qc_get_text(c, &m->arena);
    m->channels = qc_get_u32(c);
    m->height = qc_get_u32(c);
    m->length = qc_get_u32(c);
    m->classes = qc_get_count(c, 4);
    m->labels = qc_arena_take(&m->arena, m->classes, sizeof *m->labels, err);
    if (!m->labels) return -1;
    for (uint32_t i = 0; i < m->classes; i++) m->labels[i] = qc_get_text(c, &m->arena);
    m->norm.channels = qc_get_count(c, 8);
    m->norm.mean = qc_get_f32s(c, m->norm.channels, &m->arena);
    m->norm.deviation = qc_get_f32s(c, m->norm.channels, &m->arena);
    return qc_cursor_end(c, "section 'meta'", err) ? -1 : check(m, err);
}

static int decode(QcModelFile *m, QcErr *err)
{
    static const char *const known[] = {"meta", "provenance", "graph", "qgraph", "flip", "learned", "frontend", NULL};
    QcCursor c;
    if (qc_container_expect(&m->container, known, err)) return -1;
    if (!qc_container_find(&m->container, "meta", &c)) return qc_fail(err, QC_EFORMAT, "section 'meta' is missing");
    if (decode_meta(m, &c, err) || qc_frontfile_get(&m->front, &m->container, m->channels, m->height, err)) return -1;
    return qc_container_find(&m->container, "provenance", &c) ? qc_provenance_decode(&m->provenance, &c, &m->arena, err)
                                                              : 0;
}

int qc_modelfile_decode(QcModelFile *m, QcContainer *container, QcErr *err)
{
    *m = (QcModelFile){.container = *container};
    *container = (QcContainer){0};
    int status = decode(m, err);
    if (status) qc_modelfile_release(m);
    return status;
}

int qc_modelfile_load(QcModelFile *m, const char *path, QcErr *err)
{
    QcContainer container;
    *m = (QcModelFile){0};
    if (qc_container_load(&container, path, QC_KIND_MODEL, err)) return -1;
    return qc_modelfile_decode(m, &container, err) ? qc_within(err, qc_input_name(path)) : 0;
}

int qc_modelfile_is_quantized(const QcModelFile *m)
{
    QcCursor c;
    return qc_container_find(&m->container, "qgraph", &c);
}

int qc_modelfile_add_provenance(QcModelFile *m, const char *line, QcErr *err)
{
    return qc_provenance_add(&m->provenance, &m->arena, line, err);
}

int qc_modelfile_save(QcModelFile *m, const char *path, QcErr *err)
{
    QcWriter meta = {0}, provenance = {0};
    encode_meta(&meta, m);
    if (qc_container_add(&m->container, "meta", 0, &meta, err) || qc_frontfile_put(&m->container, &m->front, err))
        return -1;
    qc_provenance_encode(&provenance, &m->provenance);
    if (qc_container_add(&m->container, "provenance", QC_SECTION_OPTIONAL, &provenance, err)) return -1;
    return qc_container_save(&m->container, path, err);
}

void qc_modelfile_release(QcModelFile *m)
{
    if (!m) return;
    qc_container_release(&m->container);
    qc_arena_release(&m->arena);
    *m = (QcModelFile){0};
}

static void add_input(char *line, size_t room, const char *role, const uint8_t *digest)
{
    static const uint8_t none[QC_DIGEST_BYTES];
    char text[QC_DIGEST_TEXT];
    size_t used = strlen(line);
    if (!digest || !memcmp(digest, none, sizeof none)) return;
    qc_digest_text(text, digest);
    snprintf(line + used, room - used, "%s %s=sha256:%.16s", strstr(line, " ;") ? "" : " ;", role, text);
}

int qc_modelfile_stamp(QcModelFile *m, const char *command, const QcInput *inputs, uint32_t n, QcErr *err)
{
    char line[2048];
    snprintf(line, sizeof line, "%.1000s", command);
    add_input(line, sizeof line, "model", m->container.digest);
    for (uint32_t i = 0; i < n; i++) add_input(line, sizeof line, inputs[i].role, inputs[i].digest);
    return qc_modelfile_add_provenance(m, line, err);
}
