/* The cells of a row, for qc-import and qc-run. */
#include <string.h>

#include "table.h"

/* The place after the closing quote of the cell at `at`. NULL: the quote does not close, or is not followed by a
 * separator or the end. */
static const char *behind_quotes(const char *at, const char *end, char separator)
{
    const char *q = at + 1;
    while (q < end && !(*q == '"' && (q + 1 == end || q[1] != '"'))) q += *q == '"' ? 2 : 1;
    if (q >= end) return NULL;
    for (q++; q < end && *q != separator && (*q == ' ' || *q == '\t'); q++) continue;
    return q == end || *q == separator ? q : NULL;
}

int qc_table_cell(QcField *row, QcField *cell, char separator)
{
    const char *at = row->at;
    while (at && separator != ' ' && at < row->end && *at == ' ') at++;
    if (!at || at == row->end || *at != '"') return qc_field_next(row, cell, separator);
    const char *behind = behind_quotes(at, row->end, separator);
    if (!behind) return -1;
    *cell = qc_field_trim((QcField){at, behind});
    *cell = (QcField){cell->at + 1, cell->end - 1};
    row->at = behind < row->end ? behind + 1 : NULL;
    while (separator == ' ' && row->at && row->at < row->end && (*row->at == ' ' || *row->at == '\t')) row->at++;
    return 1;
}

QcField qc_table_text(QcField cell, char room[QC_CELL_TEXT])
{
    size_t n = 0;
    for (const char *at = cell.at; at < cell.end && n < QC_CELL_TEXT; at++) {
        room[n++] = *at;
        if (*at == '"' && at + 1 < cell.end && at[1] == '"') at++;
    }
    int quoted = n >= 2 && *room == '"' && room[n - 1] == '"';
    return quoted ? (QcField){room + 1, room + n - 1} : (QcField){room, room + n};
}

int64_t qc_table_count(QcField row, char separator)
{
    QcField cell;
    int64_t n = 0;
    for (int more; (more = qc_table_cell(&row, &cell, separator)) != 0; n++)
        if (more < 0) return -1;
    return n;
}

/* If tabs are the separator, tabs at the ends of a row are empty cells and stay. */
QcField qc_table_trim(QcField row, char separator)
{
    if (separator != '\t') return qc_field_trim(row);
    while (row.at < row.end && *row.at == ' ') row.at++;
    while (row.at < row.end && (row.end[-1] == ' ' || row.end[-1] == '\r')) row.end--;
    return row;
}
