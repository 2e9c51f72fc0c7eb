/* WISDM records */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions strict = {.window = "2"},
                                 dropped = {.window = "2", .stride = "1", .missing = QC_MISSING_DROP};
    fuzz_import("wisdm", bytes, length, &strict);
    fuzz_import("wisdm", bytes, length, &dropped);
    return 0;
}
