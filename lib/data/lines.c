#include "lines.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/digest.h"
#include "../base/file.h"
#include "gunzip.h"
#include "number.h"

enum { PIECE = 1 << 18 };

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* --- UTF-16 ------------------------------------------------------------------------------------------------ */

static uint32_t unit_at(const QcInputView *v, size_t at)
{
    const uint8_t *b = v->bytes + at;
    return v->bytes[0] == 0xff ? b[0] | (uint32_t)b[1] << 8 : b[1] | (uint32_t)b[0] << 8;
}

static uint8_t *put_utf8(uint8_t *out, uint32_t c)
{
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (uint8_t)(lead[more] | c >> 6 * more);
    for (int bits = 6 * more - 6; bits >= 0; bits -= 6) *out++ = (uint8_t)(0x80 | (c >> bits & 63));
    return out;
}

/* Converts UTF-16, which Excel ("Unicode text") and PowerShell write, to UTF-8. Refuses unpaired surrogates. */
static int convert_utf16(QcInputView *v, const char *name, QcErr *err)
{
    uint8_t *text = malloc(v->length / 2 * 3), *out = text;
    if (!text) return qc_fail_memory(err, name);
    int bad = v->length % 2;
    for (size_t at = 2; !bad && at < v->length; at += 2) {
        uint32_t c = unit_at(v, at);
        if (c >= 0xd800 && c < 0xe000) {
            uint32_t low = c < 0xdc00 && at + 2 < v->length ? unit_at(v, at += 2) : 0;
            bad = low < 0xdc00 || low >= 0xe000;
            c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
        }
        if (!bad) out = put_utf8(out, c);
    }
    if (bad) {
        free(text);
        return qc_fail(err, QC_EFORMAT, "%.300s begins like text in UTF-16, but is damaged", name);
    }
    qc_inputview_close(v);
    qc_inputview_own(v, text, (size_t)(out - text));
    return 0;
}

/* --- the file ------------------------------------------------------------------------------------------------ */

static int check_text(QcLines *l, QcErr *err)
{
    const uint8_t *bytes = l->view.bytes;
    size_t length = l->view.length;
    for (size_t at = 0, n; at < length; at += n) { /* by pieces, whose pages are returned to the system */
        n = length - at < PIECE ? length - at : PIECE;
        if (memchr(bytes + at, 0, n)) return qc_fail(err, QC_EFORMAT, "%.300s is not a text file", l->name);
        qc_inputview_pass(&l->view, bytes + at + n);
    }
    return 0;
}

int qc_lines_open(QcLines *l, const char *path, QcErr *err)
{
    *l = (QcLines){.name = qc_input_name(path)};
    if (qc_gunzip_view(&l->view, path, err)) return -1;
    const QcInputView *v = &l->view;
    int status = 0, utf16 = v->length >= 2 && (!memcmp(v->bytes, "\xff\xfe", 2) || !memcmp(v->bytes, "\xfe\xff", 2));
    if (v->length >= 4 && !memcmp(v->bytes, "QCF1", 4))
        status = qc_fail(err, QC_EFORMAT, "%.300s is a qcore file already: there is nothing to import", l->name);
    if (!status && utf16) status = convert_utf16(&l->view, l->name, err);
    if (!status) status = check_text(l, err);
    if (status) qc_lines_close(l);
    else qc_lines_rewind(l);
    return status;
}

void qc_lines_rewind(QcLines *l)
{
    qc_inputview_again(&l->view);
    l->next = (const char *)l->view.bytes;
    l->end = l->next + l->view.length;
    l->feed = l->sought = l->end;
    l->line = 0;
    if (l->view.length >= 3 && !memcmp(l->next, "\xef\xbb\xbf", 3)) l->next += 3;
}

void qc_lines_progress(QcLines *l, void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx)
{
    qc_inputview_pass(&l->view, l->next);
    if (progress) progress(ctx, (uint64_t)((const uint8_t *)l->next - l->view.bytes), l->view.length);
}

/* The end of the line: LF, or a CR without LF, which spreadsheets on a Mac write. */
static const char *line_end(QcLines *l)
{
    if (l->next < l->sought || l->next > l->feed) { /* a file without LF is searched once, not per line */
        const char *feed = memchr(l->next, '\n', (size_t)(l->end - l->next));
        l->sought = l->next;
        l->feed = feed ? feed : l->end;
    }
    const char *cr = memchr(l->next, '\r', (size_t)(l->feed - l->next)), *after = cr;
    while (after && after < l->feed && *after == '\r') after++; /* CR CR LF is one end, too */
    return cr && after < l->feed ? cr : l->feed;
}

