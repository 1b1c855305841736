/* experience.c - see experience.h. */
#include "experience.h"
#include "pages.h"
#include <string.h>

static const struct {
  const char *label;
  HnType type;
  gsize at; /* of the pointer in HnHistory */
} field[HN_FIELDS] = {
    [HN_F_BEGIN] = {"begin", HN_U8, offsetof(HnHistory, begin)},
    [HN_F_OBS] = {"obs", HN_F32, offsetof(HnHistory, obs)},
    [HN_F_TASK] = {"task", HN_F32, offsetof(HnHistory, task)},
    [HN_F_BELIEF] = {"belief", HN_F32, offsetof(HnHistory, belief)},
    [HN_F_ACTION] = {"action", HN_F32, offsetof(HnHistory, action)},
    [HN_F_ACTION_INDEX] = {"action_index", HN_I32, offsetof(HnHistory, action_index)},
    [HN_F_REWARD] = {"reward", HN_F32, offsetof(HnHistory, reward)},
    [HN_F_TRUE_REWARD] = {"true_reward", HN_F32, offsetof(HnHistory, true_reward)},
    [HN_F_NEXT_OBS] = {"next_obs", HN_F32, offsetof(HnHistory, next_obs)},
    [HN_F_TERMINATED] = {"terminated", HN_U8, offsetof(HnHistory, terminated)},
    [HN_F_TRUNCATED] = {"truncated", HN_U8, offsetof(HnHistory, truncated)},
    [HN_F_AUX] = {"aux", HN_F32, offsetof(HnHistory, aux)},
};

const char *hn_field_label(HnExperienceField f) {
  return field[f].label;
}
HnType hn_field_type(HnExperienceField f) {
  return field[f].type;
}

/* The pointers of a history differ in type, so they are copied as bytes. */
static char *get(const HnHistory *h, HnExperienceField f) {
  char *p;
  return memcpy(&p, (const char *)h + field[f].at, sizeof p), p;
}
static void put(HnHistory *h, HnExperienceField f, const char *p) {
  memcpy((char *)h + field[f].at, &p, sizeof p);
}

enum { LINE = 64 }; /* bytes; every array begins at a multiple */

static gsize in_lines(gsize bytes) {
  return (bytes + LINE - 1) & ~(gsize)(LINE - 1);
}

void hn_experience_make(HnExperience *w, const HnShape *s, int64_t steps, int64_t rows,
                        int64_t samples) {
  int64_t S = MAX(samples, 1);
  gsize elements = (gsize)((steps + 2) * rows), total = in_lines((gsize)rows * s->belief_row);
  *w = (HnExperience){.shape = *s};
  w->h = (HnHistory){
      .struct_size = sizeof w->h, .steps = steps, .rows = rows, .stride = rows, .samples = samples};
  const int64_t count[HN_FIELDS] = {[HN_F_BEGIN] = 1,          [HN_F_OBS] = s->obs,
                                    [HN_F_TASK] = s->task,     [HN_F_BELIEF] = S * s->belief,
                                    [HN_F_ACTION] = s->action, [HN_F_ACTION_INDEX] = 1,
                                    [HN_F_REWARD] = 1,         [HN_F_TRUE_REWARD] = 1,
                                    [HN_F_NEXT_OBS] = s->obs,  [HN_F_TERMINATED] = 1,
                                    [HN_F_TRUNCATED] = 1,      [HN_F_AUX] = s->aux};
  for (int f = 0; f < HN_FIELDS; f++) {
    w->size[f] = (gsize)count[f] * hn_type_size(field[f].type);
    total += in_lines(elements * w->size[f]);
  }
  char *base = w->memory = hn_lent_new(total, &w->lent);
  for (int f = 0; f < HN_FIELDS; f++) {
    put(&w->h, f, base + (gsize)rows * w->size[f]);
    base += in_lines(elements * w->size[f]);
  }
  w->h.state = base;
  w->belief_rng = hn_zeros((gsize)rows * sizeof *w->belief_rng);
  w->task_index = hn_zeros((gsize)((steps + 1) * rows) * sizeof(int64_t));
  w->env_info = hn_zeros((gsize)((steps + 1) * rows) * s->env_infos * sizeof(float));
  w->belief_info = hn_zeros((gsize)((steps + 1) * rows) * s->belief_infos * sizeof(float));
  w->policy_info = hn_zeros((gsize)((steps + 1) * rows) * s->policy_infos * sizeof(float));
}

