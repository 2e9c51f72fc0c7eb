/* libsvm text */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {0}, series = {.channels = 2, .missing = QC_MISSING_FILL};
    fuzz_import("libsvm", bytes, length, &plain);
    fuzz_import("libsvm", bytes, length, &series);
    return 0;
}
