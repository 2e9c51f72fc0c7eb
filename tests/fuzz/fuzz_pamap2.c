/* PAMAP2 tables */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions strict = {.window = "2"},
                                 filled = {.window = "2", .stride = "1", .missing = QC_MISSING_FILL};
    fuzz_import_folder("pamap2", "subject1.dat", bytes, length, &strict);
    fuzz_import_folder("pamap2", "subject1.dat", bytes, length, &filled);
    return 0;
}
