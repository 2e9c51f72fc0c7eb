#include "parametertable.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(type, name, at2, at4, at8, low, high, meaning) \
    {#name,                                                \
     meaning,                                              \
     (type)1.5f == 1,                                      \
     offsetof(QcParameters, name),                         \
     {(double)(at2), (double)(at4), (double)(at8)},        \
     (double)(low),                                        \
     (double)(high)},
const QcParameterRow qc_parameter_rows[QC_PARAMETER_COUNT] = {QC_PARAMETERS(ROW)};
#undef ROW

double qc_parameter_value(const QcParameters *p, const QcParameterRow *row)
{
    const char *at = (const char *)p + row->offset;
    return row->whole ? (double)*(const uint32_t *)(const void *)at : (double)*(const float *)(const void *)at;
}

static int refuse_name(const char *text, QcErr *err)
{
    char known[400] = "";
    size_t at = 0;
    for (int i = 0; i < QC_PARAMETER_COUNT && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", qc_parameter_rows[i].name);
    return qc_fail(err, QC_EUSAGE, "--tune %.60s: give NAME=VALUE; the names are %s", text, known);
}

static int tune(QcParameters *p, const char *text, QcErr *err)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    for (int i = 0; i < QC_PARAMETER_COUNT && equals; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        char *end, *at = (char *)p + row->offset;
        if (strlen(row->name) != length || memcmp(row->name, text, length)) continue;
        errno = 0;
        double value = strtod(equals + 1, &end);
        if (end == equals + 1 || *end || errno || !(value >= row->low && value <= row->high) ||
            (row->whole && value != floor(value)))
            return qc_fail(err, QC_EUSAGE, "--tune %.60s: %s is a %snumber from %.6g to %.6g", text, row->name,
                           row->whole ? "whole " : "", row->low, row->high);
        if (row->whole) *(uint32_t *)(void *)at = (uint32_t)value;
        else *(float *)(void *)at = (float)value;
        return 0;
    }
    return refuse_name(text, err);
}

int qc_parameters_tune(QcParameters *p, const char *const *texts, int n, QcErr *err)
{
    for (int i = 0; i < n; i++)
        if (tune(p, texts[i], err)) return -1;
    return 0;
}

void qc_parameters_digest(QcDigest *d, const QcParameters *p)
{
    char text[80];
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        double value = qc_parameter_value(p, row);
        if (!strcmp(row->name, "first_trust") && !(value > 0)) continue; /* older states have no such parameter */
        int n = snprintf(text, sizeof text, "%s=%a ", row->name, value);
        qc_digest_add(d, text, (size_t)n);
    }
}
