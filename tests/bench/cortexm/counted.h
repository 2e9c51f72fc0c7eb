/* counted.h - code that the programs of bench-cortexm share: output, digests, and the hints between which counter.c
 * counts. On the host nothing is counted. */
#ifndef QC_BENCH_COUNTED_H
#define QC_BENCH_COUNTED_H

#include <stdint.h>

#ifdef __arm__
#include "board.h"
#define COUNT_START() __asm__ volatile(".inst.n 0xbf50" ::: "memory")
#define COUNT_STOP() __asm__ volatile(".inst.n 0xbf60" ::: "memory")
#else
#include <stdio.h>
static inline void say(const char *text)
{
    fputs(text, stdout);
}
static inline uint32_t board_stack_peak(void)
{
    return 0;
}
#define COUNT_START() (void)0
#define COUNT_STOP() (void)0
#endif

/* FNV-1a, 32 bits (Fowler, Noll and Vo). */
static inline uint32_t digest_of(const void *bytes, uint32_t n)
{
    const uint8_t *from = bytes;
    uint32_t digest = 0x811c9dc5u;
    for (uint32_t i = 0; i < n; i++) digest = (digest ^ from[i]) * 0x01000193u;
    return digest;
}

static inline void say_hex(uint32_t n)
{
    char text[9];
    for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[n >> (28 - 4 * i) & 15];
    text[8] = 0;
    say(text);
}

static inline void say_digits(uint32_t n)
{
    char text[12];
    int at = sizeof text - 1;
    text[at] = 0;
    do text[--at] = (char)('0' + n % 10), n /= 10;
    while (n);
    say(text + at);
}

/* Random bytes, the same on every machine (a linear congruential generator; Knuth, 1997). */
static inline uint32_t random_next(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u;
}
static inline void random_bytes(uint8_t *to, uint32_t n, uint32_t *state)
{
    for (uint32_t i = 0; i < n; i++) to[i] = (uint8_t)(random_next(state) >> 24);
}

#endif
