/* session.h - the calibration session that a firmware and a program on the host run alike, from the same exported model
 * ("model") and the same stream, and what both say about it. The surroundings give say(). */
#ifndef SESSION_H
#define SESSION_H

#include "model.h"

void say(const char *text);

void say_number(const char *before, uint32_t n);
void session_quantize(uint8_t *window, uint32_t example); /* example of the stream as the model takes it */
void session_batch(uint32_t b);  /* learns from one batch of the stream, and says a line about it */
void session_digest(void);       /* a line about the codes and the coreset as they are now */

#endif
