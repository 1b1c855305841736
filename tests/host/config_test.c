/* config_test.c - what is said about a bad configuration, word for word, and that a good one is
 * read as meant. */
#include <hunch/rng.h>
#include <math.h>
#include <params.h>
#include <string.h>

#define TABLE(X)                                                         \
  X(real, lr, "", "Step size.", 0.001, 0, 1)                             \
  X(int, rows, "", "Rows.", 16, 1, 65536)                                \
  X(int, frames, "step", "Length.", 100000, 0, 1e15)                     \
  X(flag, greedy, "", "No exploration.", 1)                              \
  X(text, split, "", "Split.", "")                                       \
  X(choice, noise, "", "Noise.", "inferred", "inferred|fixed|heuristic") \
  X(real, mass, "kg", "Mass.", 1, 0.01, INFINITY)
HN_PARAMS(TABLE);
static const HnSchema schema = {
    "run",           hn_this_params,       G_N_ELEMENTS(hn_this_params) - 1,
    sizeof(HnParam), sizeof(HnThisParams), "step_size:lr weight:mass"};

/* Reads `text` as f.yaml and fills p; the findings. */
static char *findings(const char *text, gssize length, HnThisParams *p) {
  HnDiag *d = hn_diag_new();
  HnNode *n = hn_yaml_parse("f.yaml", text, length < 0 ? strlen(text) : (gsize)length, d);
  HnThisParams unused;
  if (n) hn_params_fill(&schema, n, NULL, p ? p : &unused, d);
  char *all = hn_diag_text(d);
  hn_node_free(n);
  hn_diag_free(d);
  return all;
}

static void says(const char *text, const char *expected) {
  g_autofree char *all = findings(text, -1, NULL);
  g_assert_cmpstr(all, ==, expected);
}

