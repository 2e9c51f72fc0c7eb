#include "modelplan.h"

static void plan_graph(QcPlacing *p, const QcQGraph *g)
{
    qc_placing_part(p, "packed codes");
    qc_placing_take(p, g->n_code_bytes);
    qc_placing_part(p, "channels");
    qc_placing_take(p, g->n_channels * sizeof *g->scale);
    qc_placing_take(p, g->n_channels * sizeof *g->bias);
    qc_placing_take(p, g->n_channels * sizeof *g->multiplier);
    qc_placing_take(p, g->n_channels * sizeof *g->shift);
    qc_placing_part(p, "nodes and tensors");
    qc_placing_take(p, g->n_nodes * sizeof *g->nodes);
    qc_placing_take(p, g->n_tensors * sizeof *g->tensors);
}

static void plan_flip(QcPlacing *p, const QcFlip *flip)
{
    qc_placing_part(p, "bit-flip network");
    qc_placing_take(p, sizeof *flip);
    qc_placing_take(p, flip->n_layers * sizeof *flip->layers);
    qc_placing_take(p, flip->n_layers * sizeof *flip->feedback_scale);
    qc_placing_part(p, "feedback");
    qc_placing_take(p, flip->n_feedback);
}

void qc_modelfile_plan(QcPlan *plan, const QcQGraph *g, const QcFlip *flip)
{
    QcPlacing p = {.plan = plan};
    plan_graph(&p, g);
    if (flip && flip->n_layers) plan_flip(&p, flip);
}
