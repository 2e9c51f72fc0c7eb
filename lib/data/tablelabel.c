/* Which column of a table is its label: by an option, a usual name, words, or whole numbers. */
#include <stdio.h>

#include "table.h"

static int fail_two(const QcTable *t, uint32_t a, uint32_t b, QcErr *err)
{
    char one[80], two[80];
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: '%s' and '%s' may both be the label: name it with --label-column, and leave the other out "
                   "with --ignore",
                   t->lines.name, qc_column_called(one, t, a), qc_column_called(two, t, b));
}

static int is_y(QcField name) { return name.at && qc_field_is(name, "y"); }

/* y is the label of x1, x2, ..., but an axis beside x or z. */
static int y_is_axis(const QcTable *t)
{
    for (uint32_t c = 0; c < t->columns; c++)
        if (t->column[c].name.at && (qc_field_is(t->column[c].name, "x") || qc_field_is(t->column[c].name, "z")))
            return 1;
    return 0;
}

static int label_by_name(QcTable *t, QcErr *err)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!qc_column_is_free(t, c) || !qc_name_is_label(t->column[c].name)) continue;
        if (t->label != QC_NO_COLUMN) return fail_two(t, t->label, c, err);
        t->label = c;
    }
    for (uint32_t c = 0; c < t->columns && t->label == QC_NO_COLUMN && !y_is_axis(t); c++)
        if (qc_column_is_free(t, c) && is_y(t->column[c].name) &&
            (!qc_column_is_numeric(&t->column[c]) || qc_column_is_class(&t->column[c], t->looked_at)))
            t->label = c;
    return 0;
}

static int fail_text(const QcTable *t, uint32_t a, uint32_t b, QcErr *err)
{
    char one[80], two[80];
    if (qc_table_has_commas(t, a)) return qc_table_fail_commas(t, a, err);
    if (qc_table_has_commas(t, b)) return qc_table_fail_commas(t, b, err);
    return qc_fail(
        err, QC_EUSAGE,
        "%.200s: '%s' and '%s' both hold words: name the label with --label-column, others with --group-column or "
        "--ignore",
        t->lines.name, qc_column_called(one, t, a), qc_column_called(two, t, b));
}

static int label_by_words(QcTable *t, QcErr *err)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!qc_column_is_free(t, c) || qc_column_is_numeric(&t->column[c])) continue;
        if (t->label != QC_NO_COLUMN) return fail_text(t, t->label, c, err);
        t->label = c;
    }
    return t->label != QC_NO_COLUMN && qc_table_has_commas(t, t->label) ? qc_table_fail_commas(t, t->label, err) : 0;
}

/* Numbers alone: the label stands first or last, and is the one whose numbers look like classes. */
static int label_by_numbers(QcTable *t, QcErr *err)
{
    uint32_t first = QC_NO_COLUMN, last = QC_NO_COLUMN, rows = t->looked_at;
    for (uint32_t c = 0; c < t->columns; c++)
        if (qc_column_is_free(t, c)) last = c, first = first == QC_NO_COLUMN ? c : first;
    if (first == QC_NO_COLUMN || (first == last && !t->o->columns)) return 0;
    int a = qc_column_is_class(&t->column[first], rows), b = qc_column_is_class(&t->column[last], rows);
    if (first == last) b = 0;
    if (a && b && rows >= 2 && qc_column_is_dense(&t->column[first]) != qc_column_is_dense(&t->column[last]))
        a = qc_column_is_dense(&t->column[first]), b = !a;
    if (a && b)
        return qc_fail(err, QC_EUSAGE,
                       "the label of %.200s may be the first or the last column: say with --label-column 1, %u or none",
                       t->lines.name, last + 1);
    if (!a && !b)
        return qc_fail(
            err, QC_EUSAGE,
            "which column of %.200s is the label is not certain: say with --label-column (a number, a name, or none)",
            t->lines.name);
    t->label = a ? first : last;
    return 0;
}

/* The label of a tsv is the column that the options leave first. Another is never taken in its place: neither because
 * that one counts rows or has times, nor because the header says so. */
static int label_by_place(QcTable *t, QcErr *err)
{
    char text[80];
    uint32_t first = 0, others = 0;
    while (first < t->columns && !t->column[first].is_left) first++;
    for (uint32_t c = first + 1; c < t->columns; c++) others += t->column[c].is_left || t->column[c].listed;
    for (uint32_t c = 0; c < first; c++)
        if (t->column[c].listed)
            return qc_fail(err, QC_EUSAGE,
                           "%.200s: a tsv has the label first, but --columns has '%s': name the label with "
                           "--label-column (or none)",
                           t->lines.name, qc_column_called(text, t, c));
    if (first == t->columns || !others) return 0;
    if (!qc_column_is_free(t, first))
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: a tsv has the label first, but '%s' looks like row numbers, a time or a group: name "
                       "the label with --label-column, or leave that out with --ignore",
                       t->lines.name, qc_column_called(text, t, first));
    for (uint32_t c = first + 1; c < t->columns && !qc_name_is_label(t->column[first].name); c++)
        if (qc_column_is_free(t, c) && qc_name_is_label(t->column[c].name)) return fail_two(t, first, c, err);
    t->label = first;
    return 0;
}

static int label_by_itself(QcTable *t, QcErr *err)
{
    if (t->label_first) return label_by_place(t, err);
    if (label_by_name(t, err) || (t->label == QC_NO_COLUMN && label_by_words(t, err))) return -1;
    return t->label == QC_NO_COLUMN ? label_by_numbers(t, err) : 0;
}

int qc_table_find_label(QcTable *t, QcErr *err)
{
    for (uint32_t c = 0; (t->o->label || t->o->segments) && c < t->columns;
         c++) /* labelled otherwise, or not: no value either */
        if (qc_column_is_free(t, c) && qc_name_is_label(t->column[c].name)) t->column[c].role = QC_ROLE_IGNORED;
    if (t->o->label || t->o->segments) return 0;
    if (label_by_itself(t, err)) return -1;
    if (t->label != QC_NO_COLUMN) t->column[t->label].role = QC_ROLE_LABEL;
    return 0;
}

int qc_table_check_label(const QcTable *t, QcErr *err)
{
    char text[80];
    if (t->label == QC_NO_COLUMN || t->o->label) return 0;
    const QcColumn *c = &t->column[t->label];
    uint32_t rows = t->looked_at;
    qc_column_called(text, t, t->label);
    if (c->numbers == c->n && c->whole < c->numbers)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: '%s' looks like a number, not a label: name the label with --label-column",
                       t->lines.name, text);
    if (c->distinct > QC_CLASSES_MAX)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: '%s' has more than %d different values, and %d classes are the most: name another "
                       "label with --label-column",
                       t->lines.name, text, QC_CLASSES_MAX, QC_CLASSES_MAX);
    if (rows >= 10 && !t->is_samples && 2 * c->distinct > rows && c->distinct > 10)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: '%s' has %u different values in %u rows, which look like no classes: if it is the "
                       "label, name it with --label-column",
                       t->lines.name, text, c->distinct, rows);
    return 0;
}
