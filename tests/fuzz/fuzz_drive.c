/* fuzz_drive.c - runs a fuzz target without libFuzzer: on every file of a folder as it is, and on
 * files changed at random, the same ones every time.  A crash names the input; FUZZ_ONLY=NUMBER
 * runs that one again, FUZZ_INPUTS=COUNT more than a test has time for. */
#include "fuzz.h"
#include <hunch/rng.h>
#include <signal.h>
#include <unistd.h>

static GPtrArray *corpus; /* GByteArray *: seeds, in the order of their names */
static GPtrArray *words;  /* char *: of the dictionary */
static char running[64];  /* how to run this input again */

static void crashed(int number) {
  (void)!write(STDERR_FILENO, running, strlen(running));
  signal(number, SIG_DFL), raise(number);
}

static int by_name(gconstpointer a, gconstpointer b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_seeds(const char *folder) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_assert_nonnull(dir);
  for (const char *name; (name = g_dir_read_name(dir));)
    g_ptr_array_add(names, g_build_filename(folder, name, NULL));
  g_ptr_array_sort(names, by_name);
  for (guint i = 0; i < names->len; i++) {
    char *text;
    gsize length;
    g_assert_true(g_file_get_contents(names->pdata[i], &text, &length, NULL));
    g_ptr_array_add(corpus, g_byte_array_new_take((guint8 *)text, length));
  }
  g_assert_cmpuint(corpus->len, >, 0);
}

/* libFuzzer's format: a quoted word a line. */
static void add_words(const char *path) {
  g_autofree char *text = NULL;
  if (!path || !g_file_get_contents(path, &text, NULL, NULL)) return;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++) {
    const gsize n = strlen(*line);
    if (n < 3 || **line != '"') continue;
    g_autofree char *quoted = g_strndup(*line + 1, n - 2);
    g_ptr_array_add(words, g_strcompress(quoted));
  }
}

static void insert(GByteArray *x, gsize at, const void *data, gsize n) {
  g_autofree guint8 *tail = g_memdup2(x->data + at, x->len - at);
  const guint rest = x->len - (guint)at;
  g_byte_array_set_size(x, (guint)at);
  g_byte_array_append(x, data, (guint)n), g_byte_array_append(x, tail, rest);
}

static gsize below(HnRng *rng, gsize n) {
  return n ? (gsize)hn_rng_below(rng, (int64_t)n) : 0;
}

/* The word or number around a place: its length, `at` moved to its beginning. */
static gsize token(const GByteArray *x, gsize *at) {
  static const char inside[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.+-";
  gsize end = *at;
  while (end < x->len && x->data[end] && strchr(inside, x->data[end])) end++;
  while (*at > 0 && x->data[*at - 1] && strchr(inside, x->data[*at - 1])) (*at)--;
  return end - *at;
}

/* Puts a telling word, or one of a seed, in the place of one: what is read stays well formed. */
static void change_token(GByteArray *x, gsize at, HnRng *rng, const GByteArray *other) {
  static const char *const telling[] = {
      "0", "-1", "1e309", "9223372036854775807", "1e-300", "7.5", "nan", "inf", "null", "true", ""};
  const char *word = telling[below(rng, G_N_ELEMENTS(telling))];
  gsize from = below(rng, other->len + 1);
  const gsize size = token(other, &from), old = token(x, &at);
  if (old) g_byte_array_remove_range(x, (guint)at, (guint)old);
  if (hn_rng_below(rng, 2))
    insert(x, at, other->data + from, size);
  else
    insert(x, at, word, strlen(word));
}

/* A stretch of x is dropped, repeated, or makes room for what a seed has or for a mark. */
static void change_stretch(GByteArray *x, gsize at, HnRng *rng, const GByteArray *other) {
  static const char *const marks[] = {"[", "{", "}", "\"", "\n", ",", "<", ">", "\xff", "\n\n"};
  const gsize longest = 1 + below(rng, 64), size = below(rng, MIN(x->len - at, longest) + 1);
  const gsize from = below(rng, other->len + 1), most = MIN(other->len - from, 256);
  const char *mark = marks[below(rng, G_N_ELEMENTS(marks))];
  g_autofree guint8 *copy = g_memdup2(x->data + at, size);
  const int64_t how = hn_rng_below(rng, 4);
  if (how != 1 && size) g_byte_array_remove_range(x, (guint)at, (guint)size);
  if (how == 1) insert(x, at, copy, size);
  if (how == 2) insert(x, at, other->data + from, below(rng, most + 1));
  if (how == 3) insert(x, at, mark, strlen(mark));
}

static void change(GByteArray *x, HnRng *rng) {
  const GByteArray *other = corpus->pdata[below(rng, corpus->len)];
  const gsize at = below(rng, x->len + 1);
  const char *word = words->len ? words->pdata[below(rng, words->len)] : "";
  switch (hn_rng_below(rng, 10)) {
  case 0:
    if (at < x->len) x->data[at] ^= (guint8)(1u << hn_rng_below(rng, 8));
    break;
  case 1:
    if (at < x->len) x->data[at] = (guint8)hn_rng_below(rng, 256);
    break;
  case 2:
    g_byte_array_set_size(x, (guint)at);
    break;
  case 3:
    insert(x, at, word, strlen(word));
    break;
  case 4:
  case 5:
    change_stretch(x, at, rng, other);
    break;
  default:
    change_token(x, at, rng, other);
  }
}

static HnRng rng; /* of the input that is made */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
  g_autoptr(GByteArray) x = g_byte_array_new();
  if (size) g_byte_array_append(x, data, (guint)size);
  change(x, &rng);
  const size_t length = MIN(x->len, most);
  if (length) memcpy(data, x->data, length); /* nothing has no address */
  return length;
}

