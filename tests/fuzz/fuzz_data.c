/* our own data files */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    QcErr err = {0};
    QcDataset d;
    int file = fuzz_open(path, bytes, length);
    if (qc_dataset_load(&d, path, &err)) fuzz_refused(&err);
    else fuzz_dataset(&d);
    close(file);
    return 0;
}
