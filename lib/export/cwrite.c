#include "cwrite.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

typedef void (*PutValue)(FILE *to, const void *values, size_t i);

static void put_u8(FILE *to, const void *values, size_t i) { fprintf(to, "%u", ((const uint8_t *)values)[i]); }
static void put_i8(FILE *to, const void *values, size_t i) { fprintf(to, "%d", ((const int8_t *)values)[i]); }
static void put_u16(FILE *to, const void *values, size_t i) { fprintf(to, "%u", ((const uint16_t *)values)[i]); }
static void put_u64(FILE *to, const void *values, size_t i)
{
    fprintf(to, "%" PRIu64 "u", ((const uint64_t *)values)[i]);
}
static void put_f32(FILE *to, const void *values, size_t i) { qc_c_float(to, ((const float *)values)[i]); }

static void put_i32(FILE *to, const void *values, size_t i)
{
    int32_t value = ((const int32_t *)values)[i];
    if (value == INT32_MIN) fputs("-2147483647 - 1", to); /* the literal would not be an int */
    else fprintf(to, "%" PRId32, value);
}

void qc_c_float(FILE *to, float value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", (double)value); /* nine digits name one float */
    fprintf(to, "%s%sf", text, strpbrk(text, ".e") ? "" : ".0");
}

static void put_array(FILE *to, const char *head, const void *values, size_t n, size_t a_line, PutValue put)
{
    fprintf(to, "%s[%zu] = {", head, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        fputs(i % a_line ? " " : "\n    ", to);
        put(to, values, i);
        putc(',', to);
    }
    fputs(n ? "\n};\n\n" : "0};\n\n", to);
}

void qc_c_u8s(FILE *to, const char *head, const uint8_t *values, size_t n)
{
    put_array(to, head, values, n, 24, put_u8);
}
void qc_c_i8s(FILE *to, const char *head, const int8_t *values, size_t n)
{
    put_array(to, head, values, n, 24, put_i8);
}
void qc_c_u16s(FILE *to, const char *head, const uint16_t *values, size_t n)
{
    put_array(to, head, values, n, 20, put_u16);
}
void qc_c_i32s(FILE *to, const char *head, const int32_t *values, size_t n)
{
    put_array(to, head, values, n, 10, put_i32);
}
void qc_c_u64s(FILE *to, const char *head, const uint64_t *values, size_t n)
{
    put_array(to, head, values, n, 5, put_u64);
}
void qc_c_f32s(FILE *to, const char *head, const float *values, size_t n)
{
    put_array(to, head, values, n, 8, put_f32);
}

static void put_row(FILE *to, const void *values, size_t n, PutValue put)
{
    putc('{', to);
    for (size_t i = 0; i < n; i++) {
        if (i) fputs(", ", to);
        put(to, values, i);
    }
    putc('}', to);
}

void qc_c_row_i8(FILE *to, const int8_t *values, size_t n) { put_row(to, values, n, put_i8); }
void qc_c_row_f32(FILE *to, const float *values, size_t n) { put_row(to, values, n, put_f32); }

void qc_c_string(FILE *to, const char *text)
{
    putc('"', to);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\' || *c == '?') fprintf(to, "\\%c", *c); /* ? begins trigraphs */
        else if (*c < 0x20 || *c >= 0x7f) fprintf(to, "\\%03o", *c);    /* three digits end by themselves */
        else putc(*c, to);
    }
    putc('"', to);
}

void qc_c_comment(FILE *to, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        putc(*c < 0x20 || *c >= 0x7f || *c == '*' || *c == '?' || *c == '\\' ? '_' : *c, to);
}

void qc_c_code(FILE *to, const char *code, const char *prefix)
{
    for (const char *c = code; *c; c++) {
        if (*c != '@') {
            putc(*c, to);
        } else if (c[1] == '@') {
            for (const char *p = prefix; *p; p++) putc(toupper((unsigned char)*p), to);
            c++;
        } else {
            fputs(prefix, to);
        }
    }
}

const char *qc_c_validate(const char *prefix)
{
    if (!isalpha((unsigned char)*prefix)) return "does not begin with a letter, as a C name must";
    for (const char *c = prefix; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_') return "is no C name (letters, digits and _)";
    if (strlen(prefix) > 100) return "is too long for a C name";
    if (!strcasecmp(prefix, "qc") || !strncasecmp(prefix, "qc_", 3))
        return "would make names that qcore has already: choose one that does not begin with qc_";
    if (!strcasecmp(prefix, "stdint") || !strcasecmp(prefix, "stddef"))
        return "would make a header that stands before the one of C's own library: choose another";
    return NULL;
}
