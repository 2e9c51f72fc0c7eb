/* config.c - --config: a YAML map of long options fills what the command line left alone. */
#include <string.h>

#include "parser.h"

static int apply_item(QcOptionTexts *g, const QcYaml *item, QcErr *err)
{
    char wrong[300];
    if (item->kind != QC_YAML_SCALAR)
        return qc_yaml_fail(err, item, "%s takes %s", g->option->name,
                            g->option->kind == QC_OPTION_LIST ? "plain values" : "one plain value");
    if (qc_option_store(g->option, item->text, wrong, sizeof wrong))
        return qc_yaml_fail(err, item, "%s", wrong + 2); /* without its dashes */
    qc_option_add_text(g, item->text);
    return 0;
}

static int is_refused(const QcOption *o)
{
    return !strcmp(o->name, "help") || !strcmp(o->name, "version") || !strcmp(o->name, "config");
}

static int apply(QcOptionTexts *given, int n, const QcYaml *root, QcErr *err)
{
    if (root->kind != QC_YAML_MAP) return qc_yaml_fail(err, root, "long options and their values are expected here");
    for (uint32_t i = 0; i < root->n; i++) {
        const QcYaml *item = root->items[i];
        QcOptionTexts *g = qc_option_find(given, n, root->keys[i], strlen(root->keys[i]));
        if (!g || is_refused(g->option))
            return qc_yaml_fail(err, item->key, "there is no option %.100s", root->keys[i]);
        if (g->texts.n) continue; /* the command line wins */
        int many = g->option->kind == QC_OPTION_LIST && item->kind == QC_YAML_LIST;
        if (!many && apply_item(g, item, err)) return -1;
        for (uint32_t k = 0; many && k < item->n; k++)
            if (apply_item(g, item->items[k], err)) return -1;
    }
    return 0;
}

int qc_config_apply(QcOptionTexts *given, int n, QcYamlDocument *document, const char *path, QcErr *err)
{
    return qc_yaml_load(document, path, err) || apply(given, n, document->root, err) ? -1 : 0;
}
