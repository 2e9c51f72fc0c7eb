/* The container: reading gives what was written, and every flipped byte and every cut is detected. Bounds of cursor
 * and writer. Model files. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/format/modelfile.h"

static void make(QcContainer *c)
{
    QcWriter w = {0};
    QcErr err;
    qc_container_init(c, QC_KIND_DATA);
    qc_put_text(&w, "hello");
    ck_assert_int_eq(qc_container_add(c, "first", 0, &w, &err), 0);
    ck_assert_int_eq(qc_container_add(c, "empty", QC_SECTION_OPTIONAL, &w, &err), 0);
    for (int i = 0; i < 100; i++) qc_put_u8(&w, (uint8_t)i);
    ck_assert_int_eq(qc_container_add(c, "bytes", 0, &w, &err), 0);
}

/* decode takes over malloc'd bytes */
static int decode(QcContainer *c, const uint8_t *bytes, size_t length, QcKind kind, QcErr *err)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    return qc_container_decode(c, copy, length, kind, err);
}

static void encoded(QcWriter *w)
{
    QcContainer c;
    QcErr err;
    make(&c);
    ck_assert_int_eq(qc_container_encode(&c, w, &err), 0);
    qc_container_release(&c);
}

START_TEST(container_round_trip)
{
    QcContainer c;
    QcCursor cursor;
    QcErr err;
    QcWriter w = {0}, again = {0};
    QcArena arena = {0};
    encoded(&w);
    ck_assert_int_eq(decode(&c, w.bytes, w.length, QC_KIND_DATA, &err), 0);
    ck_assert_uint_eq(c.n, 3);
    ck_assert_int_eq(c.kind, QC_KIND_DATA);
    ck_assert_int_eq(qc_container_find(&c, "first", &cursor), 1);
    ck_assert_str_eq(qc_get_text(&cursor, &arena), "hello");
    ck_assert_int_eq(qc_cursor_end(&cursor, "x", &err), 0);
    ck_assert_int_eq(qc_container_find(&c, "bytes", &cursor), 1);
    ck_assert_uint_eq(cursor.length, 100);
    ck_assert_uint_eq((size_t)(cursor.bytes - c.file) % 64, 0);
    ck_assert_int_eq(qc_container_find(&c, "empty", &cursor), 1);
    ck_assert_uint_eq(cursor.length, 0);
    ck_assert_int_eq(qc_container_find(&c, "none", &cursor), 0);
    ck_assert_int_eq(qc_container_encode(&c, &again, &err), 0);
    ck_assert_uint_eq(w.length, again.length);
    ck_assert_mem_eq(w.bytes, again.bytes, w.length);
    uint8_t digest[QC_DIGEST_BYTES];
    qc_digest(digest, w.bytes, w.length); /* of the whole file: what sha256sum prints */
    ck_assert_mem_eq(digest, c.digest, sizeof digest);
    qc_container_release(&c);
    qc_container_release(&c); /* a released one may be released */
    qc_writer_release(&w);
    qc_writer_release(&again);
    qc_arena_release(&arena);
}
END_TEST

START_TEST(every_flipped_bit_is_detected)
{
    QcWriter w = {0};
    encoded(&w);
    for (size_t at = 0; at < w.length; at++)
        for (int bit = 0; bit < 8; bit++) {
            QcContainer c;
            QcErr err = {0};
            w.bytes[at] ^= (uint8_t)(1 << bit);
            ck_assert_msg(decode(&c, w.bytes, w.length, QC_KIND_ANY, &err) == -1, "bit %d of byte %zu", bit, at);
            ck_assert_int_eq(err.code, QC_EFORMAT);
            ck_assert_int_ne(err.text[0], 0);
            w.bytes[at] ^= (uint8_t)(1 << bit);
        }
    qc_writer_release(&w);
}
END_TEST

