/* Weka's .arff as the UCR/UEA archive uses it: "%" comments, "@attribute" lines, "@data", then an example per line.
 *
 * Attributes of type string and date are left out by name. Examples may be sparse ({index value, ...}: what is not
 * named is 0, or the first class), and lines may end in a comma.
 *
 * Univariate: numeric attributes are the steps of a series, a nominal one is the label. Relational: one attribute holds
 * a whole table in quotes, whose rows (parted by a backslash and an n) are the channels and whose numeric attributes
 * are the steps. Labels are in the order of the header; ids as in import_ts.c.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "lines.h"
#include "number.h"
#include "series.h"
#include "table.h"
#include "tree.h"

enum { NO_COLUMN = UINT32_MAX };

typedef struct Reader {
    QcLines lines;
    const QcImportOptions *o;
    QcSeriesList *list;
    uint32_t attributes, steps; /* of an example; numeric ones, those within the relational one included */
    uint32_t label, relational; /* attributes from 0; NO_COLUMN = none */
    uint32_t stray_line; /* of the first nominal attribute that is not the label that was named; 0: there is none */
    QcField stray; /* its name */
    uint8_t *skipped; /* [attributes] 1 = string or date: not looked at; malloc'd */
    uint32_t skipped_room, channels, examples; /* channels: of this file, 0 = not known yet */
    int within; /* between the relational attribute and its @end */
    float *row; /* [channels][steps]; malloc'd */
    uint32_t room;
} Reader;

static int recognise(const char *path) { return qc_path_ends_in(path, ".arff") && !qc_is_folder(path); }

static int is_quote(char c) { return c == '\'' || c == '"'; }

/* A word up to `separator`, or a text in quotes (without the quotes); a backslash escapes the next character. 0: the
 * line is empty; -1: the quotes do not end. */
static int next_item(QcField *line, QcField *item, char separator)
{
    if (!line->at) return 0;
    QcField rest = {line->at, line->end};
    while (rest.at < rest.end && (*rest.at == ' ' || *rest.at == '\t')) rest.at++;
    if (rest.at == rest.end || !is_quote(*rest.at)) {
        *line = rest;
        return qc_field_next(line, item, separator);
    }
    const char *close = rest.at + 1;
    while (close < rest.end && *close != *rest.at) close += *close == '\\' && close + 1 < rest.end ? 2 : 1;
    if (close >= rest.end) return -1;
    *item = (QcField){rest.at + 1, close};
    QcField behind = qc_field_trim((QcField){close + 1, rest.end});
    if (separator == ' ') line->at = behind.at < behind.end ? behind.at : NULL;
    else if (behind.at < behind.end && *behind.at != separator) return -1;
    else line->at = behind.at < behind.end ? behind.at + 1 : NULL;
    return 1;
}

/* --- the header ----------------------------------------------------------------------------------------- */

static int read_classes(Reader *r, QcField braces, QcErr *err)
{
    QcField item;
    char name[QC_FIELD_NAME];
    int more;
    if (braces.end[-1] != '}') return qc_lines_fail(&r->lines, err, "a list of classes without its closing brace");
    QcField list = qc_field_trim((QcField){braces.at + 1, braces.end - 1});
    while ((more = next_item(&list, &item, ',')) == 1)
        if (qc_field_name(name, &r->lines, item, err) ||
            qc_names_add(&r->list->labels, &r->list->arena, name, NULL, err))
            return -1;
    return more ? qc_lines_fail(&r->lines, err, "a list of classes with quotes that do not close") : 0;
}

static int is_numeric(QcField type)
{
    return qc_field_is(type, "numeric") || qc_field_is(type, "real") || qc_field_is(type, "integer");
}

static int note_attribute(Reader *r, int skip, QcErr *err)
{
    if (r->attributes >= r->skipped_room) {
        uint32_t room = r->skipped_room ? r->skipped_room * 2 : 256;
        uint8_t *larger = realloc(r->skipped, room);
        if (!larger) return qc_fail_memory(err, "attributes");
        r->skipped = larger;
        r->skipped_room = room;
    }
    r->skipped[r->attributes++] = (uint8_t)skip;
    return 0;
}

static int is_skipped_type(QcField type)
{
    QcField word;
    qc_field_next(&type, &word, ' ');
    return qc_field_is(word, "string") || qc_field_is(word, "date");
}

static int unlabelled(const Reader *r) { return r->o->label && !strcmp(r->o->label, "none"); }

