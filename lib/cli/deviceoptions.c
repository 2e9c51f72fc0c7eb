#include "deviceoptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../format/parametertable.h"

QcList qc_deviceoptions_list;

static void print_table(void)
{
    puts("parameters of the learner: name, default at 2, 4 and 8 bits, range, meaning");
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        char values[48], range[40];
        snprintf(values, sizeof values, "%g %g %g", row->at[0], row->at[1], row->at[2]);
        if (row->at[0] == row->at[1] && row->at[1] == row->at[2]) snprintf(values, sizeof values, "%g", row->at[0]);
        snprintf(range, sizeof range, "%g..%g", row->low, row->high);
        printf("  %-20s %-15s %-13s %s\n", row->name, values, range, row->meaning);
    }
}

int qc_deviceoptions_check(QcErr *err)
{
    QcParameters any = qc_parameters_default(8);
    for (int i = 0; i < qc_deviceoptions_list.n; i++) {
        if (strcmp(qc_deviceoptions_list.items[i], "help")) continue;
        print_table();
        exit(qc_cli_end(NULL, 0));
    }
    return qc_parameters_tune(&any, qc_deviceoptions_list.items, qc_deviceoptions_list.n, err);
}

void qc_deviceoptions_warn_replaced(const char *method, const QcParameters *used)
{
    QcErr err;
    QcParameters wanted = *used; /* of two texts of the same parameter the later counts */
    if (!qc_parameters_tune(&wanted, qc_deviceoptions_list.items, qc_deviceoptions_list.n, &err) &&
        !memcmp(&wanted, used, sizeof wanted))
        return;
    for (int i = 0; i < qc_deviceoptions_list.n; i++) {
        wanted = *used;
        if (qc_parameters_tune(&wanted, &qc_deviceoptions_list.items[i], 1, &err) ||
            memcmp(&wanted, used, sizeof wanted))
            qc_warn("--tune %s has no effect on method %s", qc_deviceoptions_list.items[i], method);
    }
}

void qc_deviceoptions_warn_ignored(const char *method, int keeps_slots)
{
    for (int i = 0; i < qc_deviceoptions_list.n; i++)
        if (keeps_slots || strncmp(qc_deviceoptions_list.items[i], "update=", 7))
            qc_warn("--tune %s has no effect on method %s", qc_deviceoptions_list.items[i], method);
}
