/* Texts of ours: the first byte says which reader gets the rest: architecture, experiment, table of runs, run log of
 * qc-calibrate. */
#include "fuzz.h"

#include "../../lib/lab/runtable.h"
#include "../../lib/nn/arch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64], name[1024];
    const char *const paths[1] = {path};
    QcErr err = {0};
    QcGraph g = {0};
    QcExperiment e = {0};
    QcRunTable table = {0};
    QcRunResult result = {0};
    QcArena arena = {0};
    if (!length) return 0;
    qc_max_bytes = 1 << 22;
    int file = fuzz_open(path, bytes + 1, length - 1), status = 0;
    switch (bytes[0]) {
    case 'a':
        status = qc_arch_load(&g, name, path, 0, 3, 1, 24, 4, &err);
        if (!status) fuzz_demand(!qc_graph_check(&g, &err), err.text);
        qc_graph_release(&g);
        break;
    case 'e':
        status = qc_experiment_load(&e, path, "runs", NULL, 0, &err);
        for (uint32_t j = 0; !status && j < e.n_jobs; j++)
            fuzz_demand(!strpbrk(e.jobs[j].command, "\r\n") && !strpbrk(e.jobs[j].mark, "\r\n"),
                        "a command of two lines");
        if (!status) qc_experiment_release(&e);
        break;
    case 't':
        status = qc_runtable_load(&table, paths, 1, &err);
        qc_runtable_release(&table);
        break;
    case 'r':
        status = qc_result_load(&result, &arena, path, &err);
        qc_arena_release(&arena);
        break;
    }
    if (status < 0) fuzz_refused(&err);
    close(file);
    return 0;
}
