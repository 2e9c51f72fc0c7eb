/* mem.c - the three functions that the device library asks for. Compiled so that loops are not made into calls of the
 * very same. */
#include "kernels/mem.h"

#include <stdint.h>

typedef uint32_t Word __attribute__((may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; n >= 16 && !(((uintptr_t)t | (uintptr_t)f) & 3); n -= 16, t += 16, f += 16) {
        Word *w = (Word *)t;
        const Word *v = (const Word *)f;
        w[0] = v[0], w[1] = v[1], w[2] = v[2], w[3] = v[3];
    }
    while (n--) *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, n);
    while (n--) t[n] = f[n];
    return to;
}

void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;
    uint32_t four = (uint8_t)value * 0x01010101u;
    for (; n >= 16 && !((uintptr_t)t & 3); n -= 16, t += 16)
        ((Word *)t)[0] = ((Word *)t)[1] = ((Word *)t)[2] = ((Word *)t)[3] = four;
    while (n--) *t++ = (uint8_t)value;
    return to;
}