/* The nominal attribute is the label, or that which the user named. */
static int read_attribute(Reader *r, QcField rest, QcErr *err)
{
    QcField name, type;
    if (next_item(&rest, &name, ' ') != 1 || !rest.at)
        return qc_lines_fail(&r->lines, err, "an attribute needs a name and a type");
    type = qc_field_trim(rest);
    if (r->within) {
        if (!is_numeric(type))
            return qc_lines_fail(&r->lines, err, "attribute '%.*s' within the relational one is not numeric",
                                 QC_FIELD(name));
        r->steps++;
        return 0;
    }
    uint32_t index = r->attributes;
    int chosen = r->o->label && !unlabelled(r) && qc_field_is(name, r->o->label),
        skip = !chosen && is_skipped_type(type);
    if (note_attribute(r, skip, err)) return -1;
    if (skip) {
        qc_import_note(r->o, "attribute '%.*s' is of type %.*s and was left out", QC_FIELD(name), QC_FIELD(type));
        return 0;
    }
    if (type.at < type.end && *type.at == '{') {
        if (r->o->label && !unlabelled(r) && !chosen) { /* said once it is known whether the named one is there */
            if (!r->stray_line) r->stray_line = r->lines.line, r->stray = name;
            return 0;
        }
        if (r->label != NO_COLUMN)
            return qc_lines_fail(&r->lines, err, "attribute '%.*s' is nominal, but only the label may be",
                                 QC_FIELD(name));
        r->label = index;
        return read_classes(r, type, err);
    }
    if (qc_field_is(type, "relational")) {
        if (r->relational != NO_COLUMN || r->steps)
            return qc_lines_fail(&r->lines, err, "a relational attribute beside others with values");
        r->relational = index;
        r->within = 1;
        return 0;
    }
    if (chosen) r->label = index;
    else if (!is_numeric(type))
        return qc_lines_fail(&r->lines, err, "attribute '%.*s' is neither numeric nor the label ('%.*s')",
                             QC_FIELD(name), QC_FIELD(type));
    else r->steps++;
    if (!chosen && !r->within && (qc_name_is_leak(name) || qc_name_is_index(name)) && r->steps)
        qc_import_warn(r->o, "%.200s: attribute '%.*s' is taken as a value, but may reveal the label: remove it",
                       r->lines.name, QC_FIELD(name));
    return chosen || r->relational == NO_COLUMN
               ? 0
               : qc_lines_fail(&r->lines, err, "a relational attribute beside others with values");
}

static int read_header(Reader *r, QcErr *err)
{
    QcField line, key, rest;
    while (qc_lines_next(&r->lines, &line)) {
        if (line.at == line.end || *line.at == '%') continue;
        rest = line;
        qc_field_next(&rest, &key, ' ');
        if (qc_field_is(key, "@relation")) continue;
        if (qc_field_is(key, "@data")) return 0;
        if (qc_field_is(key, "@end") && r->within) r->within = 0;
        else if (!qc_field_is(key, "@attribute"))
            return qc_lines_fail(&r->lines, err,
                                 "neither a comment (%%) nor @relation, @attribute or @data: is this an .arff file?");
        else if (!rest.at) return qc_lines_fail(&r->lines, err, "an attribute needs a name and a type");
        else if (read_attribute(r, rest, err)) return -1;
    }
    return qc_fail(err, QC_EFORMAT, "%.300s: no @data line: this is not an .arff file", r->lines.name);
}

static int check_header(Reader *r, QcErr *err)
{
    if (r->within) return qc_fail(err, QC_EFORMAT, "%.300s: the relational attribute has no @end", r->lines.name);
    if (!r->steps) return qc_fail(err, QC_EFORMAT, "%.300s: no numeric attributes", r->lines.name);
    if (r->label != NO_COLUMN && r->stray_line)
        return qc_fail(err, QC_EFORMAT, "%.300s:%u: attribute '%.*s' is nominal, but only the label may be",
                       r->lines.name, r->stray_line, QC_FIELD(r->stray));
    if (r->label != NO_COLUMN || unlabelled(r)) return 0;
    if (r->o->label)
        return qc_fail(err, QC_EUSAGE, "%.300s has no attribute '%.60s' for the label", r->lines.name, r->o->label);
    return qc_fail(err, QC_EFORMAT,
                   "%.300s: no attribute is nominal: name the label with --label-column, or say that there is none",
                   r->lines.name);
}

