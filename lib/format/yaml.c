#include "yaml.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "../base/file.h"
#include "../base/nametable.h"

enum { MAX_DEPTH = 32, MAX_NODES = 100000 };

typedef struct Reader {
    yaml_parser_t parser;
    QcYamlDocument *document;
    const char *file;
    uint32_t nodes, line; /* line: of the file, where the text begins */
    QcErr *err;
} Reader;

static int fail_at(Reader *r, yaml_mark_t mark, const char *what)
{
    return qc_fail(r->err, QC_EFORMAT, "%.200s:%zu:%zu: %s", r->file, mark.line + r->line, mark.column + 1, what);
}

/* libyaml tells most errors by a mark of their own, and those of the byte stream by an offset. */
static int next_event(Reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event)) return 0;
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "cannot be parsed";
    if (p->error == YAML_MEMORY_ERROR) return qc_fail_memory(r->err, r->file);
    if (p->error == YAML_READER_ERROR)
        return qc_fail(r->err, QC_EFORMAT, "%.200s: %s at byte %zu", r->file, problem, p->problem_offset);
    return fail_at(r, p->problem_mark, problem);
}

typedef struct Children { /* grows on the heap until the node is complete */
    const QcYaml **items;
    const char **keys;
    uint32_t n, room;
} Children;

static int children_add(Reader *r, Children *c, const char *key, const QcYaml *item)
{
    if (c->n == c->room) {
        uint32_t room = c->room ? c->room * 2 : 8;
        const QcYaml **items = realloc(c->items, room * sizeof *items);
        if (items) c->items = items;
        const char **keys = realloc(c->keys, room * sizeof *keys);
        if (keys) c->keys = keys;
        if (!items || !keys) return qc_fail_memory(r->err, r->file);
        c->room = room;
    }
    c->items[c->n] = item;
    c->keys[c->n++] = key;
    return 0;
}

static int children_settle(Reader *r, Children *c, QcYaml *node)
{
    QcArena *arena = &r->document->arena;
    node->n = c->n;
    node->items = qc_arena_take(arena, c->n, sizeof *node->items, r->err);
    node->keys = qc_arena_take(arena, c->n, sizeof *node->keys, r->err);
    if (!node->items || !node->keys) return -1;
    if (c->n) {
        memcpy(node->items, c->items, c->n * sizeof *c->items);
        memcpy(node->keys, c->keys, c->n * sizeof *c->keys);
    }
    return 0;
}

static int read_node(Reader *r, const yaml_event_t *event, int depth, QcYaml **node);

static int read_list(Reader *r, int depth, Children *children)
{
    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event)) return -1;
        int last = event.type == YAML_SEQUENCE_END_EVENT;
        QcYaml *item;
        int status = last ? 0 : read_node(r, &event, depth, &item);
        yaml_event_delete(&event);
        if (status || last) return status;
        if (children_add(r, children, NULL, item)) return -1;
    }
}

/* Few keys are compared with each other; more are found in a table. */
static int check_key(Reader *r, const Children *c, QcNameTable *table, QcArena *scratch, const QcYaml *key)
{
    enum { FEW = 16 };
    int known = 0;
    for (uint32_t i = 0; c->n < FEW && i < c->n; i++) known |= !strcmp(c->keys[i], key->text);
    for (uint32_t i = table->n; c->n >= FEW && i < c->n && known >= 0; i++)
        known = qc_nametable_add(table, scratch, c->keys[i], i, r->err);
    if (c->n >= FEW && known >= 0) known = qc_nametable_find(table, key->text) >= 0;
    return known > 0 ? qc_yaml_fail(r->err, key, "key '%.100s' appears twice", key->text) : known;
}

