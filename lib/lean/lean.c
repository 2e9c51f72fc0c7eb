/* lean.c - what `make device` links instead of libraries: the functions of lib/format/yaml.c, lib/data/gunzip.h
 * and lib/nn/run.h, which here say what this build cannot do. Whoever asks for --config or for floats gets one sentence
 * and a status.
 */
#include "../base/file.h"
#include "../data/gunzip.h"
#include "../format/yaml.h"
#include "../nn/run.h"

int qc_yaml_parse(QcYamlDocument *d, const char *text, size_t length, const char *name, uint32_t line, QcErr *err)
{
    (void)text, (void)length, (void)line;
    *d = (QcYamlDocument){0};
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: this build (make device) reads no YAML: give the options on the command line", name);
}

int qc_gunzip_view(QcInputView *v, const char *path, QcErr *err)
{
    return qc_inputview_open(v, path, err);
} /* no zlib */

QcRun *qc_run_new(QcGraph *g, uint32_t batch, QcRunMode mode, int threads, QcErr *err)
{
    (void)g, (void)batch, (void)mode, (void)threads;
    qc_fail(err, QC_EUNSUPPORTED,
            "this build (make device) runs quantized models only: float models and back-propagation need the full "
            "build of qcore");
    return NULL;
}

/* There is no run to be handed to the rest. */

void qc_run_free(QcRun *run) { (void)run; }

const float *qc_run_forward(QcRun *run, const float *x, uint32_t n)
{
    (void)run, (void)x, (void)n;
    return NULL;
}

void qc_run_backward(QcRun *run, float *grads, const float *dlogits) { (void)run, (void)grads, (void)dlogits; }

const float *qc_run_value(const QcRun *run, uint32_t node)
{
    (void)run, (void)node;
    return NULL;
}

const float *qc_run_gradient(const QcRun *run, uint32_t node)
{
    (void)run, (void)node;
    return NULL;
}

int qc_run_keep(QcRun *run, uint32_t node, QcErr *err)
{
    (void)node;
    return run ? 0 : qc_fail(err, QC_EUNSUPPORTED, "there is no float run");
}

size_t qc_run_bytes(const QcRun *run)
{
    (void)run;
    return 0;
}
