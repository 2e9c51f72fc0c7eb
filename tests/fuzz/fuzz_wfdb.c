/* WFDB records: the head up to the first zero byte, then the annotations; the samples are always the same */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions plain = {.window = "16"}, one = {.window = "0.1s", .lead = "MLII", .all_beats = 1};
    static const uint8_t samples[600];
    const uint8_t *zero = length ? memchr(bytes, 0, length) : NULL;
    size_t head = zero ? (size_t)(zero - bytes) : length;
    char root[32], path[600];
    fuzz_make_folder(root);
    fuzz_put(root, "r.hea", bytes, head);
    fuzz_put(root, "r.dat", samples, sizeof samples);
    fuzz_put(root, "r.atr", bytes + head + (zero ? 1 : 0), length - head - (zero ? 1 : 0));
    snprintf(path, sizeof path, "%s/r.hea", root);
    fuzz_import_path("wfdb", path, &plain);
    fuzz_import_path("wfdb", path, &one);
    fuzz_remove_tree(root);
    return 0;
}