static int read_pairs(Reader *r, int depth, Children *children, QcNameTable *table, QcArena *scratch)
{
    for (;;) {
        yaml_event_t event;
        QcYaml *key = NULL, *value;
        if (next_event(r, &event)) return -1;
        int last = event.type == YAML_MAPPING_END_EVENT;
        int status = last ? 0 : read_node(r, &event, depth, &key);
        if (!status && key && key->kind != QC_YAML_SCALAR)
            status = fail_at(r, event.start_mark, "a key must be a plain word");
        if (!status && key) status = check_key(r, children, table, scratch, key);
        yaml_event_delete(&event);
        if (status || last) return status;
        if (next_event(r, &event)) return -1;
        status = read_node(r, &event, depth, &value);
        yaml_event_delete(&event);
        if (status || children_add(r, children, key->text, value)) return -1;
        value->key = key;
    }
}

static int read_map(Reader *r, int depth, Children *children)
{
    QcNameTable table = {0};
    QcArena scratch = {0};
    int status = read_pairs(r, depth, children, &table, &scratch);
    qc_arena_release(&scratch);
    return status;
}

static int read_node(Reader *r, const yaml_event_t *event, int depth, QcYaml **out)
{
    static const char no_tags[] = "tags, anchors and aliases are not used here";
    QcYaml *node = qc_arena_take(&r->document->arena, 1, sizeof *node, r->err);
    if (!node) return -1;
    *node = (QcYaml){.line = (uint32_t)event->start_mark.line + r->line,
                     .column = (uint32_t)event->start_mark.column + 1,
                     .file = r->file};
    *out = node;
    if (depth > MAX_DEPTH) return fail_at(r, event->start_mark, "this is nested too deeply");
    if (++r->nodes > MAX_NODES) return fail_at(r, event->start_mark, "this is one value too many for such a file");
    Children children = {0};
    int status;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor || event->data.scalar.tag) return fail_at(r, event->start_mark, no_tags);
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
            return fail_at(r, event->start_mark, "a text holds a zero byte");
        node->kind = QC_YAML_SCALAR;
        node->text = qc_arena_text(&r->document->arena, (const char *)event->data.scalar.value,
                                   event->data.scalar.length, r->err);
        return node->text ? 0 : -1;
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
            return fail_at(r, event->start_mark, no_tags);
        node->kind = QC_YAML_LIST;
        status = read_list(r, depth + 1, &children);
        break;
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
            return fail_at(r, event->start_mark, no_tags);
        node->kind = QC_YAML_MAP;
        status = read_map(r, depth + 1, &children);
        break;
    default:
        return fail_at(r, event->start_mark, no_tags);
    }
    if (!status) status = children_settle(r, &children, node);
    free(children.items);
    free(children.keys);
    return status;
}

/* stream start, document start, one node, document end, stream end */
static int read_stream(Reader *r)
{
    QcYaml *root = NULL;
    for (int done = 0; !done;) {
        yaml_event_t event;
        if (next_event(r, &event)) return -1;
        int status = 0;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_STREAM_END_EVENT:
            done = 1;
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (root) status = fail_at(r, event.start_mark, "a second document begins here; one is expected");
            break;
        default:
            status = read_node(r, &event, 0, &root);
        }
        yaml_event_delete(&event);
        if (status) return -1;
    }
    if (!root) { /* an empty file is a map without keys */
        root = qc_arena_take(&r->document->arena, 1, sizeof *root, r->err);
        if (!root) return -1;
        *root = (QcYaml){.kind = QC_YAML_MAP, .line = r->line, .column = 1, .file = r->file};
    }
    r->document->root = root;
    return 0;
}

int qc_yaml_parse(QcYamlDocument *d, const char *text, size_t length, const char *name, uint32_t line, QcErr *err)
{
    *d = (QcYamlDocument){0};
    if (length > QC_YAML_MOST)
        return qc_fail(err, QC_EFORMAT, "%.200s: %zu bytes are too many for a YAML file", name, length);
    Reader r = {.document = d, .file = qc_arena_text(&d->arena, name, strlen(name), err), .line = line, .err = err};
    if (!r.file) return -1;
    if (!yaml_parser_initialize(&r.parser)) {
        qc_yaml_release(d);
        return qc_fail_memory(err, name);
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    int status = read_stream(&r);
    yaml_parser_delete(&r.parser);
    if (status) qc_yaml_release(d);
    return status;
}
