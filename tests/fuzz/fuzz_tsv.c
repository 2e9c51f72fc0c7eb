/* UCR tables */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {0}, lenient = {.unequal = QC_UNEQUAL_RESAMPLE, .missing = QC_MISSING_FILL},
                                 dropped = {.unequal = QC_UNEQUAL_PAD, .missing = QC_MISSING_DROP};
    fuzz_import("tsv", bytes, length, &plain);
    fuzz_import("tsv", bytes, length, &lenient);
    fuzz_import("tsv", bytes, length, &dropped);
    return 0;
}
