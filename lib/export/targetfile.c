/* targetfile.c - the targets that are known, and targets from a YAML file of one's own. */
#include "targetfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../format/yaml.h"
#include "target.h"

#define NAME(name, what) #name,
const char *const qc_target_keys[QC_TARGET_COUNT] = {QC_TARGET_WORK(NAME)};
#undef NAME

/* ---- by name ---- */

static int refuse_name(const char *text, QcErr *err)
{
    char known[200] = "";
    size_t at = 0;
    for (int i = 0; i < QC_TARGETS && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", qc_targets[i].name);
    return qc_fail(err, QC_EUSAGE, "there is no target '%.60s'; there are %s, and files NAME.yaml", text, known);
}

/* "m4" is "cortex-m4". */
static int by_name(QcTarget *t, const char *name, QcErr *err)
{
    static const char family[] = "cortex-";
    for (int i = 0; i < QC_TARGETS; i++)
        if (!strcasecmp(qc_targets[i].name, name) || !strcasecmp(qc_targets[i].name + sizeof family - 1, name)) {
            *t = qc_targets[i];
            return 0;
        }
    return refuse_name(name, err);
}

/* ---- from a file ---- */

static int is_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

static int read_keys(QcTarget *t, const QcYaml *map, QcErr *err)
{
    const char *known[QC_TARGET_COUNT + 4];
    memcpy(known, qc_target_keys, sizeof qc_target_keys);
    memcpy(known + QC_TARGET_COUNT, (const char *const[]){"name", "like", "mhz", NULL}, 4 * sizeof *known);
    const QcYaml *like, *name = qc_yaml_get(map, "name");
    QcErr unknown;
    if (map->kind != QC_YAML_MAP) return qc_yaml_fail(err, map, "a target is keys and numbers");
    if (qc_yaml_known(map, known, err)) return -1;
    like = qc_yaml_need(map, "like", QC_YAML_SCALAR, err);
    if (!like) return -1;
    if (by_name(t, like->text, &unknown)) return qc_yaml_fail(err, like, "%s", unknown.text);
    if (name && name->kind == QC_YAML_SCALAR) snprintf(t->name, sizeof t->name, "%s", name->text);
    for (int i = 0; i < QC_TARGET_COUNT; i++)
        if (qc_yaml_real(map, qc_target_keys[i], 0, 1e9, t->c[i], &t->c[i], err)) return -1;
    return qc_yaml_real(map, "mhz", 0.001, 1e6, t->mhz, &t->mhz, err);
}

static int from_file(QcTarget *t, const char *path, QcErr *err)
{
    QcYamlDocument d;
    if (qc_yaml_load(&d, path, err)) return -1;
    int status = read_keys(t, d.root, err);
    qc_yaml_release(&d);
    return status;
}

/* ---- both ---- */

int qc_target_open(QcTarget *t, const char *text, QcErr *err)
{
    const char *at = strrchr(text, '@');
    char name[1024], *end;
    size_t length = at ? (size_t)(at - text) : strlen(text);
    double mhz = 0;
    if (length >= sizeof name) return qc_fail(err, QC_EUSAGE, "--target: the name is too long");
    memcpy(name, text, length);
    name[length] = 0;
    if (at) {
        mhz = strtod(at + 1, &end);
        if (end == at + 1 || (*end && strcasecmp(end, "MHz")) || !(mhz > 0 && mhz <= 1e6))
            return qc_fail(err, QC_EUSAGE, "--target %.100s: the clock is a number of MHz, as in cortex-m4@64MHz",
                           text);
    }
    if (is_file(name) ? from_file(t, name, err) : by_name(t, name, err)) return -1;
    if (at) t->mhz = mhz;
    return 0;
}
