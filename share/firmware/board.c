/* board.c - a Cortex-M from reset to main, without a C library, and semihosting (ARM IHI 0053, "Semihosting for AArch32
 * and AArch64"). */
#include "board.h"

#include "kernels/mem.h"

/* the linker's */
extern uint32_t stack_top[], stack_bottom[], data_start[], data_end[], data_load[], bss_start[], bss_end[];

enum {
    PAINT = 0x5a5aa5a5,
    SYS_OPEN = 0x01,
    SYS_READ = 0x06,
    SYS_WRITE0 = 0x04,
    SYS_EXIT_EXTENDED = 0x20,
    APPLICATION_EXIT = 0x20026
};

static int call_host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void say(const char *text) { call_host(SYS_WRITE0, text); }

int board_open(const char *path)
{
    enum { READ_BINARY = 1 };
    uint32_t length = 0;
    while (path[length]) length++;
    const uintptr_t arguments[3] = {(uintptr_t)path, READ_BINARY, length};
    return call_host(SYS_OPEN, arguments);
}

uint32_t board_read(int file, void *to, uint32_t n)
{
    const uintptr_t arguments[3] = {(uintptr_t)file, (uintptr_t)to, n};
    return n - (uint32_t)call_host(SYS_READ, arguments); /* it returns how many bytes are missing */
}

void board_exit(int status)
{
    const uint32_t reason[2] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) call_host(SYS_EXIT_EXTENDED, reason);
}

void board_reset(void)
{
    volatile uint32_t *const control = (volatile uint32_t *)0xe000ed0c; /* AIRCR: key and SYSRESETREQ */
    __asm__ volatile("dsb");
    *control = 0x05fa0004;
    for (;;) __asm__ volatile("dsb");
}

uint32_t board_stack_peak(void)
{
    const uint32_t *at = stack_bottom;
    while ((uintptr_t)at < (uintptr_t)stack_top && *at == PAINT) at++;
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)at);
}

uint32_t board_static_bytes(void)
{
    return (uint32_t)((uintptr_t)data_end - (uintptr_t)data_start + (uintptr_t)bss_end - (uintptr_t)bss_start);
}

static void fault(void)
{
    say("a fault of the processor\n");
    board_exit(2);
}

void reset(void)
{
#ifdef __ARM_FP
    *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* CPACR: the floating-point unit is off at reset */
    __asm__ volatile("dsb\n\tisb");
#endif
    for (volatile uint32_t *at = stack_bottom; (uintptr_t)at < (uintptr_t)__builtin_frame_address(0) - 64; at++)
        *at = PAINT;
    memcpy(data_start, data_load, (size_t)((uintptr_t)data_end - (uintptr_t)data_start));
    memset(bss_start, 0, (size_t)((uintptr_t)bss_end - (uintptr_t)bss_start));
    board_exit(main());
}

struct Vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};

const struct Vectors vectors __attribute__((section(".vectors"), used)) = {
    stack_top, {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
