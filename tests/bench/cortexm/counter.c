/* counter.c - a plugin of QEMU (7.2 or later) that counts the instructions a processor executes between two hints,
 * 0xbf50 and 0xbf60, which do nothing on a Cortex-M. Each pair of hints makes one line of the file that the argument
 * out=FILE names.
 *
 * Declares the part of QEMU's plugin interface that it needs, because Debian has no package with qemu-plugin.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))
enum { START = 0xbf50, STOP = 0xbf60 };
enum qemu_plugin_cb_flags { NO_REGISTERS };
enum qemu_plugin_op { ADD_U64 };
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translate)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*execute)(unsigned, void *),
                                            enum qemu_plugin_cb_flags flags, void *context);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *counter,
                                                uint64_t n);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

PUBLIC int qemu_plugin_version = 1;
PUBLIC int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

static uint64_t executed, at_start;
static FILE *out;

static void start(unsigned cpu, void *context)
{
    (void)cpu, (void)context;
    at_start = executed;
}

static void stop(unsigned cpu, void *context)
{
    (void)cpu, (void)context;
    fprintf(out, "%llu\n", (unsigned long long)(executed - at_start));
    fflush(out);
}

/* The hints themselves are not counted: callbacks and counts happen in the order of their registration. */
static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        uint32_t code = qemu_plugin_insn_size(insn) == 2 ? bytes[0] | (uint32_t)bytes[1] << 8 : 0;
        if (code == STOP) qemu_plugin_register_vcpu_insn_exec_cb(insn, stop, NO_REGISTERS, NULL);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD_U64, &executed, 1);
        if (code == START) qemu_plugin_register_vcpu_insn_exec_cb(insn, start, NO_REGISTERS, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
    if (!out) return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
