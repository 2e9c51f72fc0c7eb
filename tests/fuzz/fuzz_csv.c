/* tables, of a window or a step a row */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions
        plain = {0},
        rows = {.channels = 2, .group = "1", .missing = QC_MISSING_FILL, .unequal = QC_UNEQUAL_PAD},
        steps = {.header = QC_HEADER_NO, .window_id = "1", .unequal = QC_UNEQUAL_RESAMPLE, .missing = QC_MISSING_DROP};
    fuzz_import("csv", bytes, length, &plain);
    fuzz_import("csv", bytes, length, &rows);
    fuzz_import("csv", bytes, length, &steps);
    return 0;
}
