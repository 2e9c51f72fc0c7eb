/* export_data.c - formats npz and csv: a data file as NumPy arrays or as a table; npz and safetensors: the weights of a
 * float model. */
#include "../data/dataset.h"
#include "../nn/graphfile.h"
#include "../nn/weights.h"
#include "export.h"

typedef int (*SaveWeights)(const QcWeights *w, const char *path, QcErr *err);

static int export_data(const QcExport *e, QcContainer *c, int (*save)(const QcDataset *d, const char *path, QcErr *err),
                       QcErr *err)
{
    QcDataset d;
    if (qc_dataset_decode(&d, c, err)) return qc_within(err, qc_input_name(e->input));
    int status = save(&d, e->output, err);
    qc_dataset_release(&d);
    return status;
}

static int export_weights(const QcExport *e, QcContainer *c, SaveWeights save, QcErr *err)
{
    QcModelFile m;
    QcGraph g = {0};
    QcWeights w = {0};
    int status = -1;
    if (qc_modelfile_decode(&m, c, err) || qc_graph_decode(&g, &m, err)) qc_within(err, qc_input_name(e->input));
    else if (!qc_weights_init(&w, &g, err) && !save(&w, e->output, err)) status = 0;
    qc_weights_release(&w);
    qc_graph_release(&g);
    qc_modelfile_release(&m);
    return status;
}

int qc_export_npz(QcExport *e, QcErr *err)
{
    QcContainer c;
    if (qc_output_check(e->output, 1, err) || qc_container_load(&c, e->input, QC_KIND_ANY, err)) return -1;
    int status = c.kind == QC_KIND_MODEL  ? export_weights(e, &c, qc_weights_save_npz, err)
                 : c.kind == QC_KIND_DATA ? export_data(e, &c, qc_dataset_save_npz, err)
                                          : qc_fail(err, QC_EFORMAT, "%.300s is a %s, not a data file or a model",
                                                    qc_input_name(e->input), qc_kind_name(c.kind));
    qc_container_release(&c);
    return status;
}

int qc_export_csv(QcExport *e, QcErr *err)
{
    QcContainer c;
    if (qc_container_load(&c, e->input, QC_KIND_DATA, err)) return -1;
    int status = export_data(e, &c, qc_dataset_save_csv, err);
    qc_container_release(&c);
    return status;
}

int qc_export_safetensors(QcExport *e, QcErr *err)
{
    QcContainer c;
    if (qc_output_check(e->output, 1, err) || qc_container_load(&c, e->input, QC_KIND_MODEL, err)) return -1;
    int status = export_weights(e, &c, qc_weights_save_safetensors, err);
    qc_container_release(&c);
    return status;
}