static void test_messages(void) {
  static const char *const table[][2] = {
      {"rows: 4\nlrr: 0.1\n", "f.yaml:2:1: error: run: unknown key 'lrr'; did you mean 'lr'?\n"},
      {"step_size: 1\n",
       "f.yaml:1:1: error: run: unknown key 'step_size'; it is now called 'lr'\n"},
      {"banana: 1\n", "f.yaml:1:1: error: run: unknown key 'banana'; valid: lr, rows, frames, "
                      "greedy, split, noise, mass\n"},
      {"lr: 0.1\nrows: 2\nlr: 0.2\n",
       "f.yaml:3:1: error: duplicate key 'lr'; it is already at line 1, column 1\n"},
      {"lr: fast\n", "f.yaml:1:5: error: 'lr: fast': expected a number in [0, 1]\n"},
      {"lr: 2\n", "f.yaml:1:5: error: 'lr: 2' is out of range: expected a number in [0, 1]\n"},
      {"lr: '0.1'\n", "f.yaml:1:5: error: 'lr: \"0.1\"': expected a number in [0, 1], without "
                      "quotes\n"},
      {"lr:\n", "f.yaml:1:4: error: 'lr:': expected a number in [0, 1], but there is nothing\n"},
      {"lr: [1]\n", "f.yaml:1:5: error: 'lr:': expected a number in [0, 1], not a list\n"},
      {"split: {a: b}\n", "f.yaml:1:8: error: 'split:': expected text, not a map\n"},
      {"rows: 1.5\n",
       "f.yaml:1:7: error: 'rows: 1.5': expected an integer in [1, 65536], not a fraction\n"},
      {"rows: 010\n", "f.yaml:1:7: error: 'rows: 010': expected an integer in [1, 65536], without "
                      "leading zeros\n"},
      {"frames: 100_000\n",
       "f.yaml:1:9: error: 'frames: 100_000': expected an integer in [0, 1e15] "
       "step, without underscores\n"},
      {"mass: 0\n",
       "f.yaml:1:7: error: 'mass: 0' is out of range: expected a number of at least 0.01 kg\n"},
      {"greedy: yes\n", "f.yaml:1:9: error: 'greedy: yes': expected true or false\n"},
      {"greedy: 'true'\n",
       "f.yaml:1:9: error: 'greedy: \"true\"': expected true or false, without quotes\n"},
      {"noise: fixd\n", "f.yaml:1:8: error: 'noise: fixd': expected one of inferred, fixed, "
                        "heuristic; did you mean 'fixed'?\n"},
      {"noise: other\n",
       "f.yaml:1:8: error: 'noise: other': expected one of inferred, fixed, heuristic\n"},
      {"- lr\n", "f.yaml:1:1: error: run: expected a map of keys and values, not a list\n"},
      {"", "f.yaml: error: empty file\n"},
      {"# only words\n", "f.yaml: error: empty file\n"},
      {"---\n", "f.yaml:2:1: error: run: expected a map of keys and values, not nothing; {} is an "
                "empty one\n"},
      {"lr: 1\n---\nlr: 1\n", "f.yaml:2:1: error: a second document: a file holds one\n"},
      {"lr: &a 1\nmass: *a\n",
       "f.yaml:1:5: error: anchor '&a': anchors are not read; arms say what differs\n"
       "f.yaml:2:7: error: alias '*a': aliases are not read; arms say what differs\n"
       "f.yaml:2:7: error: 'mass:': expected a number of at least 0.01 kg, but there is nothing\n"},
      {"<<: {lr: 1}\n", "f.yaml:1:1: error: merge key '<<': not read; arms say what differs\n"},
      {"lr: !!float 1\n", "f.yaml:1:5: error: tag 'tag:yaml.org,2002:float': tags are not read; "
                          "types follow from the key\n"},
      {"? [a]\n: 1\n", "f.yaml:1:3: error: a key must be a word of at most 128 characters\n"},
      {"lr: [1\n", "f.yaml:2:1: error: not YAML: did not find expected ',' or ']', while parsing a "
                   "flow sequence that began at line 1\n"},
      {"lr:\n\t- 1\n", "f.yaml:2:1: error: not YAML: this character cannot start a value, and tabs "
                       "cannot indent\n"},
      {"lr: \"\\0\"\n", "f.yaml:1:5: error: a NUL character in a value\n"
                        "f.yaml:1:5: error: 'lr: \"\"': expected a number in [0, 1], without "
                        "quotes\n"},
      {"lr: \"\\e[31m\"\n", "f.yaml:1:5: error: 'lr: \"\\x1b[31m\"': expected a number in [0, 1], "
                            "without quotes\n"},
      {"# \u00fc \xff\n",
       "f.yaml:1:5: error: not a text file in UTF-8: invalid leading UTF-8 octet\n"},
      {"rows: 4\n\xff: 1\n",
       "f.yaml:2:1: error: not a text file in UTF-8: invalid leading UTF-8 octet\n"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) says(table[i][0], table[i][1]);
}

/* Every finding, in the order of the file, not of its discovery. */
static void test_all_findings(void) {
  says("lr: fast\nrowz: 1\nlr: 3\nnoise: no\n",
       "f.yaml:1:5: error: 'lr: fast': expected a number in [0, 1]\n"
       "f.yaml:2:1: error: run: unknown key 'rowz'; did you mean 'rows'?\n"
       "f.yaml:3:1: error: duplicate key 'lr'; it is already at line 1, column 1\n"
       "f.yaml:4:8: error: 'noise: no': expected one of inferred, fixed, heuristic\n");
}

static void test_random_bytes(void) {
  HnRng r = hn_rng(1, 2);
  gsize n = 1 << 20;
  g_autofree char *bytes = g_malloc(n);
  for (gsize i = 0; i < n; i++) bytes[i] = (char)hn_rng_u32(&r);
  g_autofree char *all = findings(bytes, (gssize)n, NULL);
  g_assert_cmpstr(all, ==,
                  "f.yaml:1:2: error: not a text file in UTF-8: invalid trailing UTF-8 octet\n");
  bytes = g_realloc(bytes, n + 1);
  g_autofree char *larger = findings(bytes, (gssize)n + 1, NULL);
  g_assert_cmpstr(larger, ==,
                  "f.yaml: error: too large: 1048577 bytes, at most 1048576 are read\n");
}

static void test_limits(void) {
  /* nine levels of nine references each: 9^9 values in a reader that expands */
  g_autoptr(GString) bomb = g_string_new("a0: &a0 [x]\n");
  for (int i = 1; i <= 9; i++) {
    g_string_append_printf(bomb, "a%d: &a%d [", i, i);
    for (int j = 0; j < 9; j++) g_string_append_printf(bomb, "*a%d%s", i - 1, j < 8 ? "," : "]\n");
  }
  g_autofree char *all = findings(bomb->str, -1, NULL);
  g_assert_true(g_str_has_prefix(
      all, "f.yaml:1:1: error: run: unknown key 'a0'; valid: lr, rows, frames, greedy, split, "
           "noise, mass\n"
           "f.yaml:1:5: error: anchor '&a0': anchors are not read; arms say what differs\n"
           "f.yaml:2:1: error: run: unknown key 'a1'; valid: lr, rows, frames, greedy, split, "
           "noise, mass\n"
           "f.yaml:2:5: error: anchor '&a1': anchors are not read; arms say what differs\n"
           "f.yaml:2:10: error: alias '*a0': aliases are not read; arms say what differs\n"));
  /* a line for each of 10 keys, 10 anchors, 81 aliases */
  g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
  g_assert_cmpuint(g_strv_length(lines) - 1, ==, 10 + 10 + 81);

  g_autofree char *deep = g_strnfill(100, '[');
  says(deep, "f.yaml:1:65: error: nested more than 64 levels deep\n");
  g_autoptr(GString) many = g_string_new("[");
  for (int i = 0; i < 20000; i++) g_string_append(many, "x,");
  says(many->str, "f.yaml:1:40000: error: too large: more than 20000 keys and values\n");
}

static void file_says(const char *path, const char *expected) {
  HnDiag *d = hn_diag_new();
  g_assert_null(hn_yaml_read(path, d));
  g_autofree char *all = hn_diag_text(d);
  g_assert_cmpstr(all, ==, expected);
  hn_diag_free(d);
}

static void test_files(void) {
  file_says("/no/such/file", "/no/such/file: error: cannot be read: No such file or directory\n");
  file_says("/", "/: error: is a folder\n");
  file_says("/dev/zero", "/dev/zero: error: not a regular file\n");
}

/* A byte order mark is no text, and moves no line or column. */
static void test_mark(void) {
  static const char text[] = "\xef\xbb\xbf"
                             "a: 1\nb: [\n",
                    half[] = "\xef\xbb";
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) whole = hn_yaml_parse("m.yaml", text, 8, d);
  g_assert_cmpstr(hn_node_get(whole, "a")->text, ==, "1");
  g_assert_cmpint(((const HnNode *)whole->keys->pdata[0])->column, ==, 1);
  g_assert_null(hn_yaml_parse("m.yaml", text, strlen(text), d));
  g_assert_null(hn_yaml_parse("h.yaml", half, 2, d));
  g_assert_null(hn_yaml_parse("e.yaml", text, 3, d));
  g_autofree char *findings = hn_diag_text(d);
  g_assert_nonnull(strstr(findings, "m.yaml:3:1: error: not YAML"));
  g_assert_nonnull(strstr(findings, "h.yaml:1:1: error: not a text file in UTF-8"));
  g_assert_nonnull(strstr(findings, "e.yaml: error: empty file"));
}

