/* UCI-DSA segments */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions any = {0};
    fuzz_import_folder("dsa", "a01/p1/s01.txt", bytes, length, &any);
    return 0;
}
