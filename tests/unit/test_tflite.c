/* TensorFlow Lite import: the reader of FlatBuffers, and cut files. (Logits: tests/cli/tflite_in.sh.) */
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/file.h"
#include "../../lib/onnx/flatbuffer.h"
#include "../../lib/onnx/tflite.h"

static QcErr err;

/* A root table of three fields: a number of 4 bytes, an absent one, a vector of two bytes. */
static const uint8_t good[] = {
    20, 0, 0, 0, 'T', 'E', 'S', 'T', /* the root is at 20 */
    10, 0, 12, 0, 4, 0, 0, 0, 8, 0, 0, 0, /* vtable at 8: its size, the table's, three fields */
    12, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, /* table at 20: its vtable is 12 before it; 7; the vector is 4 after 28 */
    2, 0, 0, 0, 'a', 'b', 0, 0};

static int open_changed(QcFlat *f, QcFlatTable *root, uint8_t bytes[sizeof good], size_t at, uint8_t value)
{
    memcpy(bytes, good, sizeof good);
    bytes[at] = value;
    return qc_flat_open(f, root, bytes, sizeof good, "TEST", &err);
}

START_TEST(flatbuffer_fields_are_read)
{
    QcFlat f;
    QcFlatTable root;
    QcArena arena = {0};
    ck_assert(!qc_flat_open(&f, &root, good, sizeof good, "TEST", &err));
    ck_assert_int_eq(qc_flat_int(&f, root, 0, 4, 1), 7);
    ck_assert_int_eq(qc_flat_int(&f, root, 1, 4, 11), 11); /* absent */
    ck_assert_int_eq(qc_flat_int(&f, root, 9, 1, 12), 12); /* of a newer schema */
    QcFlatVector v = qc_flat_vector(&f, root, 2, 1);
    ck_assert_uint_eq(v.n, 2);
    ck_assert_int_eq(qc_flat_int_at(&f, v, 1, 1), 'b');
    ck_assert_str_eq(qc_flat_text(&f, root, 2, &arena, &err), "ab");
    ck_assert_str_eq(qc_flat_text(&f, root, 1, &arena, &err), "");
    ck_assert(!qc_flat_end(&f, &err));
    qc_arena_release(&arena);
}
END_TEST

START_TEST(offsets_outside_file_are_refused)
{
    QcFlat f;
    QcFlatTable root;
    uint8_t bytes[sizeof good];
    ck_assert(open_changed(&f, &root, bytes, 4, 'X')); /* identifier */
    ck_assert(open_changed(&f, &root, bytes, 0, sizeof good - 3)); /* root */
    ck_assert(open_changed(&f, &root, bytes, 3, 0x80));
    ck_assert(open_changed(&f, &root, bytes, 20, 21)); /* vtable before the file */
    ck_assert(open_changed(&f, &root, bytes, 8, 3)); /* a vtable shorter than its own size */
    ck_assert(open_changed(&f, &root, bytes, 8, 200));
    ck_assert(open_changed(&f, &root, bytes, 10, 60)); /* a table that ends outside */
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert(!open_changed(&f, &root, bytes, 12, 9)); /* a field that ends outside its table */
    ck_assert_int_eq(qc_flat_int(&f, root, 0, 4, 5), 5);
    ck_assert(qc_flat_end(&f, &err));
    ck_assert(!open_changed(&f, &root, bytes, 32, 5)); /* a vector that is longer than the file */
    ck_assert_uint_eq(qc_flat_vector(&f, root, 2, 1).n, 0);
    ck_assert(qc_flat_end(&f, &err));
    ck_assert(!open_changed(&f, &root, bytes, 28, 200)); /* a vector outside the file */
    ck_assert_uint_eq(qc_flat_vector(&f, root, 2, 1).n, 0);
    ck_assert(qc_flat_end(&f, &err));
    ck_assert(!open_changed(&f, &root, bytes, 35, 0x40)); /* 2^30 elements of 8 bytes are no overflow */
    ck_assert_uint_eq(qc_flat_vector(&f, root, 2, 8).n, 0);
    ck_assert(qc_flat_end(&f, &err));
    for (size_t length = 0; length < sizeof good - 2; length++) {
        int refused = qc_flat_open(&f, &root, good, length, "TEST", &err);
        if (!refused) qc_flat_vector(&f, root, 2, 1);
        ck_assert(refused || qc_flat_end(&f, &err));
    }
}
END_TEST

/* The bytes are copied to a block of their own size, so that a sanitizer sees a read after them. */
START_TEST(cut_models_are_refused)
{
    static const char *const seeds[] = {"float", "int8", "ends"};
    const QcOnnxOptions nothing = {0};
    for (size_t k = 0; k < sizeof seeds / sizeof *seeds; k++) {
        char path[64];
        uint8_t *bytes;
        size_t length;
        QcModelFile m;
        snprintf(path, sizeof path, "tests/fuzz/seeds/tflite/%s.tflite", seeds[k]);
        ck_assert_msg(!qc_read_all(path, &bytes, &length, &err), "%s", err.text);
        ck_assert_msg(!qc_tflite_decode(&m, bytes, length, &nothing, NULL, &err), "%s", err.text);
        ck_assert_uint_eq(m.classes, 3);
        qc_modelfile_release(&m);
        for (size_t cut = 0; cut < length - 16; cut += 7) { /* the last bytes may fill up to a multiple of 16 */
            uint8_t *copy = malloc(cut ? cut : 1);
            memcpy(copy, bytes, cut);
            err = (QcErr){0};
            ck_assert_msg(qc_tflite_decode(&m, copy, cut, &nothing, NULL, &err), "%s cut to %zu", path, cut);
            ck_assert(err.code && *err.text && !strchr(err.text, '\n'));
            free(copy);
        }
        free(bytes);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tflite");
    TCase *tcase = tcase_create("tflite");
    tcase_add_test(tcase, flatbuffer_fields_are_read);
    tcase_add_test(tcase, offsets_outside_file_are_refused);
    tcase_add_test(tcase, cut_models_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
