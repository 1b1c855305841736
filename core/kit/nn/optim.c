/* optim.c - Adam and the clip of a gradient's norm. */
#include "hunch/kit/nn.h"
#include "kernels.h"
#include <math.h>

double hn_clip_scale(double norm2, double max_norm) {
  if (!isfinite(norm2)) return (double)NAN;
  return max_norm > 0 && norm2 > max_norm * max_norm ? max_norm / sqrt(norm2) : 1;
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
  for (int64_t i = 0; i < s->count; i++) {
    const HnTensor *p = &s->tensor[i];
    hn_kernels()->adam(p->rows * p->cols, &rates, p->data, p->grad, p->m1, p->m2);
  }
  hn_store_refresh(s);
}
