/* sound files */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {0}, cut = {.window = "4", .stride = "2", .grey = 1, .rate = 3000},
                                 heard = {.window = "99", .grey = 1,
                                          .front_end = "mfcc:coefficients=2,bands=4,frame=32,hop=9"};
    fuzz_import("wav", bytes, length, &plain);
    fuzz_import("wav", bytes, length, &cut);
    fuzz_import("wav", bytes, length, &heard);
    return 0;
}
