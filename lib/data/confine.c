/* A program of seccomp(2): the architecture, then the number of the system call against a list. */
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __arm__
#define ARCHITECTURE AUDIT_ARCH_ARM
#endif

#ifdef ARCHITECTURE
static const int allowed[] = {
#ifdef SYS_mmap2
    SYS_mmap2,   SYS__llseek, SYS_fstat64,
#else
    SYS_mmap,    SYS_fstat,
#endif
#ifdef SYS_futex
    SYS_futex,
#endif
    SYS_read,    SYS_pread64, SYS_write,  SYS_lseek,        SYS_close,        SYS_munmap,        SYS_mremap,
    SYS_madvise, SYS_brk,     SYS_getpid, SYS_rt_sigreturn, SYS_rt_sigaction, SYS_clock_gettime, SYS_mprotect,
    SYS_gettid,  SYS_exit,    SYS_exit_group, SYS_rt_sigprocmask, SYS_sched_yield};

enum { N = sizeof allowed / sizeof *allowed };

int qc_confine(void)
{
    struct sock_filter code[N + 6] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        [N + 4] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        [N + 5] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    for (int k = 0; k < N; k++)
        code[4 + k] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[k], N - k, 0);
    struct sock_fprog program = {.len = N + 6, .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -1 : 0;
}
#else
int qc_confine(void) { return -1; }
#endif
