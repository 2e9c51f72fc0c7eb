/* MATLAB files of version 5. Files of version 7.3 are left out: a process of its own reads them (mat73.h), which
 * libFuzzer's coverage does not see, and a process for each input takes milliseconds. tests/unit/test_mat73.c damages
 * such files; fuzz_mat73.c changes what the process sends. */
#include <string.h>

#include "fuzz.h"
#include "../../lib/data/matfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    QcErr err = {0};
    double *values = NULL;
    uint32_t rows, columns, number;
    int file = fuzz_open(path, bytes, length);
    qc_max_bytes = 1 << 22;
    QcMat *mat = qc_mat_open(path, QC_MAT_5, &err);
    if (!mat || qc_mat_matrix(&values, &rows, &columns, mat, "sensor_readings", &err)) fuzz_refused(&err);
    uint64_t missing = 0; /* every value is there to be read */
    for (uint64_t k = 0; values && k < (uint64_t)rows * columns; k++) missing += values[k] != values[k];
    fuzz_demand(!values || missing <= (uint64_t)rows * columns, "more values than there are");
    for (uint32_t k = 0; mat && k < mat->n; k++) { /* and every variable, as importers read it */
        const QcMatVariable *v = &mat->variables[k];
        char text[64];
        int is_text = !qc_mat_text(text, sizeof text, v);
        fuzz_demand(!is_text || strlen(text) < sizeof text, "a text is longer than its room");
        fuzz_demand(v->name && v->what && v->inside <= mat->n - k, "a variable is not described");
        for (uint64_t i = 0; (v->kind == QC_MAT_NUMBERS || v->kind == QC_MAT_TEXT) && i < v->a.count; i++)
            missing += qc_ndarray_real(&v->a, i) == 0;
    }
    fuzz_demand(missing <= UINT64_MAX / 2, "more values than there are");
    if (mat && qc_mat_number(&number, mat, "activity_number", &err)) fuzz_refused(&err);
    qc_mat_close(mat);
    free(values);
    close(file);
    return 0;
}
