/* board.h - what the processor and QEMU give a firmware: words out, an end, a reset; and how much it uses. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

int main(void);

void say(const char *text);
int board_open(const char *path);                        /* a file of the host, to be read; -1: it cannot be opened */
uint32_t board_read(int file, void *to, uint32_t n);     /* how many bytes came; fewer than n: the file has ended */
_Noreturn void board_exit(int status);
_Noreturn void board_reset(void);
uint32_t board_stack_peak(void);   /* bytes, since the last reset */
uint32_t board_static_bytes(void); /* of RAM: data and zeroed */

#endif
