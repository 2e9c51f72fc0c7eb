#include "framecolumns.h"

#include <stdlib.h>
#include <string.h>

#include "../data/number.h"
#include "../data/table.h"
#include "../format/spareclasses.h"

/* The first of these separators that stands outside of quotes. A quote without a second one is a letter. */
static char separator_of(const QcFrameReader *r, QcField row)
{
    int is_quoted = 0, has[128] = {0};
    for (const char *at = row.at; at < row.end; at++) {
        is_quoted ^= *at == '"';
        if (!is_quoted && *at > 0) has[(int)*at] = 1;
    }
    for (const char *at = row.at; is_quoted && at < row.end; at++)
        if (*at > 0) has[(int)*at] = 1;
    for (const char *s = r->o.decimal_comma ? "\t;" : "\t;,"; *s; s++)
        if (has[(int)*s]) return *s;
    return ' ';
}

int qc_framecolumns_cell(const QcFrameReader *r, QcField *row, QcField *cell)
{
    return qc_table_cell(row, cell, r->separator) > 0;
}

QcField qc_framecolumns_number(const QcFrameReader *r, QcField cell, char room[QC_FRAME_NUMBER])
{
    size_t n = (size_t)(cell.end - cell.at);
    const char *comma = r->o.decimal_comma ? memchr(cell.at, ',', n) : NULL;
    if (!comma || n > QC_FRAME_NUMBER) return cell;
    memcpy(room, cell.at, n);
    room[comma - cell.at] = '.';
    return (QcField){room, room + n};
}

static int is_number(const QcFrameReader *r, QcField cell)
{
    char room[QC_FRAME_NUMBER];
    double value;
    cell = qc_framecolumns_number(r, cell, room);
    const char *at = cell.at;
    return !qc_number_read_double(&value, &at, cell.end) && at == cell.end;
}

/* A row without a number in it; rows of missing values alone are none. */
static int is_header(const QcFrameReader *r, QcField row)
{
    QcField cell;
    int words = 0;
    while (qc_framecolumns_cell(r, &row, &cell)) {
        if (is_number(r, cell)) return 0;
        words += !qc_number_is_missing(cell.at, cell.end);
    }
    return words > 0;
}

static QcField cell_at(const QcFrameReader *r, QcField row, uint32_t column)
{
    QcField cell = {0};
    for (uint32_t c = 0; c <= column; c++)
        if (!qc_framecolumns_cell(r, &row, &cell)) return (QcField){0};
    return cell;
}

static int is_text(QcField cell, const char *text, size_t n)
{
    return (size_t)(cell.end - cell.at) == n && !memcmp(cell.at, text, n);
}

/* By name, else by number from 1. UINT32_MAX: there is none. */
static uint32_t find_column(const QcFrameReader *r, QcField header, const char *text, size_t n)
{
    char digits[12], *end;
    for (uint32_t c = 0; header.at && c < r->columns; c++)
        if (is_text(cell_at(r, header, c), text, n)) return c;
    if (!n || n >= sizeof digits || !strchr("123456789", *text)) return UINT32_MAX;
    memcpy(digits, text, n);
    digits[n] = 0;
    unsigned long number = strtoul(digits, &end, 10);
    return *end || number > r->columns ? UINT32_MAX : (uint32_t)number - 1;
}

static int fail_column(const QcFrameReader *r, const char *text, size_t n, QcErr *err)
{
    return qc_fail(err, QC_EUSAGE, "the stream has %u columns, and none is '%.*s'", r->columns, (int)(n > 60 ? 60 : n),
                   text);
}

static int give_channel(QcFrameReader *r, uint32_t column, uint32_t *channels, QcErr *err)
{
    if (r->channel[column] != UINT32_MAX) return qc_fail(err, QC_EUSAGE, "--columns names column %u twice", column + 1);
    r->channel[column] = (*channels)++;
    return 0;
}

/* "3-8": a range of numbers, if no column has that name. */
static int give_range(QcFrameReader *r, const char *text, size_t n, uint32_t *channels, QcErr *err)
{
    const char *dash = memchr(text, '-', n);
    if (!dash) return fail_column(r, text, n, err);
    uint32_t first = find_column(r, (QcField){0}, text, (size_t)(dash - text)),
             last = find_column(r, (QcField){0}, dash + 1, n - (size_t)(dash + 1 - text));
    if (first == UINT32_MAX || last == UINT32_MAX || last < first) return fail_column(r, text, n, err);
    for (uint32_t c = first; c <= last; c++)
        if (give_channel(r, c, channels, err)) return -1;
    return 0;
}

