/* raw samples */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions whole = {.type = 3, .channels = 2, .channels_last = 1},
                                 cut = {.type = 7, .big_endian = 1, .window = "2", .missing = QC_MISSING_FILL};
    fuzz_import("raw", bytes, length, &whole);
    fuzz_import("raw", bytes, length, &cut);
    return 0;
}
