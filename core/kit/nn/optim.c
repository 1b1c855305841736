/* optim.c - Adam and the clip of a gradient's norm. */
#include "hunch/kit/nn.h"
#include "kernels.h"
#include "store_chunks.h"
#include <math.h>

double hn_clip_scale(double norm2, double max_norm) {
  if (!isfinite(norm2)) return (double)NAN;
  return max_norm > 0 && norm2 > max_norm * max_norm ? max_norm / sqrt(norm2) : 1;
}

static void step_chunk(const void *rates, const HnTensor *p, int64_t from, int64_t count) {
  hn_kernels()->adam(count, rates, p->data + from, p->grad + from, p->m1 + from, p->m2 + from);
}

void hn_adam_step(HnStore *s, const HnAdam *a, double scale, double rate) {
  const double steps = (double)++*s->clock, lr = a->lr * rate;
  const HnAdamRates rates = {.scale = (float)scale,
                             .mix1 = (float)(1 - a->beta1),
                             .mix2 = (float)(1 - a->beta2),
                             .step = (float)(lr / (1 - pow(a->beta1, steps))),
                             .spread = (float)(1 / sqrt(1 - pow(a->beta2, steps))),
                             .eps = (float)a->eps,
                             .keep = (float)(1 - lr * a->weight_decay)};
  hn_store_each(s, step_chunk, &rates);
  hn_store_refresh(s);
}
