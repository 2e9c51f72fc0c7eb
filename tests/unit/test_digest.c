/* SHA-256 against the examples of FIPS 180-4 and against sha256sum; CRC-32 against its published check value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/crc32.h"
#include "../../lib/base/digest.h"

static void text_of(char text[QC_DIGEST_TEXT], const void *bytes, size_t length)
{
    uint8_t digest[QC_DIGEST_BYTES];
    qc_digest(digest, bytes, length);
    qc_digest_text(text, digest);
}

START_TEST(sha256_matches_fips_180_4_examples)
{
    static const struct {
        const char *message, *digest;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char text[QC_DIGEST_TEXT];
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        text_of(text, examples[i].message, strlen(examples[i].message));
        ck_assert_str_eq(text, examples[i].digest);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    text_of(text, million, 1000000);
    free(million);
    ck_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(sha256_equals_sha256sum_at_every_length)
{
    enum { LENGTHS = 200 };
    uint8_t bytes[LENGTHS];
    char folder[] = "/tmp/qc-digest-XXXXXX", command[100], line[200], text[QC_DIGEST_TEXT];
    for (int i = 0; i < LENGTHS; i++) bytes[i] = (uint8_t)(i * 37 + 11);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int n = 0; n < LENGTHS; n++) {
        snprintf(command, sizeof command, "%s/%03d", folder, n);
        FILE *out = fopen(command, "wb");
        fwrite(bytes, 1, (size_t)n, out);
        fclose(out);
    }
    snprintf(command, sizeof command, "sha256sum %s/*; rm -r %s", folder, folder);
    FILE *theirs = popen(command, "r");
    for (int n = 0; n < LENGTHS; n++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, theirs));
        text_of(text, bytes, (size_t)n);
        ck_assert_msg(!strncmp(text, line, 64), "length %d: %s, sha256sum says %s", n, text, line);
    }
    pclose(theirs);
}
END_TEST

START_TEST(digest_of_pieces_equals_digest_of_whole)
{
    uint8_t bytes[300], whole[QC_DIGEST_BYTES], pieces[QC_DIGEST_BYTES];
    for (int i = 0; i < 300; i++) bytes[i] = (uint8_t)(i * i);
    qc_digest(whole, bytes, sizeof bytes);
    for (size_t first = 0; first <= 300; first += 7) {
        QcDigest d;
        qc_digest_init(&d);
        qc_digest_add(&d, bytes, first);
        qc_digest_end(&d, pieces); /* looking does not disturb */
        qc_digest_add(&d, bytes + first, 300 - first);
        qc_digest_end(&d, pieces);
        ck_assert_mem_eq(whole, pieces, sizeof whole);
    }
}
END_TEST

START_TEST(crc32_matches_published_check_value)
{
    ck_assert_uint_eq(qc_crc32("123456789", 9), 0xcbf43926); /* the check value of CRC-32/ISO-HDLC */
    ck_assert_uint_eq(qc_crc32("", 0), 0);
    ck_assert_uint_eq(qc_crc32("a", 1), 0xe8b7be43); /* as zlib and gzip have it */
}
END_TEST

/* Pieces of all lengths at all places: the instructions of a processor and the plain C give the same. */
START_TEST(portable_c_equals_processor_instructions)
{
    enum { LENGTH = 1000 };
    uint8_t bytes[LENGTH], fast[QC_DIGEST_BYTES], plain[QC_DIGEST_BYTES];
    for (int i = 0; i < LENGTH; i++) bytes[i] = (uint8_t)(i * i * 37 + 11);
    for (int n = 0; n < LENGTH; n += 7) {
        qc_digest(fast, bytes + n % 16, (size_t)(n > 16 ? n - 16 : n));
        qc_digest_plain = 1;
        qc_digest(plain, bytes + n % 16, (size_t)(n > 16 ? n - 16 : n));
        qc_digest_plain = 0;
        ck_assert_mem_eq(fast, plain, QC_DIGEST_BYTES);
        uint32_t crc = qc_crc32_add(7, bytes + n % 16, (size_t)(n / 2));
        for (qc_digest_plain = 0; qc_digest_plain < 2; qc_digest_plain++)
            ck_assert_uint_eq(qc_crc32_more(7, bytes + n % 16, (size_t)(n / 2)), crc);
        qc_digest_plain = 0;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("digest");
    TCase *tcase = tcase_create("digest");
    tcase_add_test(tcase, portable_c_equals_processor_instructions);
    tcase_add_test(tcase, sha256_matches_fips_180_4_examples);
    tcase_add_test(tcase, sha256_equals_sha256sum_at_every_length);
    tcase_add_test(tcase, digest_of_pieces_equals_digest_of_whole);
    tcase_add_test(tcase, crc32_matches_published_check_value);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
