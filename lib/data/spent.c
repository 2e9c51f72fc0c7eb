#include "spent.h"

#include "../base/arena.h"

static void give_back(QcSpent *spent)
{
    qc_give_back((void *)(uintptr_t)spent->from, (size_t)(spent->to - spent->from));
    spent->from = spent->to;
}

/* In an arena, pieces of one block lie less than 64 bytes apart, pieces of two blocks farther. */
void qc_spent_add(QcSpent *spent, const float *own, const float *x, uint64_t n)
{
    enum { PIECE = 1 << 20, GAP = 64 };
    const char *at = (const char *)x;
    if (!spent->to || own != spent->own || at < spent->to || at - spent->to >= GAP) {
        if (spent->to) give_back(spent);
        spent->from = at;
        spent->own = own;
    }
    spent->to = at + n * sizeof *x;
    if (spent->to - spent->from >= PIECE) give_back(spent);
}
