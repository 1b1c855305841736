/* experience.h - the arrays of experience behind an HnHistory: made, viewed, carried, gathered. */
#ifndef HN_EXPERIENCE_H
#define HN_EXPERIENCE_H
#include "instance.h"

/* The sizes that a cell's plugins agreed on. */
typedef struct HnShape {
  int64_t obs, action, task, belief, aux; /* floats a row */
  gsize env_row, belief_row, policy_row;  /* bytes of row memory */
  guint env_infos, belief_infos, policy_infos;
} HnShape;

/* The arrays of a history in one table, so that making, gathering, carrying and saving are loops
 * over it. */
typedef enum HnExperienceField {
  HN_F_BEGIN,
  HN_F_OBS,
  HN_F_TASK,
  HN_F_BELIEF,
  HN_F_ACTION,
  HN_F_ACTION_INDEX,
  HN_F_REWARD,
  HN_F_TRUE_REWARD,
  HN_F_NEXT_OBS,
  HN_F_TERMINATED,
  HN_F_TRUNCATED,
  HN_F_AUX,
  HN_FIELDS
} HnExperienceField;

/* The host's arrays of a window.  Plugins get them at addresses that cannot be written to. */
typedef struct HnExperience {
  HnHistory h; /* [T+1, B] observations, [T, B] steps; index -1 of every array exists */
  HnShape shape;
  char *memory;                                /* of all arrays of h */
  gsize lent;                                  /* bytes from an address of h to that lent */
  gsize size[HN_FIELDS];                       /* bytes of one element of each field */
  HnRng *belief_rng;                           /* [B] streams with which the window began */
  int64_t *task_index;                         /* [T+1, B] number of the task, or -1 */
  float *env_info, *belief_info, *policy_info; /* [T, B], [T+1, B], [T, B] times their columns */
} HnExperience;

const char *hn_field_label(HnExperienceField f);
HnType hn_field_type(HnExperienceField f);

void hn_experience_make(HnExperience *w, const HnShape *shape, int64_t steps, int64_t rows,
                        int64_t samples);
void hn_experience_free(HnExperience *w);
/* Address of element (t, row) of a field; t from -1.  The second is the one that plugins may have.
 */
void *hn_experience_at(const HnExperience *w, HnExperienceField f, int64_t t, int64_t row);
const void *hn_experience_lent(const HnExperience *w, HnExperienceField f, int64_t t, int64_t row);
/* `rows` rows from `first` and `steps` steps from observation t, as `reader` may see them: to read
 * only, and the true task only if it is privileged. */
HnHistory hn_experience_view(const HnExperience *w, const HnInstance *reader, int64_t t,
                             int64_t first, int64_t steps, int64_t rows);
/* `rows` rows from `first` of a history that a learner made, of elements as large as those of w. */
HnHistory hn_history_rows(const HnHistory *h, const HnExperience *w, int64_t first, int64_t rows);
/* Copies the last observation of `from`, and the step before it, to the start of `to`. */
void hn_experience_carry(const HnExperience *from, HnExperience *to);
/* Copies rows index[0 .. n) of `from` into the dense window `to` (room for n rows). */
void hn_experience_gather(const HnExperience *from, HnExperience *to, int64_t n,
                          const int64_t *index);
/* The k-th of `kept` rows spread evenly over `rows`: those that an evaluation records. */
int64_t hn_kept_row(int64_t rows, int64_t kept, int64_t k);
#endif
