/* MATLAB files of any content */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {0}, cut = {.window = "1", .label = "none", .missing = QC_MISSING_DROP},
                                 last = {.channels_last = 1, .features = 1};
    fuzz_import("mat", bytes, length, &plain);
    fuzz_import("mat", bytes, length, &cut);
    fuzz_import("mat", bytes, length, &last);
    return 0;
}
