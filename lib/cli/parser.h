/* parser.h - declarations shared by the files of lib/cli; programs include cli.h. */
#ifndef QC_CLI_PARSER_H
#define QC_CLI_PARSER_H

#include <stdarg.h>

#include "../format/yaml.h"
#include "cli.h"

/* An option and its texts, from the command line or --config. */
typedef struct QcOptionTexts {
    const QcOption *option;
    QcList texts;
} QcOptionTexts;

void qc_option_add_text(QcOptionTexts *g, const char *text); /* text: borrowed for the life of g */
QcOptionTexts *qc_option_find(QcOptionTexts *given, int n, const char *name, size_t length); /* by its long name */

/* Stores a text where the option's value lives; `wrong` (of `room` bytes) gets the sentence if it does not fit. */
int qc_option_store(const QcOption *o, const char *text, char *wrong, size_t room);

/* Options of the YAML file that have no text yet. Values point into the document. */
int qc_config_apply(QcOptionTexts *given, int n, QcYamlDocument *document, const char *path, QcErr *err);

extern const QcOption qc_cli_common[]; /* help and version first; ends with {0} */

const QcOption *qc_cli_last(const QcOption *table); /* the row that ends it */
const QcOption *qc_cli_next(const QcOption *table); /* the table that it goes on with, or NULL */
const char *qc_cli_name(void);
int qc_cli_quiet(void);
/* On stdout, with the values as they stand: the defaults. all: also rare options. */
void qc_cli_help(const QcProgram *program, int all);

/* The option that `name` [length], which there is none of, was meant to be: at most two letters wrong. NULL: none is
 * near. */
const char *qc_cli_meant(const QcProgram *program, const char *name, size_t length);

/* A line on stderr; what is unsafe in the arguments is escaped. */
void qc_cli_message(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Adds an option that was given (texts->n > 0) to qc_cli_command; the first call begins the line. */
void qc_cli_note_command(const QcProgram *program, const QcOption *option, const QcList *texts);

#endif