void hn_experience_free(HnExperience *w) {
  hn_lent_free(w->memory, w->lent);
  hn_zeros_free(w->belief_rng), hn_zeros_free(w->task_index), hn_zeros_free(w->env_info);
  hn_zeros_free(w->belief_info), hn_zeros_free(w->policy_info);
  *w = (HnExperience){.memory = NULL};
}

void *hn_experience_at(const HnExperience *w, HnExperienceField f, int64_t t, int64_t row) {
  return get(&w->h, f) + hn_at(&w->h, t, row) * (int64_t)w->size[f];
}

const void *hn_experience_lent(const HnExperience *w, HnExperienceField f, int64_t t, int64_t row) {
  return (const char *)hn_experience_at(w, f, t, row) + w->lent;
}

HnHistory hn_experience_view(const HnExperience *w, const HnInstance *reader, int64_t t,
                             int64_t first, int64_t steps, int64_t rows) {
  HnHistory v = w->h;
  for (int f = 0; f < HN_FIELDS; f++) put(&v, f, hn_experience_lent(w, f, t, first));
  v.steps = steps, v.rows = rows;
  v.state = (const char *)w->h.state + w->lent + (gsize)first * w->shape.belief_row;
  if (!(reader->plugin->flags & HN_PRIVILEGED)) v.task = NULL;
  return v;
}

HnHistory hn_history_rows(const HnHistory *h, const HnExperience *w, int64_t first, int64_t rows) {
  HnHistory v = *h;
  for (int f = 0; f < HN_FIELDS; f++) {
    const char *p = get(h, f);
    const gsize size = f == HN_F_BELIEF
                           ? (gsize)(MAX(h->samples, 1) * w->shape.belief) * sizeof(float)
                           : w->size[f];
    if (p) put(&v, f, p + (gsize)first * size);
  }
  if (h->state) v.state = (const char *)h->state + (gsize)first * w->shape.belief_row;
  if (h->length) v.length = h->length + first;
  v.rows = rows;
  return v;
}

void hn_experience_carry(const HnExperience *from, HnExperience *to) {
  gsize rows = (gsize)to->h.rows;
  for (int f = 0; f < HN_FIELDS; f++)
    memcpy(hn_experience_at(to, f, -1, 0), hn_experience_at(from, f, from->h.steps - 1, 0),
           2 * rows * to->size[f]);
  memcpy(to->task_index, from->task_index + from->h.steps * from->h.rows, rows * sizeof(int64_t));
}

void hn_experience_gather(const HnExperience *from, HnExperience *to, int64_t n,
                          const int64_t *index) {
  int64_t steps = from->h.steps;
  for (int f = 0; f < HN_FIELDS; f++) {
    /* arrays start at (-1, 0): with n rows, t = 0 is n elements further */
    gsize size = to->size[f];
    char *start = (char *)get(&to->h, f) - (gsize)to->h.stride * size;
    put(&to->h, f, start + (gsize)n * size);
    char *out = start;
    for (int64_t t = -1; t <= steps; t++)
      for (int64_t i = 0; i < n; i++, out += size)
        memcpy(out, hn_experience_at(from, f, t, index[i]), size);
  }
  gsize row = to->shape.belief_row;
  for (int64_t i = 0; i < n; i++) {
    memcpy((char *)(guintptr)to->h.state + (gsize)i * row,
           (const char *)from->h.state + (gsize)index[i] * row, row);
    to->belief_rng[i] = from->belief_rng[index[i]];
  }
  to->h.rows = to->h.stride = n;
}

int64_t hn_kept_row(int64_t rows, int64_t kept, int64_t k) {
  return (2 * k + 1) * rows / (2 * kept);
}
