/* experimentrules.h - inside experiment.c: which combinations the maps of `without` or `only` name. Not for others.
 *
 * A map of plain values is found by a hash of the combination's values, so that thousands of maps cost as little as
 * one; a map with {NAME} in a value is tried for every combination.
 */
#ifndef QC_LAB_EXPERIMENTRULES_H
#define QC_LAB_EXPERIMENTRULES_H

#include "experimentparts.h"

typedef struct QcRules {
    const QcYaml *maps;           /* NULL: there are none */
    uint32_t n_plain, n_tried;
    struct QcRule *plain;         /* [n_plain] in the order of the maps */
    uint32_t *tried;              /* [n_tried] maps that are tried, likewise */
    uint32_t n_shapes, n_entries;
    struct QcRuleShape *shapes;   /* [n_shapes] sets of axes that plain maps name */
    struct QcRuleEntry *entries;  /* [n_entries] */
} QcRules; /* all zero = no maps; dies with the experiment's arena */

/* maps: checked already, or NULL. */
int qc_rules_make(QcRules *r, QcJobMaker *m, const QcYaml *maps, QcErr *err);
/* 1 if all that one of the maps says holds. */
int qc_rules_name(const QcRules *r, QcJobMaker *m, uint32_t combination, QcErr *err);

#endif