START_TEST(truncation_and_appended_bytes_are_detected)
{
    QcWriter w = {0};
    encoded(&w);
    size_t whole = w.length;
    for (size_t length = 0; length < whole; length++) {
        QcContainer c;
        QcErr err = {0};
        ck_assert_msg(decode(&c, w.bytes, length, QC_KIND_ANY, &err) == -1, "cut to %zu bytes", length);
        ck_assert_int_eq(err.code, QC_EFORMAT);
    }
    qc_put_u8(&w, 0);
    QcContainer c;
    QcErr err = {0};
    ck_assert_int_eq(decode(&c, w.bytes, w.length, QC_KIND_ANY, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "after its end"));
    qc_writer_release(&w);
}
END_TEST

/* Writes the digest anew, as someone would who forges a file: structure must then be refused for its own sake. */
static void forge(QcWriter *w)
{
    qc_digest(w->bytes + w->length - 40, w->bytes, w->length - 40);
}

START_TEST(forged_structure_is_refused)
{
    /* table entry 1 begins at 24 + 40; its fields: name 16, flags 4, crc 4, offset 8, length 8 */
    static const struct {
        size_t at;
        uint8_t value;
        const char *says;
    } forgeries[] = {
        {64, 'F', "name"},                 /* no such letter in names */
        {64 + 15, 'x', "name"},            /* something after the name */
        {64 + 16, 6, "flags"},
        {64 + 24, 1, "not where"},         /* offset */
        {64 + 32 + 7, 0x80, "beyond"},     /* length, huge */
        {24 + 40 + 40 + 32, 101, "checksum"},
        {150, 1, "padding"},               /* between the table (144) and the first section (192) */
        {4, 9, "unknown kind"},
        {8, 2, "version"},
        {12, 65, "sections"},
        {12, 2, ""},
        {12, 4, ""},
    };
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        QcWriter w = {0};
        QcContainer c;
        QcErr err = {0};
        encoded(&w);
        ck_assert_uint_ne(w.bytes[forgeries[i].at], forgeries[i].value);
        w.bytes[forgeries[i].at] = forgeries[i].value;
        forge(&w);
        ck_assert_msg(decode(&c, w.bytes, w.length, QC_KIND_ANY, &err) == -1, "forgery %zu is accepted", i);
        ck_assert_msg(strstr(err.text, forgeries[i].says) != NULL, "forgery %zu: %s", i, err.text);
        qc_writer_release(&w);
    }
}
END_TEST

START_TEST(duplicate_sections_are_refused)
{
    QcWriter w = {0};
    QcContainer c;
    QcErr err = {0};
    encoded(&w);
    memcpy(w.bytes + 24 + 80, "first\0\0\0", 8); /* "bytes" becomes "first" */
    forge(&w);
    ck_assert_int_eq(decode(&c, w.bytes, w.length, QC_KIND_ANY, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "two sections 'first'"));
    qc_writer_release(&w);
}
END_TEST

