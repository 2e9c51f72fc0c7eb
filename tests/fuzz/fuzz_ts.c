/* UCR/UEA series */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {0}, lenient = {.unequal = QC_UNEQUAL_RESAMPLE, .missing = QC_MISSING_FILL},
                                 dropped = {.unequal = QC_UNEQUAL_PAD, .missing = QC_MISSING_DROP};
    fuzz_import("ts", bytes, length, &plain);
    fuzz_import("ts", bytes, length, &lenient);
    fuzz_import("ts", bytes, length, &dropped);
    return 0;
}
