/* Segments, and the recording that they are of: the segments up to the first zero byte, then the table */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *zero = length ? memchr(bytes, 0, length) : NULL;
    size_t first = zero ? (size_t)(zero - bytes) : length;
    char root[32], segments[600], folder[600];
    fuzz_make_folder(root);
    fuzz_put(root, "labels", bytes, first);
    fuzz_put(root, "set/r1_p2.txt", bytes + first + (zero ? 1 : 0), length - first - (zero ? 1 : 0));
    snprintf(segments, sizeof segments, "%s/labels", root);
    snprintf(folder, sizeof folder, "%s/set", root);
    const QcImportOptions cut = {.segments = segments, .window = "2", .name_pattern = "r{recording}_p{group}.txt"},
                          whole = {.segments = segments,
                                   .unequal = QC_UNEQUAL_PAD,
                                   .name_pattern = "r{recording}_p{group}.txt"};
    fuzz_import_path("segments", folder, &cut);
    fuzz_import_path("segments", folder, &whole);
    fuzz_remove_tree(root);
    return 0;
}
