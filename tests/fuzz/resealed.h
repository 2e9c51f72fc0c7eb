/* resealed.h - makes the checksums of damaged files right again, so that fuzz targets reach what lies after them. */
#ifndef QC_TESTS_RESEALED_H
#define QC_TESTS_RESEALED_H

#include <stdint.h>
#include <string.h>

#include "../../lib/base/crc32.h"
#include "../../lib/base/digest.h"
#include "../../lib/format/container.h"

static inline uint64_t get_number(const uint8_t *at, int n)
{
    uint64_t value = 0;
    for (int k = n; k-- > 0;) value = value << 8 | at[k];
    return value;
}

static inline void put_number(uint8_t *at, uint64_t value, int n)
{
    for (int k = 0; k < n; k++) at[k] = (uint8_t)(value >> 8 * k);
}

/* The length, each section's CRC and the digest at the end (lib/format/container.c). */
static inline void reseal_container(uint8_t *b, size_t n)
{
    enum { HEADER = 24, ENTRY = 40, END = 40, SECTIONS_AT = 12, LENGTH_AT = 16 };
    if (n < HEADER + END) return;
    put_number(b + LENGTH_AT, n, 8);
    uint32_t sections = (uint32_t)get_number(b + SECTIONS_AT, 4);
    for (uint32_t i = 0; i < sections && i < QC_MAX_SECTIONS; i++) {
        uint8_t *entry = b + HEADER + ENTRY * (size_t)i;
        if (entry + ENTRY > b + n) break;
        uint64_t offset = get_number(entry + 24, 8), length = get_number(entry + 32, 8);
        if (offset <= n && length <= n - offset) put_number(entry + 20, qc_crc32(b + offset, length), 4);
    }
    qc_digest(b + n - END, b, n - END);
    memcpy(b + n - 8, "QCF1END\n", 8);
}

#endif
