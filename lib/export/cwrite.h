/* cwrite.h - writes C source: arrays, strings and pieces of code, to a stream whose errors the caller checks at the
 * end. */
#ifndef QC_EXPORT_CWRITE_H
#define QC_EXPORT_CWRITE_H

#include <stdint.h>
#include <stdio.h>

/* `static const TYPE NAME[n] = {...};`, several to a line; an array of nothing has one zero, for C knows no empty ones.
 * head: "static const uint8_t codes". */
void qc_c_u8s(FILE *to, const char *head, const uint8_t *values, size_t n);
void qc_c_i8s(FILE *to, const char *head, const int8_t *values, size_t n);
void qc_c_u16s(FILE *to, const char *head, const uint16_t *values, size_t n);
void qc_c_i32s(FILE *to, const char *head, const int32_t *values, size_t n);
void qc_c_u64s(FILE *to, const char *head, const uint64_t *values, size_t n);
void qc_c_f32s(FILE *to, const char *head, const float *values, size_t n); /* finite; every bit comes back */

/* Without head and semicolon: "{1, 2, 3}", on one line. */
void qc_c_row_i8(FILE *to, const int8_t *values, size_t n);
void qc_c_row_f32(FILE *to, const float *values, size_t n);
void qc_c_float(FILE *to, float value);

void qc_c_string(FILE *to, const char *text); /* a literal, with whatever bytes the text has */
void qc_c_comment(FILE *to, const char *text); /* inside a comment: what could end it, or is no plain ASCII, becomes
                                                  '_' */

/* Code with @ for the symbol prefix and @@ for the same in upper case. */
void qc_c_code(FILE *to, const char *code, const char *prefix);

/* Can its derived names stand in C beside ours? NULL: yes; else why not, to follow "'NAME' ". */
const char *qc_c_validate(const char *prefix);

#endif
