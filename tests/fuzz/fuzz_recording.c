/* tables of samples */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions cut = {.window = "2", .stride = "1"}, ruled = {.window = "0.1s",
                                                                                .label_rule = QC_LABEL_MAJORITY,
                                                                                .missing = QC_MISSING_DROP,
                                                                                .decimal = 1};
    fuzz_import("csv", bytes, length, &cut);
    fuzz_import("csv", bytes, length, &ruled);
    return 0;
}
