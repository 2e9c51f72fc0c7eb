/* board.h - what the processor and QEMU give a firmware: words out, an end, a reset; and how much it uses. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

int main(void);

void say(const char *text);
_Noreturn void board_exit(int status);
_Noreturn void board_reset(void);
uint32_t board_stack_peak(void);   /* bytes, since the last reset */
uint32_t board_static_bytes(void); /* of RAM: data and zeroed */

#endif
