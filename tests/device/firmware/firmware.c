/* firmware.c - the session on a bare Cortex-M, twice: straight through, and with the power going now and then while the
 * state is being saved. RAM that outlives a reset stands for the flash. Both must end in the same codes, last layer and
 * coreset, which are those of host.c. */
#include "board.h"
#include "kernels/mem.h"
#include "session.h"
#include "stream.h"

enum { SECTOR = 1024, PAGE = 8, SLOT = (MODEL_STATE_BYTES + SECTOR - 1) / SECTOR * SECTOR, BEGUN = 0x51c0de51 };

static struct Kept {
    uint32_t begun, boots;
    uint8_t cells[2 * SLOT];
} kept __attribute__((section(".kept")));

/* ---- the flash ---- */

static uint32_t changed, cut_at; /* bytes since the reset; the power goes after so many (0: it does not) */

static void change(uint8_t *cell, uint8_t to)
{
    if (++changed == cut_at) board_reset();
    *cell = to;
}

static int flash_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    (void)ctx;
    memcpy(to, kept.cells + at, n);
    return 0;
}

static int flash_erase(void *ctx, uint32_t at)
{
    (void)ctx;
    for (uint32_t i = 0; i < SECTOR; i++) change(&kept.cells[at + i], 0xff);
    return 0;
}

static int flash_program(void *ctx, uint32_t at, const void *from, uint32_t n)
{
    (void)ctx;
    const uint8_t *bytes = from;
    /* ones become zeros, never the other way */
    for (uint32_t i = 0; i < n; i++) change(&kept.cells[at + i], kept.cells[at + i] & bytes[i]);
    return 0;
}

static const QcFlash flash = {.slot_bytes = SLOT,
                              .sector_bytes = SECTOR,
                              .page_bytes = PAGE,
                              .read = flash_read,
                              .erase = flash_erase,
                              .program = flash_program};

/* ---- both sessions ---- */

static void straight(void)
{
    for (uint32_t b = 0; b < stream_batches; b++) session_batch(b);
    session_digest();
    say_number("# static ", board_static_bytes());
    say_number(" stack ", board_stack_peak());
    say_number(" planned ", MODEL_MEMORY_BYTES);
    say("\n");
    memset(kept.cells, 0x5a, sizeof kept.cells);
    kept.boots = 0;
    kept.begun = BEGUN;
    board_reset();
}

/* One batch a boot. Of three boots two lose their state on the way to the flash, each at another byte. */
static void interrupted(void)
{
    uint32_t boot = kept.boots++;
    QcStateFound found = model_load_state(&flash);
    uint32_t done = model_learner.counters->adapts;
    if (found != (done ? QC_STATE_LOADED : QC_STATE_NONE) || boot > 3 * stream_batches) {
        say("# the state is lost\n");
        board_exit(1);
    }
    if (done == stream_batches) {
        say_number("# boots ", boot + 1);
        say("\n");
        session_digest();
        board_exit(0);
    }
    /* while writing; while erasing */
    cut_at = boot % 3 == 2 ? 0 : boot % 3 == 1 ? SLOT + 64 + 100 * boot : 1 + 37 * boot;
    say("# ");
    session_batch(done);
    if (model_save_state(&flash)) say("the flash failed\n");
    board_reset();
}

int main(void)
{
    if (model_init()) {
        say("the export and the library do not fit each other\n");
        return 1;
    }
    if (kept.begun == BEGUN) interrupted();
    straight();
    return 1;
}
