/* UCI-HAR trees: four texts, parted by form feeds: the activities, their numbers, the subjects, and one that all
 * signals have */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcImportOptions any = {0};
    static const char *const names[] = {"activity_labels.txt", "train/y_train.txt", "train/subject_train.txt"},
                             *const axes[] = {"x", "y", "z"}, *const kinds[] = {"total_acc", "body_acc", "body_gyro"};
    char root[32], name[64];
    fuzz_make_folder(root);
    for (int i = 0; i < 3; i++) {
        const uint8_t *end = length ? memchr(bytes, '\f', length) : NULL;
        size_t n = end ? (size_t)(end - bytes) : length;
        fuzz_put(root, names[i], bytes, n);
        length -= end ? n + 1 : n;
        bytes += end ? n + 1 : n;
    }
    for (int k = 0; k < 9; k++) {
        snprintf(name, sizeof name, "train/Inertial Signals/%s_%s_train.txt", kinds[k / 3], axes[k % 3]);
        fuzz_put(root, name, bytes, length);
    }
    fuzz_import_path("ucihar", root, &any);
    fuzz_remove_tree(root);
    return 0;
}
