/* What the process that reads a MATLAB file of version 7.3 sends: it may have been taken over. */
#include <string.h>

#include "fuzz.h"
#include "../../lib/data/mat73.h"
#include "../../lib/data/matfile.h"

/* The parts of variable k, and their parts, end where the next variable of its level begins. */
static void demand_parts(const QcMat *mat, uint32_t k)
{
    const QcMatVariable *v = &mat->variables[k];
    uint32_t parts = 0;
    for (uint32_t i = k + 1; i < mat->n && mat->variables[i].level > v->level; i++)
        parts += mat->variables[i].level == v->level + 1;
    fuzz_demand(parts == v->inside, "a variable has other parts than it says");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64], text[64];
    QcErr err = {0};
    uint64_t zeros = 0;
    int file = fuzz_open(path, bytes, length);
    QcMat *mat = calloc(1, sizeof *mat);
    fuzz_demand(mat && !lseek(file, 0, SEEK_SET), "no memory");
    mat->path = path;
    mat->view.length = length;
    qc_max_bytes = 1 << 22;
    int status = qc_mat73_receive(mat, file, &err);
    if (status) fuzz_refused(&err);
    for (uint32_t k = 0; !status && k < mat->n; k++) {
        const QcMatVariable *v = &mat->variables[k];
        fuzz_demand(v->name && v->what, "a variable is not described");
        demand_parts(mat, k);
        int is_text = !qc_mat_text(text, sizeof text, v);
        fuzz_demand(!is_text || strlen(text) < sizeof text, "a text is longer than its room");
        for (uint64_t i = 0; (v->kind == QC_MAT_NUMBERS || v->kind == QC_MAT_TEXT) && i < v->a.count; i++)
            zeros += qc_ndarray_real(&v->a, i) == 0; /* every value is there to be read */
    }
    fuzz_demand(zeros <= length, "more values than bytes");
    mat->view = (QcInputView){0};
    qc_mat_close(mat);
    close(file);
    return 0;
}
