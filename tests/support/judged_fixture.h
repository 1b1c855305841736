/* judged_fixture.h - runs a program and judges what it promises whatever it is given: it ends by
 * itself, soon, in little memory, with a code of docs/errors.md, and says in plain text why not. */
#ifndef HN_JUDGED_FIXTURE_H
#define HN_JUDGED_FIXTURE_H
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Processor seconds and megabytes that nothing refused or planned may take, and seconds after which
 * a program hangs; the processor's do not depend on who else uses this machine. */
#ifdef __SANITIZE_ADDRESS__
enum { JUDGED_SECONDS = 60, JUDGED_MB = 100000, JUDGED_HANGS = 240 };
#else
enum { JUDGED_SECONDS = 5, JUDGED_MB = 1000, JUDGED_HANGS = 120 };
#endif

typedef struct Judged {
  char *out, *err;
  int code, signal; /* code -1: ended by the signal */
  bool hung;
  double seconds, mb; /* of processor, over it and its children; of the largest of them */
} Judged;

static inline void judged_clear(Judged *j) {
  g_free(j->out), g_free(j->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judged, judged_clear)

static inline char *judged_take(int fd) {
  const off_t n = lseek(fd, 0, SEEK_END);
  char *text = g_malloc0((gsize)MAX(n, 0) + 1);
  if (n > 0 && pread(fd, text, (gsize)n, 0) < 0) *text = 0;
  close(fd);
  return text;
}

/* In the child. */
static inline void judged_exec(const char *dir, const char *const *argv, int out, int err) {
  const int in = open("/dev/null", O_RDONLY);
  setpgid(0, 0);
  if (chdir(dir) != 0) _exit(126);
  dup2(in, 0), dup2(out, 1), dup2(err, 2);
  execv(argv[0], (char *const *)(guintptr)argv);
  _exit(127);
}

/* Runs argv in `dir`, and asks it to end after `most` seconds. */
static inline Judged judged_run(const char *dir, const char *const *argv, double most) {
  const int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
  Judged j = {.code = -1};
  struct rusage used;
  int status = 0, asked = 0;
  const pid_t pid = fork();
  if (pid == 0) judged_exec(dir, argv, out, err);
  const int64_t start = g_get_monotonic_time();
  while (wait4(pid, &status, j.hung ? 0 : WNOHANG, &used) == 0) {
    const double passed = 1e-6 * (double)(g_get_monotonic_time() - start);
    if (passed > most && !asked++) kill(pid, SIGTERM);
    if (passed > most + JUDGED_HANGS) j.hung = true, kill(-pid, SIGKILL);
    g_usleep(1000);
  }
  if (WIFEXITED(status)) j.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) j.signal = WTERMSIG(status);
  j.seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  j.mb = 1.024e-3 * (double)used.ru_maxrss;
  j.out = judged_take(out), j.err = judged_take(err);
  return j;
}

static inline int judged_order(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is in a folder, by name, kind, size and content, in a text that two folders with the same in
 * them share. */
static inline void judged_list(const char *dir, GString *list) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  for (const char *name; d && (name = g_dir_read_name(d));) g_ptr_array_add(names, g_strdup(name));
  g_ptr_array_sort(names, judged_order);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL), *text = NULL;
    GStatBuf st = {0};
    g_lstat(path, &st);
    g_string_append_printf(list, "%s %o %ld", (char *)names->pdata[i], st.st_mode & S_IFMT,
                           S_ISDIR(st.st_mode) ? 0L : (long)st.st_size);
    if (S_ISREG(st.st_mode) && g_file_get_contents(path, &text, NULL, NULL))
      g_string_append_printf(list, " %u", g_str_hash(text));
    g_string_append_c(list, '\n');
    if (S_ISDIR(st.st_mode)) judged_list(path, list);
  }
}

static inline char *judged_listed(const char *dir) {
  GString *list = g_string_new(NULL);
  judged_list(dir, list);
  return g_string_free(list, FALSE);
}

/* Whether people can read it: UTF-8 without control characters, in lines that end. */
static inline bool judged_readable(const char *text) {
  if (!g_utf8_validate(text, -1, NULL)) return false;
  for (const char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20 && *c != '\n') return false;
  const gsize n = strlen(text);
  return n == 0 || text[n - 1] == '\n';
}

/* What it broke of what holds for any input, or NULL. */
static inline char *judged_broken(const Judged *j) {
  if (j->hung) return g_strdup("does not end");
  if (j->signal) return g_strdup_printf("killed by signal %d", j->signal);
  if (j->seconds > JUDGED_SECONDS) return g_strdup_printf("took %.1f s", j->seconds);
  if (j->mb > JUDGED_MB) return g_strdup_printf("took %.0f MB", j->mb);
  if (j->code != 0 && !*j->err) return g_strdup_printf("exit code %d without a word", j->code);
  if (!judged_readable(j->err)) return g_strdup("says what cannot be read");
  return NULL;
}
#endif
