/* --config: a YAML file fills options of every kind that the command line left alone. */
#include "fuzz.h"

#include "../../lib/cli/parser.h"

static int flag, given_flag;
static int64_t whole, any;
static double real;
static const char *text, *config;
static QcList list;

static const QcOption options[] = {
    {0, "flag", QC_OPTION_FLAG, &flag, NULL, "", 0, 0},      {0, "given", QC_OPTION_FLAG, &given_flag, NULL, "", 0, 0},
    {0, "whole", QC_OPTION_INT, &whole, "N", "", -5, 100},   {0, "any", QC_OPTION_INT, &any, "N", "", 0, 0},
    {0, "real", QC_OPTION_REAL, &real, "R", "", .5, 2},      {0, "text", QC_OPTION_TEXT, &text, "TEXT", "", 0, 0},
    {0, "list", QC_OPTION_LIST, &list, "FILE", "", 0, 0},    {0, "config", QC_OPTION_TEXT, &config, "FILE", "", 0, 0},
};
enum { OPTIONS = sizeof options / sizeof *options, GIVEN = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    QcErr err = {0};
    QcYamlDocument document = {0};
    QcOptionTexts given[OPTIONS];
    for (int i = 0; i < OPTIONS; i++) given[i] = (QcOptionTexts){.option = &options[i]};
    qc_option_add_text(&given[GIVEN], "true");
    int file = fuzz_open(path, bytes, length);
    given_flag = 7;
    text = config = NULL;
    whole = 0;
    real = 1;
    if (qc_config_apply(given, OPTIONS, &document, path, &err)) fuzz_refused(&err);
    fuzz_demand(given_flag == 7 && given[GIVEN].texts.n == 1, "--config overrides the command line");
    fuzz_demand(!config, "--config names another file");
    fuzz_demand(whole >= -5 && whole <= 100 && real >= .5 && real <= 2, "a value out of range");
    for (int i = 0; i < OPTIONS; i++) {
        for (int k = 0; k < given[i].texts.n; k++) fuzz_demand(given[i].texts.items[k] != NULL, "a value without text");
        free(given[i].texts.items);
    }
    qc_yaml_release(&document);
    close(file);
    return 0;
}
