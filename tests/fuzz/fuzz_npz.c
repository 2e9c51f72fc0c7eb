/* archives of NumPy arrays */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {0}, last = {.channels_last = 1};
    fuzz_import("npz", bytes, length, &plain);
    fuzz_import("npz", bytes, length, &last);
    return 0;
}
