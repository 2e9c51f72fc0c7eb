#include "blocksample.h"

#include "../base/rng.h"

static uint32_t blocks_of(const QcQNode *node) { return (node->channels + QC_BLOCK_CHANNELS - 1u) / QC_BLOCK_CHANNELS; }

static uint32_t codes_of_block(const QcQNode *node, uint32_t block)
{
    uint32_t left = node->channels - block * QC_BLOCK_CHANNELS, row = node->n_codes / node->channels;
    return (left < QC_BLOCK_CHANNELS ? left : QC_BLOCK_CHANNELS) * row;
}

static void cut(QcBlock *block, const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers)
{
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        uint32_t row = node->n_codes / node->channels, first = 0;
        for (uint32_t k = 0; k < blocks_of(node); k++, block++) {
            uint32_t n = codes_of_block(node, k);
            *block = (QcBlock){.layer = (uint16_t)l,
                               .channel = (uint16_t)(k * QC_BLOCK_CHANNELS),
                               .channels = (uint16_t)(n / row),
                               .first = first,
                               .n = n,
                               .start = QC_NOT_SAMPLED};
            first += n;
        }
    }
}

void qc_block_sample_place(QcBlockSample *sample, const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers,
                           uint32_t capacity, QcPlacing *p)
{
    *sample = (QcBlockSample){.capacity = capacity ? capacity : QC_BLOCK_SAMPLE_WEIGHTS};
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        uint32_t largest = codes_of_block(node, 0);
        if (largest > sample->capacity) sample->capacity = largest;
        sample->n_blocks += blocks_of(node);
    }
    if (!n_layers) sample->capacity = 0;
    if (sample->capacity > g->n_codes) sample->capacity = g->n_codes;
    qc_placing_part(p, "blocks of the net");
    sample->blocks = qc_placing_take(p, sample->n_blocks * sizeof *sample->blocks);
    sample->order = qc_placing_take(p, sample->n_blocks * sizeof *sample->order);
    if (p->memory) cut(sample->blocks, g, layers, n_layers);
}

void qc_block_sample_draw(QcBlockSample *sample, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, QC_STREAM_BLOCKS);
    uint32_t room = sample->capacity;
    for (uint32_t i = 0; i < sample->n_blocks; i++) sample->order[i] = i;
    qc_rng_shuffle(&rng, sample->order, sample->n_blocks);
    for (uint32_t i = 0; i < sample->n_blocks; i++) {
        QcBlock *block = &sample->blocks[sample->order[i]];
        int fits = block->n <= room;
        block->start = fits ? 0 : QC_NOT_SAMPLED;
        if (fits) room -= block->n;
    }
    sample->n = 0;
    for (uint32_t i = 0; i < sample->n_blocks; i++) {
        if (sample->blocks[i].start == QC_NOT_SAMPLED) continue;
        sample->blocks[i].start = sample->n;
        sample->n += sample->blocks[i].n;
    }
}
