/* cover.h - facility location, the submodular function by which representatives are chosen.
 *
 * f(S) = sum over i of max(0, max over j in S of s[i][j]), s >= 0: how well every example is represented by the nearest
 * one chosen. f is monotone and submodular, so that choosing greedily comes to at least (1 - 1/e) of the best f of any
 * S of that size (Nemhauser, Wolsey and Fisher, 1978).
 */
#ifndef QC_LAB_COVER_H
#define QC_LAB_COVER_H

#include <stdint.h>

/* Takes k of the candidates (may[j] = 1; all if there are fewer), each time the one that adds most, the first of
 * equals: chosen [k] in that order; returns how many. similarity [n][n]. covered [n]: what is covered already, 0 if
 * nothing is chosen; afterwards what the chosen cover, too. may is cleared for the chosen. */
uint32_t qc_cover_choose(uint32_t *chosen, float *covered, uint8_t *may, const float *similarity, uint32_t n,
                         uint32_t k);

/* weight [n]: of chosen j the number of examples that it represents best (the first of equals), 0 of others. Examples
 * that resemble no chosen example are not counted. */
void qc_cover_weights(float *weight, const uint32_t *chosen, uint32_t n_chosen, const float *similarity, uint32_t n);

#endif
