/* growing_curve.c - see growing_curve.h. */
#include "growing_curve.h"
#include "csv_table.h"
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 1 << 20 /* bytes that are read at once */ };

struct HnGrowingCurve {
  char *path, *column;
  int64_t most;
  GString *header; /* the first line, "": not read yet */
  dev_t device;    /* of the file that was read */
  ino_t inode;
  off_t end;               /* of the rows that were */
  GArray *steps, *values;  /* double */
  int64_t evaluated, each; /* values so far; one of so many is kept */
};

HnGrowingCurve *hn_growing_curve_new(const char *path, const char *column, int64_t most) {
  HnGrowingCurve *c = g_new0(HnGrowingCurve, 1);
  c->path = g_strdup(path), c->column = g_strdup(column), c->most = most;
  c->header = g_string_new(NULL);
  c->steps = g_array_new(false, false, sizeof(double));
  c->values = g_array_new(false, false, sizeof(double));
  c->each = 1;
  return c;
}

void hn_growing_curve_free(HnGrowingCurve *c) {
  if (!c) return;
  g_free(c->path), g_free(c->column);
  g_string_free(c->header, true);
  g_array_unref(c->steps), g_array_unref(c->values);
  g_free(c);
}

int64_t hn_growing_curve_length(const HnGrowingCurve *c) {
  return c->steps->len;
}

const double *hn_growing_curve_steps(const HnGrowingCurve *c) {
  return (const double *)(const void *)c->steps->data;
}

const double *hn_growing_curve_values(const HnGrowingCurve *c) {
  return (const double *)(const void *)c->values->data;
}

/* As if nothing had been read. */
static void forget(HnGrowingCurve *c) {
  g_string_truncate(c->header, 0);
  c->end = 0;
  g_array_set_size(c->steps, 0), g_array_set_size(c->values, 0);
  c->evaluated = 0, c->each = 1;
}

static void halve(GArray *a) {
  double *x = (double *)(void *)a->data;
  const guint left = (a->len + 1) / 2;
  for (guint i = 0; i < left; i++) x[i] = x[2 * i];
  g_array_set_size(a, left);
}

/* Returns whether points that were there before have gone. */
static bool add(HnGrowingCurve *c, double step, double value) {
  if (c->evaluated++ % c->each) return false;
  g_array_append_val(c->steps, step), g_array_append_val(c->values, value);
  if (hn_growing_curve_length(c) < c->most) return false;
  halve(c->steps), halve(c->values);
  c->each *= 2;
  return true;
}

/* The points of whole rows. */
static bool take(HnGrowingCurve *c, const char *rows, gsize length) {
  g_autoptr(GString) text = g_string_new(c->header->str);
  g_string_append_len(text, rows, (gssize)length);
  HnTable *t = hn_table_parse(c->path, text->str, text->len, NULL);
  const int64_t x = hn_table_find(t, "frames"), y = hn_table_find(t, c->column);
  bool thinned = false;
  for (int64_t i = 0; x >= 0 && y >= 0 && i < t->rows; i++) {
    const double step = hn_table_at(t, i, x), value = hn_table_at(t, i, y);
    if (isfinite(step) && isfinite(value)) thinned |= add(c, step, value);
  }
  hn_table_free(t);
  return thinned;
}

/* Takes the whole lines of what follows the rows that were read, the header first.  Returns how
 * many bytes that were, and sets *thinned where points have gone; a line longer than a part ends
 * the table. */
static gsize take_part(HnGrowingCurve *c, int fd, char *part, bool *thinned) {
  const ssize_t got = pread(fd, part, PART, c->end);
  const char *last = got > 0 ? memrchr(part, '\n', (gsize)got) : NULL;
  if (!last) return 0;
  const char *rows = part;
  if (!c->header->len) {
    rows = (const char *)memchr(part, '\n', (gsize)got) + 1;
    g_string_append_len(c->header, part, rows - part);
  }
  const gsize length = (gsize)(last + 1 - part);
  if (last + 1 > rows) *thinned |= take(c, rows, (gsize)(last + 1 - rows));
  c->end += (off_t)length;
  return length;
}

int64_t hn_growing_curve_look(HnGrowingCurve *c) {
  int64_t before = hn_growing_curve_length(c);
  const int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat file = {0};
  const bool found = fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
  if (!found || file.st_dev != c->device || file.st_ino != c->inode || file.st_size < c->end) {
    forget(c);
    before = 0;
    c->device = file.st_dev, c->inode = file.st_ino;
  }
  bool thinned = false;
  if (found && file.st_size > c->end) {
    g_autofree char *part = g_malloc(PART);
    while (take_part(c, fd, part, &thinned)) {
    }
  }
  if (fd >= 0) close(fd);
  return thinned ? 0 : before;
}
