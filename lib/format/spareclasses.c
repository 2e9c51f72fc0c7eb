#include "spareclasses.h"

#include <string.h>
#include <strings.h>

#include "../base/text.h"
#include "driftfile.h"
#include "qgraphfile.h"

uint32_t qc_named_classes(const QcModelFile *m)
{
    uint32_t n = m->classes;
    while (n > 0 && !*m->labels[n - 1]) n--;
    return n;
}

/* ---- rows come and go ---- */

/* The last layer has other rows from now on: the first of what it has, then spare ones. Nodes are copied, the other
 * arrays only if they must grow. */
static int set_rows(QcQGraph *g, uint32_t rows, QcArena *arena, QcErr *err)
{
    QcQNode *nodes = qc_arena_take(arena, g->n_nodes, sizeof *nodes, err), *last;
    if (!nodes) return -1;
    last = &nodes[g->n_nodes - 1];
    memcpy(nodes, g->nodes, g->n_nodes * sizeof *nodes);
    if (last->channel + g->classes != g->n_channels || last->code + last->n_codes != g->n_codes)
        return qc_fail(err, QC_EUNSUPPORTED, "the last layer does not come last in the model's arrays");
    uint32_t codes = last->n_codes / g->classes * rows;
    g->n_codes = last->code + codes;
    g->n_code_bytes = last->code_byte + (uint32_t)(((uint64_t)codes * qc_code_bits(g, last) + 7) / 8);
    g->n_channels = last->channel + rows;
    g->spare += rows - g->classes;
    g->classes = rows;
    last->n_codes = codes;
    last->channels = (uint16_t)rows;
    g->nodes = nodes;
    return 0;
}

static void *grown(const void *from, size_t used, size_t n, size_t size, QcArena *arena, QcErr *err)
{
    uint8_t *to = qc_arena_take(arena, n, size, err); /* zeroed */
    if (to) memcpy(to, from, used * size);
    return to;
}

static int grow(QcQGraph *g, uint32_t n, QcArena *arena, QcErr *err)
{
    const QcQGraph old = *g;
    if (set_rows(g, g->classes + n, arena, err)) return -1;
    g->codes = grown(old.codes, old.n_code_bytes, g->n_code_bytes, 1, arena, err);
    g->scale = grown(old.scale, old.n_channels, g->n_channels, sizeof *g->scale, arena, err);
    g->bias = grown(old.bias, old.n_channels, g->n_channels, sizeof *g->bias, arena, err);
    g->multiplier = grown(old.multiplier, old.n_channels, g->n_channels, sizeof *g->multiplier, arena, err);
    g->shift = grown(old.shift, old.n_channels, g->n_channels, sizeof *g->shift, arena, err);
    return g->codes && g->scale && g->bias && g->multiplier && g->shift ? 0 : -1;
}

static void make_spare(const QcQGraph *g, uint32_t from)
{
    const QcQNode *last = &g->nodes[g->n_nodes - 1];
    QcLastLayer layer = {g->codes + last->code_byte, g->scale + last->channel, g->bias + last->channel};
    QcHeadShape shape;
    float largest = 0;
    qc_head_shape(&shape, g);
    for (uint32_t k = 0; k < from; k++)
        if (layer.scale[k] > largest) largest = layer.scale[k];
    for (uint32_t k = from; k < g->classes; k++) qc_make_spare_row(&layer, &shape, k, largest);
}

static int add_names(QcModelFile *m, uint32_t n, QcErr *err)
{
    char **labels = qc_arena_take(&m->arena, (size_t)m->classes + n, sizeof *labels, err);
    if (!labels) return -1;
    memcpy(labels, m->labels, m->classes * sizeof *labels);
    for (uint32_t k = m->classes; k < m->classes + n; k++) {
        labels[k] = qc_arena_text(&m->arena, "", 0, err);
        if (!labels[k]) return -1;
    }
    m->labels = labels;
    m->classes += n;
    return 0;
}

int qc_add_spare_classes(QcModelFile *m, QcQGraph *g, uint32_t n, QcArena *arena, QcErr *err)
{
    uint32_t classes = m->classes;
    if (!n) return 0;
    if (classes + n > QC_HEAD_MAX_CLASSES)
        return qc_fail(err, QC_EUNSUPPORTED, "%u classes and %u spare ones are more than the learner can have (%d)",
                       classes, n, QC_HEAD_MAX_CLASSES);
    if (grow(g, n, arena, err)) return -1;
    if (!qc_head_fits(g))
        return qc_fail(err, QC_EUNSUPPORTED,
                       "the last layer is too large for a closed form: it cannot learn, so spare classes are no use");
    make_spare(g, classes);
    return add_names(m, n, err);
}

int qc_drop_spare_classes(QcModelFile *m, QcErr *err)
{
    QcArena arena = {0};
    QcQGraph g;
    QcDriftBase drift;
    uint32_t named = qc_named_classes(m);
    if (named == m->classes || !qc_modelfile_is_quantized(m)) return 0;
    int status = qc_qgraphfile_decode(&g, m, &arena, err), knows = 0;
    if (!status) status = (knows = qc_driftbase_decode(&drift, m, &g, &arena, err)) < 0;
    if (!status) status = set_rows(&g, named, &arena, err) || qc_qgraphfile_encode(m, &g, err);
    if (!status && knows) {
        drift.classes = named;
        status = qc_driftbase_encode(m, &drift, &g, err);
    } else if (!status) {
        qc_container_remove(&m->container, "drift");
    }
    if (!status) m->classes = named;
    qc_arena_release(&arena);
    return status ? -1 : 0;
}

/* ---- names ---- */

int32_t qc_class_of_name(const QcModelFile *m, const char *name, size_t length)
{
    for (uint32_t k = 0; k < m->classes && length; k++)
        if (strlen(m->labels[k]) == length && !memcmp(m->labels[k], name, length)) return (int32_t)k;
    return -1;
}

const char *qc_class_in_other_case(const QcModelFile *m, const char *name, size_t length)
{
    if (qc_class_of_name(m, name, length) >= 0) return NULL;
    for (uint32_t k = 0; k < m->classes && length; k++)
        if (strlen(m->labels[k]) == length && !strncasecmp(m->labels[k], name, length)) return m->labels[k];
    return NULL;
}

int32_t qc_class_of_label(QcModelFile *m, const char *name, size_t length, int takes)
{
    QcErr err;
    int32_t found = qc_class_of_name(m, name, length);
    uint32_t named = qc_named_classes(m);
    if (found >= 0 || !takes || !length || named == m->classes || !qc_text_is_utf8(name, length) ||
        qc_class_in_other_case(m, name, length))
        return found;
    char *text = qc_arena_text(&m->arena, name, length, &err);
    if (!text) return -1;
    m->labels[named] = text;
    return (int32_t)named;
}
