/* crc32.h - CRC-32 (IEEE 802.3, reflected) of bytes in pieces; inline, because lib/device uses it.
 *
 *     uint32_t crc = qc_crc32_add(0, first, n);
 *     crc = qc_crc32_add(crc, second, m);
 */
#ifndef QC_BASE_CRC32_H
#define QC_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t qc_crc32_add(uint32_t crc, const void *bytes, size_t length)
{
    /* remainder of each half-byte: small enough to write down, fast enough beside a digest */
    static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *in = bytes;
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= in[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}

/* As qc_crc32_add, faster for many bytes: by carry-less multiplication (PCLMULQDQ) or tables of 8 KB (crc32.c). */
uint32_t qc_crc32_more(uint32_t crc, const void *bytes, size_t length);
uint32_t qc_crc32(const void *bytes, size_t length);

#endif