/* --- examples ------------------------------------------------------------------------------------------- */

static int make_room(Reader *r, uint32_t channels, QcErr *err)
{
    uint64_t n = (uint64_t)channels * r->steps;
    if (n <= r->room) return 0;
    float *larger = n <= UINT32_MAX ? realloc(r->row, n * sizeof *larger) : NULL;
    if (!larger) return qc_fail_memory(err, "an example");
    r->row = larger;
    r->room = (uint32_t)n;
    return 0;
}

static int read_value(Reader *r, float *x, QcField field, uint32_t step, QcErr *err)
{
    const char *wrong;
    if (!qc_series_value(x, field, qc_series_may_miss(r->o), &wrong)) return 0;
    return qc_lines_fail(&r->lines, err, "value %u '%.*s' %s", step + 1, QC_FIELD(field), wrong);
}

/* Rows are parted by the two signs \n. */
static int next_channel(QcField *bag, QcField *channel)
{
    if (!bag->at) return 0;
    const char *at = bag->at;
    while (at < bag->end && !(*at == '\\' && at + 1 < bag->end && at[1] == 'n')) at++;
    *channel = (QcField){bag->at, at};
    bag->at = at < bag->end ? at + 2 : NULL;
    return 1;
}

static int read_bag(Reader *r, QcField bag, QcErr *err)
{
    QcField channel, field, count = bag;
    uint32_t channels = 0;
    while (next_channel(&count, &channel)) channels++;
    if (!r->channels && qc_series_channels(r->list, channels, r->lines.name, err)) return -1;
    if (!r->channels) r->channels = channels;
    if (channels != r->channels)
        return qc_lines_fail(&r->lines, err, "%u channels instead of %u", channels, r->channels);
    if (make_room(r, channels, err)) return -1;
    for (uint32_t c = 0; next_channel(&bag, &channel); c++) {
        uint32_t steps = qc_field_count(channel, ','), t = 0;
        if (steps != r->steps)
            return qc_lines_fail(&r->lines, err, "channel %u has %u values instead of %u", c + 1, steps, r->steps);
        for (; qc_field_next(&channel, &field, ','); t++)
            if (read_value(r, &r->row[(uint64_t)c * r->steps + t], field, t, err)) return -1;
    }
    return 0;
}

static int read_label(Reader *r, int32_t *label, QcField item, QcErr *err)
{
    char name[QC_FIELD_NAME];
    uint32_t added;
    if (qc_number_is_missing(item.at, item.end) && item.end - item.at <= 1)
        return qc_lines_fail(&r->lines, err, "the class is missing");
    if (qc_field_name(name, &r->lines, item, err)) return -1;
    int64_t index = qc_names_find(&r->list->labels, name);
    *label = (int32_t)index;
    if (index >= 0) return 0;
    if (!r->o->label)
        return qc_lines_fail(&r->lines, err, "class '%.60s' is not one of those that the header names", name);
    if (qc_names_add(&r->list->labels, &r->list->arena, name, &added, err))
        return -1; /* the label is not nominal: classes are what comes */
    *label = (int32_t)added;
    return 0;
}

/* Attribute a of a flat example: `step` counts the numeric ones. */
static int read_attribute_value(Reader *r, QcField item, uint32_t a, uint32_t step, int32_t *label, QcErr *err)
{
    if (a == r->label) return read_label(r, label, item, err);
    if (a == r->relational) return read_bag(r, item, err);
    return read_value(r, &r->row[step], item, step, err);
}

/* The place of attribute a among the numeric ones. */
static uint32_t step_of(const Reader *r, uint32_t a)
{
    uint32_t step = 0;
    for (uint32_t k = 0; k < a; k++) step += k != r->label && k != r->relational && !r->skipped[k] ? 1 : 0;
    return step;
}

