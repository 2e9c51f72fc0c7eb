#include "text.h"

#include <stdint.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: shortest form, no surrogates, at most U+10FFFF) and its code
 * point; 0: there is none. */
static size_t decode(const unsigned char *s, uint32_t *point)
{
    size_t n = *s < 0x80                 ? 1
               : *s >= 0xc2 && *s < 0xe0 ? 2
               : *s >= 0xe0 && *s < 0xf0 ? 3
               : *s >= 0xf0 && *s < 0xf5 ? 4
                                         : 0;
    *point = n == 1 ? *s : n ? *s & (0x7fu >> n) : 0;
    for (size_t i = 1; i < n; i++) { /* a terminating zero ends it, too */
        if ((s[i] & 0xc0) != 0x80) return 0;
        *point = *point << 6 | (s[i] & 0x3fu);
    }
    if ((n == 3 && (*point < 0x800 || (*point >= 0xd800 && *point < 0xe000))) ||
        (n == 4 && (*point < 0x10000 || *point > 0x10ffff)))
        return 0;
    return n;
}

int qc_text_is_utf8(const char *text, size_t length)
{
    uint32_t point;
    for (size_t i = 0, n; i < length; i += n) {
        unsigned char next[5] = {0}; /* a character; zeros end one that is cut off */
        memcpy(next, text + i, length - i < 4 ? length - i : 4);
        n = decode(next, &point);
        if (!n || !point) return 0;
    }
    return 1;
}

static int is_unsafe(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return 1;
    return point == 0x61c || (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xfffe || point == 0xffff;
}

typedef struct Escape {
    char character;
    const char *escaped;
} Escape;

/* The escape of an ASCII character in this form; NULL: the character itself. */
static const char *special(char c, QcTextForm form)
{
    static const Escape json[] = {{'"', "\\\""}, {'\\', "\\\\"}, {0, NULL}};
    /* `command` would be run */
    static const Escape gnuplot[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'`', "\\140"}, {0, NULL}};
    static const Escape markdown[] = {{'\\', "\\\\"}, {'|', "\\|"}, {'`', "\\`"}, {'*', "\\*"},
                                      {'~', "\\~"},   {'[', "\\["}, {']', "\\]"}, {'<', "\\<"},
                                      {'>', "\\>"},   {'&', "\\&"}, {'$', "\\$"}, {0, NULL}};
    static const Escape latex[] = {{'\\', "\\textbackslash{}"},
                                   {'{', "\\{"},
                                   {'}', "\\}"},
                                   {'$', "\\$"},
                                   {'&', "\\&"},
                                   {'#', "\\#"},
                                   {'_', "\\_"},
                                   {'%', "\\%"},
                                   {'~', "\\textasciitilde{}"},
                                   {'^', "\\textasciicircum{}"},
                                   {'<', "\\textless{}"},
                                   {'>', "\\textgreater{}"},
                                   {'|', "\\textbar{}"},
                                   {0, NULL}};
    static const Escape xml[] = {{'&', "&amp;"},  {'<', "&lt;"},  {'>', "&gt;"},
                                 {'"', "&quot;"}, {'\'', "&#39;"}, {0, NULL}};
    static const Escape *const forms[] = {[QC_TEXT_JSON] = json,
                                          [QC_TEXT_LATEX] = latex,
                                          [QC_TEXT_MARKDOWN] = markdown,
                                          [QC_TEXT_GNUPLOT] = gnuplot,
                                          [QC_TEXT_XML] = xml};
    for (const Escape *e = form == QC_TEXT_PLAIN ? NULL : forms[form]; e && e->character; e++)
        if (e->character == c) return e->escaped;
    return NULL;
}

size_t qc_text_next(char piece[QC_TEXT_PIECE], const char *text, QcTextForm form)
{
    const unsigned char *s = (const unsigned char *)text;
    const char *backslash = special('\\', form);
    uint32_t point;
    *piece = 0;
    if (!*s) return 0;
    size_t n = decode(s, &point);
    if (n && !is_unsafe(point)) {
        const char *escaped = n == 1 ? special(*text, form) : NULL;
        if (escaped) snprintf(piece, QC_TEXT_PIECE, "%s", escaped);
        else snprintf(piece, QC_TEXT_PIECE, "%.*s", (int)n, text);
        return n;
    }
    if (form == QC_TEXT_JSON && n) snprintf(piece, QC_TEXT_PIECE, "\\u%04x", (unsigned)point);
    else if (form == QC_TEXT_JSON) snprintf(piece, QC_TEXT_PIECE, "\xef\xbf\xbd");
    else snprintf(piece, QC_TEXT_PIECE, "%sx%02x", backslash ? backslash : "\\", *s);
    return form == QC_TEXT_JSON && n ? n : 1; /* else byte by byte: other bytes of an invalid sequence are handled
                                               * alone */
}

void qc_text_put(FILE *to, const char *text, QcTextForm form)
{
    char piece[QC_TEXT_PIECE];
    for (size_t n; (n = qc_text_next(piece, text, form)) > 0; text += n) fputs(piece, to);
}

void qc_text_copy(char *out, size_t room, const char *text, QcTextForm form)
{
    char piece[QC_TEXT_PIECE];
    size_t used = 0;
    for (size_t n; (n = qc_text_next(piece, text, form)) > 0; text += n) {
        size_t length = strlen(piece);
        if (length >= room - used) break;
        memcpy(out + used, piece, length);
        used += length;
    }
    out[used] = 0;
}
