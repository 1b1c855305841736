/* view.h - what the policy sees of a row's posteriors. */
#ifndef HN_GLIBRL_VIEW_H
#define HN_GLIBRL_VIEW_H
#include "glibrl.h"

/* Width of the view.  [create] */
int64_t glibrl_view_dim(const Glibrl *g);

/* A view and the memory that writing it takes, in scratch. */
typedef struct GlibrlView {
  const Glibrl *g;
  int64_t dim, live;               /* width; live columns */
  double transition_nu, reward_nu; /* nu0 */
  double *mean, *square;           /* [D, m]; [side, side], the larger of D and m */
} GlibrlView;

GlibrlView glibrl_view_open(const Glibrl *g);

/* Writes the view of a row: means first, then what tells how sure they are.  to [dim]. */
void glibrl_view_write(const GlibrlView *v, const char *row, float *to);
#endif