/* {index value, index value}, indices from 0 and rising. */
static int read_sparse(Reader *r, QcField line, int32_t *label, QcErr *err)
{
    QcField pair, item;
    int more;
    int64_t before = -1;
    if (r->relational != NO_COLUMN)
        return qc_lines_fail(&r->lines, err, "a sparse example with a relational attribute");
    if (line.end[-1] != '}') return qc_lines_fail(&r->lines, err, "a sparse example without its closing brace");
    memset(r->row, 0, (size_t)r->steps * sizeof *r->row);
    *label = r->label == NO_COLUMN || !r->list->labels.n ? -1 : 0;
    line = qc_field_trim((QcField){line.at + 1, line.end - 1});
    if (line.at == line.end) return 0;
    while ((more = qc_field_next(&line, &pair, ',')) == 1) {
        uint32_t a = 0;
        const char *at = pair.at;
        for (; at < pair.end && *at >= '0' && *at <= '9' && a <= r->attributes; at++)
            a = a * 10 + (uint32_t)(*at - '0');
        if (at == pair.at || a >= r->attributes || (int64_t)a <= before || at == pair.end)
            return qc_lines_fail(&r->lines, err, "'%.*s' is no pair of a rising index and a value", QC_FIELD(pair));
        before = a;
        pair = qc_field_trim((QcField){at, pair.end});
        if (next_item(&pair, &item, ',') != 1)
            return qc_lines_fail(&r->lines, err, "quotes do not close, or something follows them");
        if (!r->skipped[a] && read_attribute_value(r, item, a, step_of(r, a), label, err)) return -1;
    }
    return 0;
}

static int read_dense(Reader *r, QcField line, int32_t *label, QcErr *err)
{
    QcField item;
    uint32_t a = 0, t = 0;
    int more;
    for (; (more = next_item(&line, &item, ',')) == 1; a++) {
        if (a >= r->attributes) break;
        if (r->skipped[a]) continue;
        if (read_attribute_value(r, item, a, t, label, err)) return -1;
        t += a != r->label && a != r->relational ? 1 : 0;
    }
    if (more < 0) return qc_lines_fail(&r->lines, err, "quotes do not close, or something follows them");
    if (more && a == r->attributes && item.at == item.end && !line.at) more = 0; /* a comma at the end */
    if (more || a != r->attributes)
        return qc_lines_fail(&r->lines, err, "%s values than the %u attributes", more ? "more" : "fewer",
                             r->attributes);
    return 0;
}

static int read_example(Reader *r, QcField line, uint64_t id, QcErr *err)
{
    int32_t label = -1;
    if (r->relational == NO_COLUMN && !r->channels) {
        r->channels = r->o->features ? r->steps : r->o->channels ? r->o->channels : 1;
        if (r->steps % r->channels)
            return qc_fail(err, QC_EUSAGE, "%u values cannot be divided into %u channels", r->steps, r->channels);
        if (qc_series_channels(r->list, r->channels, r->lines.name, err) || make_room(r, 1, err)) return -1;
    }
    if (*line.at == '{' ? read_sparse(r, line, &label, err) : read_dense(r, line, &label, err)) return -1;
    uint32_t length = r->relational == NO_COLUMN ? r->steps / r->channels : r->steps;
    QcSeries *s = qc_series_add_row(r->list, r->row, length, r->o, &r->lines, err);
    if (!s) return -1;
    s->label = unlabelled(r) ? -1 : label;
    s->id = id;
    r->examples++;
    return 0;
}

static int read_all(Reader *r, QcErr *err)
{
    QcField line;
    uint64_t id = qc_lines_id(&r->lines);
    if (read_header(r, err) || check_header(r, err)) return -1;
    while (qc_lines_next(&r->lines, &line)) {
        if (line.at == line.end || *line.at == '%') continue;
        if (read_example(r, line, id++, err)) return -1;
        qc_lines_progress(&r->lines, r->o->progress, r->o->ctx);
    }
    return r->examples ? 0 : qc_fail(err, QC_EFORMAT, "%.300s: there are no examples after @data", r->lines.name);
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .list = list, .label = NO_COLUMN, .relational = NO_COLUMN};
    if (qc_lines_open(&r.lines, path, err)) return -1;
    list->keeps_order = !list->n || list->keeps_order;
    list->one_window = 1;
    int status = read_all(&r, err);
    free(r.row);
    free(r.skipped);
    qc_lines_close(&r.lines);
    return status;
}

static const QcImportRow row_label = {"label-column",
                                      QC_ROW_TEXT,
                                      "NAME",
                                      "the attribute that is the label, or none (else the nominal)",
                                      offsetof(QcImportOptions, label),
                                      NULL,
                                      0};
static const QcImportRow *const rows[] = {
    &row_label, QC_ROWS_SHAPE, &qc_row_unequal, &qc_row_missing, &qc_row_length, QC_ROWS_FILES, NULL};

const QcImporter qc_importer_arff = {"arff", "Weka, UCR/UEA archive, .arff", rows, recognise, NULL, gather, 1};
