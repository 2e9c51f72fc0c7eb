/* NumPy arrays */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    QcImportOptions o = {.channels_last = length % 2 == 1};
    char labels[64];
    int file = fuzz_open(labels, bytes, length);
    fuzz_import("npy", bytes, length, &o);
    o.label = labels; /* the same array as its own labels */
    fuzz_import("npy", bytes, length, &o);
    close(file);
    return 0;
}