/* As the target itself changes it. */
static void change_by_target(GByteArray *x) {
  const gsize size = x->len, most = 2 * size + 4096;
  const unsigned seed = (unsigned)hn_rng_below(&rng, G_MAXUINT32);
  g_byte_array_set_size(x, (guint)most);
  g_byte_array_set_size(x, (guint)LLVMFuzzerCustomMutator(x->data, size, most, seed));
}

static void try_changed(int64_t number) {
  rng = hn_rng(2024, (uint64_t)number);
  const GByteArray *seed = corpus->pdata[below(&rng, corpus->len)];
  g_autoptr(GByteArray) x = g_byte_array_new();
  g_byte_array_append(x, seed->data, seed->len);
  for (int64_t n = 1 + hn_rng_below(&rng, 4); n > 0; n--) {
    if (LLVMFuzzerCustomMutator)
      change_by_target(x);
    else
      change(x, &rng);
  }
  g_snprintf(running, sizeof running, "# FUZZ_ONLY=%" G_GINT64_FORMAT " crashes\n", number);
  LLVMFuzzerTestOneInput(x->data, x->len);
}

static void test_seeds(void) {
  for (guint i = 0; i < corpus->len; i++) {
    const GByteArray *x = corpus->pdata[i];
    LLVMFuzzerTestOneInput(x->data, x->len);
  }
  LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
}

static void test_changed(void) {
  const char *only = g_getenv("FUZZ_ONLY"), *count = g_getenv("FUZZ_INPUTS");
  const int64_t first = only ? g_ascii_strtoll(only, NULL, 10) : 0;
  const int64_t inputs = only ? 1 : count ? g_ascii_strtoll(count, NULL, 10) : 3000;
  for (int64_t i = first; i < first + inputs; i++) try_changed(i);
}

/* NAME FOLDER [DICTIONARY] */
int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_assert_cmpint(argc, >=, 3);
  corpus = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
  words = g_ptr_array_new_with_free_func(g_free);
  add_seeds(argv[2]), add_words(argc > 3 ? argv[3] : NULL);
  signal(SIGABRT, crashed), signal(SIGSEGV, crashed), signal(SIGTRAP, crashed);
  LLVMFuzzerInitialize(&argc, &argv);
  g_autofree char *seeds = g_strdup_printf("/fuzz/%s/seeds", argv[1]);
  g_autofree char *changed = g_strdup_printf("/fuzz/%s/changed", argv[1]);
  g_test_add_func(seeds, test_seeds), g_test_add_func(changed, test_changed);
  const int code = g_test_run();
  g_ptr_array_unref(corpus), g_ptr_array_unref(words);
  return code;
}