START_TEST(unknown_kinds_and_sections)
{
    static const char *const both[] = {"first", "bytes", NULL}, *const one[] = {"first", NULL};
    QcWriter w = {0};
    QcContainer c;
    QcErr err = {0};
    encoded(&w);
    ck_assert_int_eq(decode(&c, w.bytes, w.length, QC_KIND_MODEL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is a data file; a model file is needed"));
    ck_assert_int_eq(decode(&c, w.bytes, w.length, QC_KIND_DATA, &err), 0);
    ck_assert_int_eq(qc_container_expect(&c, both, &err), 0); /* "empty" is optional */
    ck_assert_int_eq(qc_container_expect(&c, one, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'bytes'"));
    qc_container_release(&c);
    qc_writer_release(&w);
}
END_TEST

START_TEST(added_section_replaces_old_and_is_checked)
{
    QcContainer c;
    QcCursor cursor;
    QcErr err = {0};
    QcWriter w = {0};
    make(&c);
    qc_put_u32(&w, 7);
    ck_assert_int_eq(qc_container_add(&c, "first", 0, &w, &err), 0);
    ck_assert_uint_eq(c.n, 3);
    qc_container_find(&c, "first", &cursor);
    ck_assert_uint_eq(cursor.length, 4);
    ck_assert_int_eq(qc_container_add(&c, "a name that is too long", 0, &w, &err), -1);
    ck_assert_int_eq(qc_container_add(&c, "Upper", 0, &w, &err), -1);
    ck_assert_int_eq(qc_container_add(&c, "", 0, &w, &err), -1);
    char name[16];
    int status = 0, added = 0;
    for (int i = 0; i < 100 && !status; i++) {
        snprintf(name, sizeof name, "n%d", i);
        status = qc_container_add(&c, name, 0, &w, &err);
        added += !status;
    }
    ck_assert_int_eq(added, QC_MAX_SECTIONS - 3);
    qc_container_release(&c);
}
END_TEST

/* --- bytes ------------------------------------------------------------------------------------ */

/* Taken out, put back, taken out: nothing is lost, and nothing freed twice (the allocator or a sanitizer would
 * notice). */
START_TEST(removed_section_can_be_added_again)
{
    QcContainer c;
    QcErr err;
    static const char *const names[] = {"one", "two", "three"};
    qc_container_init(&c, QC_KIND_MODEL);
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 3; i++) {
            QcWriter w = {0};
            for (uint32_t k = 0; k < 40 + i; k++) qc_put_u32(&w, 100 * round + i);
            ck_assert_int_eq(qc_container_add(&c, names[i], 0, &w, &err), 0);
        }
        ck_assert_uint_eq(c.n, 3);
        qc_container_remove(&c, names[round % 3]);
        qc_container_remove(&c, "nothing");
        ck_assert_uint_eq(c.n, 2);
        for (uint32_t i = 0; i < c.n; i++)
            ck_assert_uint_eq(c.sections[i].bytes[0], (uint8_t)(100 * round + (c.sections[i].length / 4 - 40)));
    }
    qc_container_release(&c);
}
END_TEST

START_TEST(fields_round_trip)
{
    static const float floats[] = {0, -0.0f, 1.5f, FLT_MAX, FLT_MIN / 4, INFINITY};
    QcWriter w = {0};
    QcErr err;
    QcArena arena = {0};
    qc_put_u8(&w, 0xab);
    qc_put_u16(&w, 0x1234);
    qc_put_u32(&w, 0x89abcdef);
    qc_put_u64(&w, 0x0123456789abcdef);
    qc_put_i32(&w, INT32_MIN);
    qc_put_f32s(&w, floats, 6);
    qc_put_text(&w, NULL);
    qc_put_text(&w, "Z\xc3\xbcrich \xf0\x9f\x99\x82");
    static const uint8_t begins[] = {0xab, 0x34, 0x12, 0xef, 0xcd, 0xab, 0x89, 0xef, 0xcd};
    ck_assert_mem_eq(w.bytes, begins, sizeof begins); /* little-endian on every machine */
    QcCursor c = {.bytes = w.bytes, .length = w.length};
    ck_assert_uint_eq(qc_get_u8(&c), 0xab);
    ck_assert_uint_eq(qc_get_u16(&c), 0x1234);
    ck_assert_uint_eq(qc_get_u32(&c), 0x89abcdef);
    ck_assert_uint_eq(qc_get_u64(&c), 0x0123456789abcdef);
    ck_assert_int_eq(qc_get_i32(&c), INT32_MIN);
    ck_assert_mem_eq(qc_get_f32s(&c, 6, &arena), floats, sizeof floats);
    ck_assert_str_eq(qc_get_text(&c, &arena), "");
    ck_assert_str_eq(qc_get_text(&c, &arena), "Z\xc3\xbcrich \xf0\x9f\x99\x82");
    ck_assert_int_eq(qc_cursor_end(&c, "x", &err), 0);
    qc_arena_release(&arena);
    qc_writer_release(&w);
}
END_TEST

START_TEST(cursor_never_reads_past_end)
{
    /* exactly as many bytes as there are, on the heap, so that a sanitizer or valgrind sees one byte too many */
    uint8_t *three = malloc(3);
    memset(three, 0xff, 3);
    QcArena arena = {0};
    QcErr err = {0};
    QcCursor c = {.bytes = three, .length = 3};
    ck_assert_uint_eq(qc_get_u32(&c), 0);
    ck_assert_int_eq(c.bad, 1);
    ck_assert_uint_eq(qc_get_u8(&c), 0); /* nothing after a hole */
    ck_assert_int_eq(qc_cursor_end(&c, "the thing", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "the thing is truncated"));
    c = (QcCursor){.bytes = three, .length = 3};
    ck_assert_uint_eq(qc_get_u8(&c), 0xff);
    ck_assert_int_eq(qc_cursor_end(&c, "the thing", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "2 bytes too many"));
    c = (QcCursor){.bytes = three, .length = 3};
    ck_assert_ptr_null(qc_get_f32s(&c, SIZE_MAX / 2, &arena)); /* n x 4 would wrap around */
    c = (QcCursor){.bytes = three, .length = 3};
    ck_assert_ptr_null(qc_get_u64s(&c, SIZE_MAX / 8 + 1, &arena));
    ck_assert_uint_eq(arena.bytes, 0); /* refused before anything was allocated */
    free(three);
}
END_TEST

START_TEST(counts_are_bounded_by_remaining_bytes)
{
    static const uint8_t bytes[] = {2, 0, 0, 0, 1, 1, 1, 1};
    QcCursor c = {.bytes = bytes, .length = 8};
    ck_assert_uint_eq(qc_get_count(&c, 2), 2);
    c = (QcCursor){.bytes = bytes, .length = 8};
    ck_assert_uint_eq(qc_get_count(&c, 3), 0);
    ck_assert_int_eq(c.bad, 1);
    c = (QcCursor){.bytes = bytes, .length = 8};
    ck_assert_uint_eq(qc_get_count(&c, SIZE_MAX), 0);
    ck_assert_int_eq(c.bad, 1);
}
END_TEST

START_TEST(invalid_utf8_is_refused)
{
    static const char *const wrong[] = {
        "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xc3", "\xe2\x82", "a\xff"};
    QcArena arena = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        QcWriter w = {0};
        qc_put_text(&w, wrong[i]);
        QcCursor c = {.bytes = w.bytes, .length = w.length};
        ck_assert_msg(!qc_get_text(&c, &arena) && c.bad, "text %zu is accepted", i);
        qc_writer_release(&w);
    }
    static const uint8_t zero_inside[] = {3, 0, 0, 0, 'a', 0, 'b'};
    QcCursor c = {.bytes = zero_inside, .length = sizeof zero_inside};
    ck_assert_ptr_null(qc_get_text(&c, &arena));
    qc_arena_release(&arena);
}
END_TEST

/* --- model files ------------------------------------------------------------------------------ */

static float means[] = {1, 2}, deviations[] = {0.5f, 3};
static char *names[] = {"sit", "walk", "run"};
static const QcNorm norm = {2, means, deviations};

/* A long command is cut, and the cut may fall within a character. */
START_TEST(any_command_of_a_model_can_be_read_back)
{
    char path[] = "/tmp/qc-model-XXXXXX", command[2100] = "qc-train -";
    close(mkstemp(path));
    QcModelFile m, read;
    QcErr err = {0};
    const uint8_t digest[QC_DIGEST_BYTES] = {1};
    const QcInput input = {"data", digest};
    for (int k = 0; k < 1000; k++) memcpy(command + 8 + _i + 2 * k, "\xc3\xa4", 3);
    ck_assert_int_eq(qc_modelfile_init(&m, "tiny", 2, 1, 50, 3, names, &norm, &err), 0);
    ck_assert_int_eq(qc_modelfile_stamp(&m, command, &input, 1, &err), 0);
    ck_assert_int_eq(qc_modelfile_save(&m, path, &err), 0);
    ck_assert_msg(qc_modelfile_load(&read, path, &err) == 0, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(read.provenance.lines[0], _i ? "\\xc3 ; data=sha256:0100000000000000"
                                                           : "\xc3\xa4 ; data=sha256:0100000000000000"));
    qc_modelfile_release(&read);
    qc_modelfile_release(&m);
    unlink(path);
}
END_TEST

START_TEST(model_file_round_trip)
{
    char path[] = "/tmp/qc-model-XXXXXX";
    close(mkstemp(path));
    QcModelFile m, read;
    QcErr err = {0};
    QcWriter w = {0};
    ck_assert_int_eq(qc_modelfile_init(&m, "tiny", 2, 1, 50, 3, names, &norm, &err), 0);
    ck_assert_int_eq(qc_modelfile_add_provenance(&m, "qc-train 0", &err), 0);
    ck_assert_int_eq(qc_modelfile_add_provenance(&m, "qc-quantize 0", &err), 0);
    qc_put_u8(&w, 1);
    ck_assert_int_eq(qc_container_add(&m.container, "remark", QC_SECTION_OPTIONAL, &w, &err), 0);
    ck_assert_int_eq(qc_modelfile_save(&m, path, &err), 0);
    ck_assert_msg(qc_modelfile_load(&read, path, &err) == 0, "%s", err.text);
    ck_assert_str_eq(read.name, "tiny");
    ck_assert_uint_eq(read.length, 50);
    ck_assert_uint_eq(read.classes, 3);
    ck_assert_str_eq(read.labels[2], "run");
    ck_assert_float_eq(read.norm.deviation[1], 3);
    ck_assert_uint_eq(read.provenance.n, 2);
    ck_assert_str_eq(read.provenance.lines[1], "qc-quantize 0");
    ck_assert_int_eq(qc_modelfile_is_quantized(&read), 0);
    QcCursor c;
    ck_assert_int_eq(qc_container_find(&read.container, "remark", &c), 1); /* unknown and optional: passed on */
    qc_modelfile_release(&read);
    qc_modelfile_release(&m);
    unlink(path);
}
END_TEST

START_TEST(impossible_models_are_refused)
{
    static char *twice[] = {"sit", "sit", "run"}, *latin[] = {"sit", "st\xe4nd", "run"};
    float none[] = {1, 0}, nan[] = {1, NAN};
    const QcNorm flat = {2, means, none}, wild = {2, nan, deviations};
    QcModelFile m;
    QcErr err = {0};
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 2, 1, 50, 3, twice, &norm, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'sit'"));
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 2, 1, 50, 3, latin, &norm, &err), -1); /* it could not be read */
    ck_assert_int_eq(qc_modelfile_init(&m, "\xe4", 2, 1, 50, 3, names, &norm, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 2, 1, 50, 3, names, &flat, &err), -1);
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 2, 1, 50, 3, names, &wild, &err), -1);
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 3, 1, 50, 3, names, &norm, &err), -1);
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 2, 0, 50, 3, names, &norm, &err), -1);
    ck_assert_int_eq(qc_modelfile_init(&m, "x", 2, 1, 50, 0, names, &norm, &err), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("container");
    TCase *tcase = tcase_create("container");
    tcase_add_test(tcase, container_round_trip);
    tcase_add_test(tcase, removed_section_can_be_added_again);
    tcase_add_test(tcase, every_flipped_bit_is_detected);
    tcase_add_test(tcase, truncation_and_appended_bytes_are_detected);
    tcase_add_test(tcase, forged_structure_is_refused);
    tcase_add_test(tcase, duplicate_sections_are_refused);
    tcase_add_test(tcase, unknown_kinds_and_sections);
    tcase_add_test(tcase, added_section_replaces_old_and_is_checked);
    tcase_add_test(tcase, fields_round_trip);
    tcase_add_test(tcase, cursor_never_reads_past_end);
    tcase_add_test(tcase, counts_are_bounded_by_remaining_bytes);
    tcase_add_test(tcase, invalid_utf8_is_refused);
    tcase_add_test(tcase, model_file_round_trip);
    tcase_add_loop_test(tcase, any_command_of_a_model_can_be_read_back, 0, 2);
    tcase_add_test(tcase, impossible_models_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
