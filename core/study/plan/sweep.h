/* sweep.h - `sweep:` of a study: arms that differ in the values of parameters, by which arms of the
 * file (or the base, where it has none) are replaced.
 *
 *   sweep:
 *     method: grid              every combination; zip: the i-th value of each parameter; random or
 *                               sobol: `draws` settings, drawn from the study's root
 *     arms: [glibrl]            those that are swept; default: all
 *     parameters:
 *       policy.lr: {from: 1e-4, to: 1e-2, count: 3, scale: log}
 *       inference.noise: [inferred, fixed]
 *
 * Each is an arm like any other, named by its values: glibrl_lr=1e-3_noise=fixed.  An arm that
 * starts from the weights of a swept arm, and is swept too, starts from that of its own values.
 * Which settings random and sobol draw depends on the file alone: on `seeds.root` as it says. */
#ifndef HN_SWEEP_H
#define HN_SWEEP_H
#include "halving.h"

#define HN_SWEEP_PARAMS(X)                                                                       \
  X(choice, method, "",                                                                          \
    "Settings made of the values: grid, every combination; zip, the i-th value of each; random " \
    "and sobol, draws from seeds.root.",                                                         \
    "grid", "grid|zip|random|sobol")                                                             \
  X(int, draws, "", "Settings that random and sobol draw, each only once.", 16, 1, 1000)
/* X(name, form, doc): the keys of the block that hold more than a value. */
#define HN_SWEEP_KEYS(X)                                                                       \
  X(arms, "[ARM, ..]", "Arms that are swept; none: all, or the base where there are no arms.") \
  X(parameters, "{BLOCK.KEY: VALUES, ..}",                                                     \
    "Values by parameter: a list, or {from: 1e-4, to: 1e-2, count: 5, scale: log}; without "   \
    "count to be drawn from.")                                                                 \
  X(halving, "{root: N, at: [FRAMES, ..], keep: 0.5, metric: COLUMN}",                         \
    "Search by successive halving: at each number of frames the best share of the arms goes on.")
enum { HN_SWEEP_GRID, HN_SWEEP_ZIP, HN_SWEEP_RANDOM, HN_SWEEP_SOBOL };
HnSchema hn_sweep_schema(void);

typedef struct HnSweepKey {
  const char *name, *form, *doc;
} HnSweepKey;
/* Up to one without a name. */
extern const HnSweepKey hn_sweep_keys[];

/* What a study keeps of its sweep. */
typedef struct HnSweep {
  GPtrArray *parameters; /* HnNode *: "policy.lr", where it stands */
  GHashTable *origins;   /* name of an arm that it made -> that of the swept one */
  HnHalving *halving;    /* NULL: all arms train to the end */
} HnSweep;

/* Replaces the swept arms in the tree of a study that has the key `sweep`; root: seeds.root as the
 * file says.  NULL, with findings, where it cannot be used; what it is about stays as it was. */
HnSweep *hn_sweep_expand(HnNode *study, int64_t root, HnDiag *d);
void hn_sweep_free(HnSweep *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnSweep, hn_sweep_free)
/* Findings for overrides of what is swept, and of the frames of a search; blocks: a map of blocks
 * that are laid over arms, swept: whether over swept ones. */
void hn_sweep_check_overrides(const HnSweep *s, const HnNode *blocks, bool swept, HnDiag *d);
#endif
