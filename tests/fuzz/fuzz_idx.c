/* IDX arrays, plain or in gzip */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {.label = "none"}, last = {.label = "none", .channels_last = 1, .channels = 2},
                                 scaled = {.label = "none", .height = 2, .width = 3};
    fuzz_import("idx", bytes, length, &plain);
    fuzz_import("idx", bytes, length, &last);
    fuzz_import("idx", bytes, length, &scaled);
    return 0;
}