static void test_nearest(void) {
  static const char *const words[] = {"kl_weight", "lr",      "rows", "evaluation",
                                      "env",       "a_b_c_d", NULL};
  static const char *const table[][2] = {
      {"kl-weight", "kl_weight"},
      {"KL_Weight", "kl_weight"},
      {"lk_weight", "kl_weight"},
      {"kl_wieght", "kl_weight"},
      {"klwgt", NULL},
      {"lrr", "lr"},
      {"l", NULL},
      {"rosw", "rows"},
      {"eval", "evaluation"},
      {"enviroment", "env"},
      {"x", NULL},
      {"", NULL},
      {"gamma", NULL},
      {"A-B-C-D", "a_b_c_d"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(table); i++)
    g_assert_cmpstr(hn_diag_nearest(table[i][0], words), ==, table[i][1]);
  g_autofree char *long_name = g_strnfill(1 << 20, 'a');
  g_assert_null(hn_diag_nearest(long_name, words));
}

static void test_diag(void) {
  HnDiag *d = hn_diag_new();
  hn_diag_add(d, "b", 2, 1, "second");
  hn_diag_add(d, "a", 1, 1, "other file");
  hn_diag_add(d, "b", 1, 9, "first");
  hn_diag_add(d, "b", 2, 1, "%s", "second");
  hn_diag_add(d, "b", 0, 0, "whole");
  hn_diag_add(d, NULL, 0, 0, "nowhere \x1b[0m \xff");
  g_assert_cmpuint(hn_diag_count(d), ==, 5);
  g_autofree char *all = hn_diag_text(d);
  g_assert_cmpstr(all, ==,
                  "error: nowhere \\x1b[0m \xef\xbf\xbd\nb: error: whole\nb:1:9: error: first\n"
                  "b:2:1: error: second\na:1:1: error: other file\n");
  hn_diag_free(d);
}

/* Whether the text is an integer and which; the same for a real. */
static const struct {
  const char *text;
  bool is_int, is_real;
  int64_t i;
  double r;
} number[] = {
    {"0", 1, 1, 0, 0},
    {"-0", 1, 1, 0, 0},
    {"+7", 1, 1, 7, 7},
    {"1e-4", 0, 1, 0, 0.0001},
    {".5", 0, 1, 0, 0.5},
    {"5.", 1, 1, 5, 5},
    {"1e6", 1, 1, 1000000, 1e6},
    {"1E+06", 1, 1, 1000000, 1e6},
    {"1.5e3", 1, 1, 1500, 1500},
    {"1500e-2", 1, 1, 15, 15},
    {"2.50", 0, 1, 0, 2.5},
    {"2.00", 1, 1, 2, 2},
    {"100.0", 1, 1, 100, 100},
    {"0.10e1", 1, 1, 1, 1},
    {"9007199254740993", 1, 1, 9007199254740993, 9007199254740992.0},
    {"9223372036854775807", 1, 1, INT64_MAX, 0x1p63},
    {"9223372036854775808", 0, 1, 0, 0x1p63},
    {"-9223372036854775808", 1, 1, INT64_MIN, -0x1p63},
    {"1e300", 0, 1, 0, 1e300},
    {"1e400", 0, 0, 0, 0},
    {"1e-400", 0, 0, 0, 0},
    {"5e-324", 0, 1, 0, 5e-324},
    {"0e-400", 1, 1, 0, 0},
    {"010", 0, 0, 0, 0},
    {"-08", 0, 0, 0, 0},
    {"0x10", 0, 0, 0, 0},
    {"1_000", 0, 0, 0, 0},
    {"1,5", 0, 0, 0, 0},
    {"12:30", 0, 0, 0, 0},
    {"inf", 0, 0, 0, 0},
    {".inf", 0, 0, 0, 0},
    {"nan", 0, 0, 0, 0},
    {"", 0, 0, 0, 0},
    {".", 0, 0, 0, 0},
    {"-", 0, 0, 0, 0},
    {"e5", 0, 0, 0, 0},
    {"1e", 0, 0, 0, 0},
    {"1e+", 0, 0, 0, 0},
    {"1e5.0", 0, 0, 0, 0},
    {"--1", 0, 0, 0, 0},
    {"1 2", 0, 0, 0, 0},
    {"1e99999999999999999999", 0, 0, 0, 0},
    {"yes", 0, 0, 0, 0},
};

static void test_numbers(void) {
  for (guint k = 0; k < G_N_ELEMENTS(number); k++) {
    HnNode *n = hn_node_text("t", 1, 1, number[k].text);
    int64_t i = 0;
    double r = 0;
    g_test_message("%s", number[k].text);
    g_assert_cmpint(hn_params_int(n, &i) == NULL, ==, number[k].is_int);
    g_assert_cmpint(hn_params_real(n, &r) == NULL, ==, number[k].is_real);
    if (number[k].is_int) g_assert_cmpint(i, ==, number[k].i);
    if (number[k].is_real) g_assert_true(memcmp(&r, &number[k].r, sizeof r) == 0);
    n->quoted = true;
    g_assert_nonnull(hn_params_int(n, &i));
    hn_node_free(n);
  }
}

/* Bounds belong to the range, also where doubles are coarser than integers. */
static void test_bounds(void) {
  HnThisParams p;
  g_autofree char *at = findings("{lr: 1, rows: 65536, frames: 1e15, mass: 0.01}", -1, &p);
  g_assert_cmpstr(at, ==, "");
  g_assert_cmpfloat(p.lr, ==, 1);
  g_assert_cmpint(p.rows, ==, 65536);
  g_assert_cmpint(p.frames, ==, 1000000000000000);
  says("rows: 65537\n",
       "f.yaml:1:7: error: 'rows: 65537' is out of range: expected an integer in [1, 65536]\n");
  says("lr: 1.0000000000000002\n", "f.yaml:1:5: error: 'lr: 1.0000000000000002' is out of range: "
                                   "expected a number in [0, 1]\n");
  HnParam wide = {.name = "root", .kind = HN_INT, .high = 0x1p53};
  HnSchema one = {"seeds", &wide, 1, sizeof wide, sizeof(int64_t), NULL};
  HnDiag *d = hn_diag_new();
  int64_t root;
  HnNode *n = hn_yaml_parse("s", "root: 9007199254740993", 22, d);
  hn_params_fill(&one, n, NULL, &root, d);
  g_autofree char *all = hn_diag_text(d);
  g_assert_cmpstr(all, ==,
                  "s:1:7: error: 'root: 9007199254740993' is out of range: expected an "
                  "integer in [0, 9007199254740992]\n");
  hn_node_free(n);
  hn_diag_free(d);
}

static void test_shortest(void) {
  static const struct {
    double value;
    const char *text;
  } table[] = {{0, "0"},
               {0.1, "0.1"},
               {1e-4, "0.0001"},
               {1e-5, "1e-5"},
               {0.001, "0.001"},
               {100000, "100000"},
               {1e6, "1e6"},
               {1e15, "1e15"},
               {65536, "65536"},
               {-2.5, "-2.5"},
               {1.0 / 3, "0.3333333333333333"},
               {1e100, "1e100"},
               {12345678, "12345678"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *text = hn_params_number(table[i].value);
    g_assert_cmpstr(text, ==, table[i].text);
  }
  HnRng r = hn_rng(5, 6);
  for (int i = 0; i < 20000; i++) {
    double value, back;
    guint64 bits = (guint64)hn_rng_u32(&r) << 32 | hn_rng_u32(&r);
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    HnNode *n = hn_node_text("t", 1, 1, "");
    g_free(n->text);
    n->text = hn_params_number(value);
    g_assert_null(hn_params_real(n, &back));
    g_assert_true(memcmp(&back, &value, sizeof back) == 0);
    hn_node_free(n);
  }
}

/* Values -> YAML -> values, and the same YAML again. */
static void test_params_round_trip(void) {
  HnThisParams p, q;
  g_autofree char *none =
      findings("{lr: 3e-4, rows: 7, split: 'no', noise: fixed, greedy: false}", -1, &p);
  g_assert_cmpstr(none, ==, "");
  HnNode *n = hn_params_node(&schema, &p);
  g_autofree char *first = hn_node_write(n);
  g_assert_cmpstr(first, ==,
                  "lr: 0.0003\nrows: 7\nframes: 100000\ngreedy: false\nsplit: \"no\"\n"
                  "noise: fixed\nmass: 1\n");
  g_autofree char *again = findings(first, -1, &q);
  g_assert_cmpstr(again, ==, "");
  g_assert_cmpfloat(q.lr, ==, 3e-4);
  g_assert_cmpint(q.rows, ==, 7);
  g_assert_cmpint(q.noise, ==, 1);
  g_assert_false(q.greedy);
  g_assert_cmpstr(q.split, ==, "no");
  hn_node_free(n);
}

static bool same(const HnNode *a, const HnNode *b) {
  if (a->kind != b->kind || g_strcmp0(a->text, b->text) != 0) return false;
  if (a->kind == HN_NODE_TEXT) return a->quoted == b->quoted;
  if (a->items->len != b->items->len) return false;
  for (guint i = 0; i < a->items->len; i++) {
    if (a->keys && !same(a->keys->pdata[i], b->keys->pdata[i])) return false;
    if (!same(a->items->pdata[i], b->items->pdata[i])) return false;
  }
  return true;
}

static void test_write(void) {
  const char *text = "{a: [1, [], {}, [x, [y]]], b: {c: 'it''s', d: \"#\", e: \"\", f: , g: {}},"
                     " 'k: 1': -1, u: \"\\u00fcber \\U0001F600\", v: \"a\\nb\\t\\\"\\\\\", w: 'a:',"
                     " x: '- a', z: a-b c}";
  HnDiag *d = hn_diag_new();
  HnNode *n = hn_yaml_parse("a", text, strlen(text), d);
  g_assert_nonnull(n);
  g_autofree char *written = hn_node_write(n);
  HnNode *back = hn_yaml_parse("b", written, strlen(written), d);
  g_assert_cmpuint(hn_diag_count(d), ==, 0);
  g_assert_true(same(n, back));
  g_assert_cmpstr(hn_node_get(back, "v")->text, ==, "a\nb\t\"\\");
  HnNode *odd = hn_node_map("o", 0, 0);
  hn_node_put(odd, "a: b", "c: d #e");
  g_autofree char *escaped = hn_node_write(odd);
  g_assert_cmpstr(escaped, ==, "\"a: b\": \"c: d #e\"\n");
  hn_node_free(odd);
  /* the longest key, of what takes most room when escaped */
  g_autofree char *tabs = g_strnfill(128, '\t');
  HnNode *worst = hn_node_map("o", 0, 0);
  hn_node_put(worst, tabs, "\xef\xbb\xbf \xf3\xa0\x80\x81");
  g_autofree char *long_key = hn_node_write(worst);
  HnNode *key_back = hn_yaml_parse("k", long_key, strlen(long_key), d);
  g_assert_nonnull(hn_node_get(key_back, tabs));
  g_assert_cmpstr(hn_node_get(key_back, tabs)->text, ==, "\xef\xbb\xbf \xf3\xa0\x80\x81");
  hn_node_free(worst);
  hn_node_free(key_back);
  HnNode *copy = hn_node_copy(n);
  g_assert_true(same(n, copy));
  HnNode *key = hn_node_text("o", 0, 0, "z");
  hn_node_set(copy, key, hn_node_text("o", 0, 0, "new"));
  g_assert_cmpuint(copy->keys->len, ==, n->keys->len);
  g_assert_cmpstr(hn_node_get(copy, "z")->text, ==, "new");
  g_assert_cmpstr(hn_node_get(n, "z")->text, ==, "a-b c");
  hn_node_free(key);
  hn_node_free(copy);
  hn_node_free(back);
  hn_node_free(n);
  hn_diag_free(d);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/config/messages", test_messages);
  g_test_add_func("/config/all-findings", test_all_findings);
  g_test_add_func("/config/random-bytes", test_random_bytes);
  g_test_add_func("/config/limits", test_limits);
  g_test_add_func("/config/files", test_files);
  g_test_add_func("/config/mark", test_mark);
  g_test_add_func("/config/nearest", test_nearest);
  g_test_add_func("/config/diag", test_diag);
  g_test_add_func("/config/numbers", test_numbers);
  g_test_add_func("/config/bounds", test_bounds);
  g_test_add_func("/config/shortest", test_shortest);
  g_test_add_func("/config/params-round-trip", test_params_round_trip);
  g_test_add_func("/config/write", test_write);
  return g_test_run();
}
