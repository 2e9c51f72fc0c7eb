/* learn.c - a program that learns, saves and restarts. It simulates the sensor, the flash, and the wearer who labels
 * windows; a firmware has drivers in their place. qc-firmware(7) says how to compile it. */
#include <stdio.h>
#include <string.h>

#include "net.h"

/* Flash: two sectors, erased to ones, written 8 bytes at a time. */
enum { SECTOR = (NET_STATE_BYTES + 4095) / 4096 * 4096 };
static uint8_t cells[2 * SECTOR];

static int flash_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    (void)ctx;
    memcpy(to, cells + at, n);
    return 0;
}

static int flash_erase(void *ctx, uint32_t at)
{
    (void)ctx;
    memset(cells + at, 0xff, SECTOR);
    return 0;
}

static int flash_program(void *ctx, uint32_t at, const void *from, uint32_t n)
{
    (void)ctx;
    memcpy(cells + at, from, n);
    return 0;
}

static const QcFlash flash = {.slot_bytes = SECTOR, .sector_bytes = SECTOR, .page_bytes = 8,
                              .read = flash_read, .erase = flash_erase, .program = flash_program};

/* One window from the sensor, a frame at a time. */
static void record(uint8_t *window)
{
    static uint32_t noise = 1;
    for (uint32_t t = 0; t < NET_STEPS; t++) {
        float values[NET_CHANNELS];
        for (uint32_t c = 0; c < NET_CHANNELS; c++) {
            noise = noise * 1664525 + 1013904223;
            values[c] = (float)(noise >> 16) / 6553.6f - 5.0f;
        }
        net_quantize(window + t * NET_CHANNELS, values, 1);
    }
}

int main(void)
{
    static uint8_t window[NET_WINDOW];
    QcAnswer answer;
    QcAdaptReport report;

    if (net_init()) {
        puts("net.c was made for another lib/device");
        return 1;
    }
    if (net_load_state(&flash) == QC_STATE_LOADED) puts("going on from what was learned");

    for (uint32_t i = 0; i < NET_BATCH; i++) {
        record(window);
        net_observe(&answer, window);
        net_label(answer.number, (uint16_t)(i % NET_CLASSES)); /* what the wearer says, now or later */
    }
    printf("looks like %s\n", net_class_names[answer.class_index]);

    net_adapt(&report);
    printf("%u of %u right, then %u; %u weights stepped\n", (unsigned)report.right_before,
           (unsigned)report.n, (unsigned)report.right_after, (unsigned)report.flips);
    if (net_save_state(&flash)) puts("the flash is worn out");

    net_init(); /* as after a power cut: all that was learned is gone from RAM */
    puts(net_load_state(&flash) == QC_STATE_LOADED ? "and it is all there" : "it is lost");
    return 0;
}
