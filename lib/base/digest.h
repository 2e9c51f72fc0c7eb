/* digest.h - SHA-256 (FIPS 180-4) and CRC-32 (IEEE 802.3, reflected): both check files, and SHA-256 also
 * identifies them. Plain C, and the SHA instructions of x86 where the processor has them: a Linux board builds the
 * programs that read these files with a C compiler and libc alone.
 */
#ifndef QC_BASE_DIGEST_H
#define QC_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "crc32.h"

#define QC_DIGEST_BYTES 32
#define QC_DIGEST_TEXT 65 /* 64 hexadecimal digits and the terminating zero */

typedef struct QcDigest { /* bytes that come in pieces */
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
} QcDigest;

void qc_digest_init(QcDigest *d);
void qc_digest_add(QcDigest *d, const void *bytes, size_t length);
void qc_digest_end(const QcDigest *d, uint8_t out[QC_DIGEST_BYTES]); /* more bytes may follow */
uint64_t qc_digest_first(const uint8_t *digest); /* its first 8 bytes, big-endian */
uint64_t qc_digest_number(const QcDigest *d);    /* qc_digest_first of what qc_digest_end gives */

void qc_digest(uint8_t out[QC_DIGEST_BYTES], const void *bytes, size_t length);
void qc_digest_text(char out[QC_DIGEST_TEXT], const uint8_t digest[QC_DIGEST_BYTES]);

/* For tests. 1: digests and CRCs (crc32.h) use the portable C code on every processor. */
extern int qc_digest_plain;

#endif