static int give_listed(QcFrameReader *r, QcField header, uint32_t *channels, QcErr *err)
{
    for (const char *text = r->o.columns; *text;) {
        size_t n = strcspn(text, ",");
        uint32_t column = find_column(r, header, text, n);
        if (column != UINT32_MAX ? give_channel(r, column, channels, err) : give_range(r, text, n, channels, err))
            return -1;
        text += n + (text[n] == ',');
    }
    return 0;
}

/* As qc-import leaves columns out: row numbers, first without a name (pandas); a separator at the end of all rows; a
 * date beside a clock. */
static int is_value(const QcFrameReader *r, QcField header, uint32_t column)
{
    QcField name = cell_at(r, header, column);
    int is_time = r->time != UINT32_MAX && !r->o.time_column && qc_name_is_time(name);
    if (name.at == name.end) return column && column + 1 < r->columns;
    return !is_time && !qc_name_is_index(name) && !qc_name_is_group(name) && !qc_name_is_recording(name);
}

static int give_all(QcFrameReader *r, QcField header, uint32_t *channels, QcErr *err)
{
    for (uint32_t c = 0; c < r->columns; c++)
        if (c != r->time && c != r->label && (!header.at || is_value(r, header, c)) &&
            give_channel(r, c, channels, err))
            return -1;
    return 0;
}

/* A column that an option names, or whose name in the header says what it is. */
static int find_role(const QcFrameReader *r, uint32_t *column, const char *option, int (*is_role)(QcField),
                     QcField header, QcErr *err)
{
    *column = UINT32_MAX;
    if (option && !strcmp(option, "none")) return 0;
    if (option) {
        *column = find_column(r, header, option, strlen(option));
        return *column == UINT32_MAX ? fail_column(r, option, strlen(option), err) : 0;
    }
    for (uint32_t c = 0; header.at && c < r->columns && *column == UINT32_MAX; c++)
        if (is_role(cell_at(r, header, c))) *column = c;
    return 0;
}

static int name_channels(QcFrameReader *r, QcField header, QcErr *err)
{
    char number[24];
    for (uint32_t c = 0; c < r->columns; c++) {
        if (r->channel[c] == UINT32_MAX) continue;
        QcField cell = header.at ? cell_at(r, header, c)
                                 : (QcField){number, number + snprintf(number, sizeof number, "%u", c + 1)};
        char *name = qc_arena_text(&r->arena, cell.at, (size_t)(cell.end - cell.at > 40 ? 40 : cell.end - cell.at),
                                   err);
        if (!name) return -1;
        r->name[r->channel[c]] = name;
    }
    return 0;
}

int qc_framecolumns_find(QcFrameReader *r, QcField row, QcErr *err)
{
    uint32_t channels = 0;
    r->separator = separator_of(r, row);
    if (r->separator == ' ') row = qc_field_trim(row);
    int64_t cells = qc_table_count(row, r->separator);
    if (cells < 0) return qc_fail(err, QC_EFORMAT, "a quoted cell of the first line is not closed");
    r->columns = (uint32_t)cells;
    QcField header = is_header(r, row) ? row : (QcField){0};
    r->channel = qc_arena_take(&r->arena, r->columns, sizeof *r->channel, err);
    if (!r->channel) return -1;
    for (uint32_t c = 0; c < r->columns; c++) r->channel[c] = UINT32_MAX;
    if (find_role(r, &r->time, r->o.time_column, qc_name_is_time, header, err) ||
        find_role(r, &r->label, r->o.label_column, qc_name_is_label, header, err))
        return -1;
    if (r->o.rate > 0 && r->time != UINT32_MAX)
        return qc_fail(err, QC_EUSAGE, "column %u has the times of the frames: leave --rate out, or give "
                       "--time-column none", r->time + 1);
    if (r->o.columns ? give_listed(r, header, &channels, err) : give_all(r, header, &channels, err)) return -1;
    if (channels != r->m->channels)
        return qc_fail(err, QC_EFORMAT,
                       "the stream has %u columns of values, the model takes %u channels: say which with --columns "
                       "(and --time-column, --label-column)",
                       channels, r->m->channels);
    if (name_channels(r, header, err)) return -1;
    qc_frameclock_init(&r->clock, header.at && r->time != UINT32_MAX ? cell_at(r, header, r->time) : (QcField){0});
    return header.at != NULL;
}

int32_t qc_framecolumns_class(QcModelFile *m, QcField cell, int takes)
{
    char whole[QC_FIELD_NAME];
    size_t length = (size_t)(cell.end - cell.at);
    if (qc_class_of_name(m, cell.at, length) < 0 && qc_field_whole(whole, cell))
        return qc_class_of_label(m, whole, strlen(whole), takes);
    return qc_class_of_label(m, cell.at, length, takes);
}