int qc_lines_raw(QcLines *l, QcField *line)
{
    if (l->next == l->end) return 0;
    const char *end = line_end(l);
    *line = (QcField){l->next, end};
    l->next = end < l->end ? end + 1 : end;
    l->line++;
    return 1;
}

int qc_lines_next(QcLines *l, QcField *line)
{
    if (!qc_lines_raw(l, line)) return 0;
    *line = qc_field_trim(*line);
    return 1;
}

void qc_lines_close(QcLines *l)
{
    if (!l) return;
    qc_inputview_close(&l->view);
    *l = (QcLines){0};
}

int qc_lines_fail(const QcLines *l, QcErr *err, const char *format, ...)
{
    char sentence[400];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return qc_fail(err, QC_EFORMAT, "%.200s:%u: %s", l->name, l->line, sentence);
}

QcField qc_field_trim(QcField field)
{
    while (field.at < field.end && is_blank(*field.at)) field.at++;
    while (field.at < field.end && is_blank(field.end[-1])) field.end--;
    return field;
}

int qc_field_next(QcField *line, QcField *field, char separator)
{
    if (!line->at) return 0;
    int blanks = separator == ' ';
    const char *at = line->at;
    if (blanks) {
        while (at < line->end && !is_blank(*at)) at++;
    } else {
        const char *found = memchr(at, separator, (size_t)(line->end - at));
        at = found ? found : line->end;
    }
    *field = qc_field_trim((QcField){line->at, at});
    if (at < line->end) {
        line->at = at + 1;
        while (blanks && line->at < line->end && is_blank(*line->at)) line->at++;
    } else {
        line->at = NULL;
    }
    return 1;
}

uint32_t qc_field_count(QcField line, char separator)
{
    QcField field;
    uint32_t n = 0;
    while (qc_field_next(&line, &field, separator)) n++;
    return n;
}

int qc_field_is(QcField field, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(field.end - field.at) == length && !strncasecmp(field.at, word, length);
}

int qc_field_number(float *value, QcField field, const char **wrong)
{
    const char *at = field.at;
    *wrong = qc_number_read(value, &at, field.end);
    if (!*wrong && at != field.end) *wrong = "is not a number";
    return *wrong ? -1 : 0;
}

uint64_t qc_lines_id(QcLines *l)
{
    uint8_t digest[QC_DIGEST_BYTES];
    qc_inputview_digest(&l->view, digest);
    return (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
}

/* Bytes of the UTF-8 sequence at `at`, 0 if there is none: no overlong forms, no surrogates, none above U+10FFFF. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80) return 1;
    size_t n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || left < n) return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f)) return 0;
    return (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f) ? 0 : n;
}

int qc_field_name(char name[QC_FIELD_NAME], const QcLines *l, QcField field, QcErr *err)
{
    if (field.end - field.at >= 2 && *field.at == '"' && field.end[-1] == '"')
        field = (QcField){field.at + 1, field.end - 1};
    size_t length = (size_t)(field.end - field.at), n;
    if (!length) return qc_lines_fail(l, err, "a name is empty");
    if (length >= QC_FIELD_NAME) return qc_lines_fail(l, err, "the name '%.*s...' is too long", QC_FIELD(field));
    for (size_t i = 0; i < length; i += n) {
        n = utf8_length((const unsigned char *)field.at + i, length - i);
        if (!n) return qc_lines_fail(l, err, "the name '%.*s' is not valid UTF-8", QC_FIELD(field));
    }
    memcpy(name, field.at, length);
    name[length] = 0;
    return 0;
}

int qc_field_whole(char name[QC_FIELD_NAME], QcField field)
{
    double value;
    const char *end = field.at;
    int plain = 1;
    for (const char *at = field.at; at < field.end; at++) plain = plain && *at >= '0' && *at <= '9';
    if (plain || qc_number_read_double(&value, &end, field.end) || end != field.end) return 0;
    if (value != floor(value) || fabs(value) >= 1e15) return 0;
    snprintf(name, QC_FIELD_NAME, "%.0f", value == 0 ? 0.0 : value);
    return 1;
}
