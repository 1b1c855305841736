/* goals.c - MT19937 as numpy.random.seed and uniform use it. */
#include "goals.h"
#include <math.h>
#include <string.h>

enum { WORDS = 624, MIDDLE = 397 };

typedef struct Twister {
  uint32_t word[WORDS];
  int used;
} Twister;

static void seed_twister(Twister *t, uint32_t seed) {
  for (int k = 0; k < WORDS; k++) {
    t->word[k] = seed;
    seed = 1812433253u * (seed ^ seed >> 30) + (uint32_t)k + 1;
  }
  t->used = WORDS;
}

static void twist(Twister *t) {
  for (int k = 0; k < WORDS; k++) {
    uint32_t y = (t->word[k] & 0x80000000u) | (t->word[(k + 1) % WORDS] & 0x7fffffffu);
    t->word[k] = t->word[(k + MIDDLE) % WORDS] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
  }
  t->used = 0;
}

static uint32_t next_word(Twister *t) {
  if (t->used == WORDS) twist(t);
  uint32_t y = t->word[t->used++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9d2c5680u;
  y ^= y << 15 & 0xefc60000u;
  return y ^ y >> 18;
}

/* In [0, 1), 53 bits. */
static double next_unit(Twister *t) {
  uint32_t a = next_word(t) >> 5, b = next_word(t) >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}

static bool is_too_close(const HnMwTask *task, const double *x) {
  double goal_x = task->from_fixed ? 0 : x[3], goal_y = task->from_fixed ? 0.84 : x[4];
  double dx = x[0] - goal_x, dy = x[1] - goal_y;
  return task->apart > 0 && sqrt(dx * dx + dy * dy) < task->apart;
}

static void draw(Twister *t, const HnMwTask *task, double *x) {
  do {
    for (int k = 0; k < task->count; k++)
      x[k] = task->low[k] + (task->high[k] - task->low[k]) * next_unit(t);
  } while (is_too_close(task, x));
}

void hn_mw_draw_goals(uint32_t seed, int tasks, const int *list, double *goal) {
  Twister t;
  seed_twister(&t, seed);
  memset(goal, 0, sizeof(double) * (size_t)(tasks * HN_MW_GOALS * HN_MW_RAND));
  for (int k = 0; k < tasks; k++)
    for (int g = 0; g < HN_MW_GOALS; g++, goal += HN_MW_RAND) {
      draw(&t, &hn_mw_tasks[list[k]], goal);
      draw(&t, &hn_mw_tasks[list[k]], goal);
    }
}
