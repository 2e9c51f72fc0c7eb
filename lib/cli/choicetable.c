#include "choicetable.h"

#include <stdio.h>

#include "cli.h"

void qc_print_choice(const QcChooseReport *r, const QcDataset *coreset, const QcDataset *data, int json)
{
    if (json) printf("{\"examples\": %u, \"size\": %u, \"rows\": [", data->n, coreset->n);
    else printf("kind\tname\twhole\twhole_share\tset\tset_share\treserved\n");
    for (uint32_t i = 0; i < r->n; i++) {
        const QcChooseRow *row = &r->rows[i];
        if (json) {
            printf("%s{\"kind\": \"%s\", \"name\": ", i ? ", " : "", row->kind);
            qc_json_text(row->name);
            printf(", \"whole\": %u, \"set\": %u, \"reserved\": %u}", row->whole, row->set, row->reserved);
        } else {
            printf("%s\t", row->kind);
            qc_print_text(row->name);
            printf("\t%u\t%.4f\t%u\t%.4f\t%u\n", row->whole, (double)row->whole / data->n, row->set,
                   (double)row->set / coreset->n, row->reserved);
        }
    }
    if (json) printf("]}\n");
}
