/* archives of NumPy arrays */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {.header = -1}, last = {.header = -1, .channels_last = 1};
    fuzz_import("npz", bytes, length, &plain);
    fuzz_import("npz", bytes, length, &last);
    return 0;
}
