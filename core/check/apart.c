/* apart.c - see apart.h. */
#include "apart.h"
#include "pages.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

HnHelperLimits hn_apart_limits = {.seconds = 120, .cpu_seconds = 30, .bytes = 4e9};
const char *(*hn_apart_explain)(const void *address);

/* What a fork leaves for the process that waits for it. */
typedef struct Note {
  char text[1024];
  bool whole;        /* says all that there is to say */
  const char *doing; /* a literal, which is at the same place in the process that waits */
} Note;
static Note *note;

/* ---- in the fork ---- */

static void write_note(const char *text) {
  gsize k = 0; /* no function that a signal handler may not call */
  for (; text[k] && k + 1 < sizeof note->text; k++) note->text[k] = text[k];
  note->text[k] = '\0';
}

void hn_apart_doing(const char *words) {
  if (note) note->doing = words;
}

/* Notes why the address must not be touched, then lets the signal end the process. */
static void on_crash(int number, siginfo_t *info, void *context) {
  (void)context;
  const char *why = hn_apart_explain ? hn_apart_explain(info->si_addr) : NULL;
  if (!why && hn_lent_holds(info->si_addr)) why = "wrote to what it is only lent to read";
  if (why) write_note(why);
  signal(number, SIG_DFL);
}

static void on_fatal(const char *domain, GLogLevelFlags level, const char *message, void *arg) {
  (void)domain, (void)arg;
  if (!(level & G_LOG_LEVEL_ERROR)) return;
  note->whole = true;
  write_note(message);
}

static void catch_crashes(void) {
  static char stack[1 << 16];
  const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction act = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaltstack(&own, NULL);
  sigaction(SIGSEGV, &act, NULL), sigaction(SIGBUS, &act, NULL);
  g_log_set_default_handler(on_fatal, NULL);
}

typedef struct Act {
  void (*act)(void *arg);
  void *arg;
  Note *note;
} Act;

static void begin(void *arg) {
  const Act *a = arg;
  note = a->note;
  catch_crashes();
  a->act(a->arg);
}

/* ---- around it ---- */

static void append_death(const HnCell *cell, const char *death, const HnCallRecord *where,
                         const Note *noted, GString *why) {
  const int32_t call = hn_call_blamed(where);
  const HnKind kind = hn_call_plugin_kind(call);
  if (kind)
    g_string_append_printf(why, "%s %s, %s: ", hn_call_kind(call),
                           hn_cell_called(cell, call)->plugin->name, hn_call_method(call));
  if (!noted->whole) g_string_append(why, death);
  if (*noted->text) g_string_append_printf(why, "%s%s", noted->whole ? "" : ": ", noted->text);
  if (noted->doing) g_string_append_printf(why, ", %s", noted->doing);
}

bool hn_apart(const HnCell *cell, void (*act)(void *arg), void *arg, GString *why) {
  Note *shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) g_error("no memory to judge in");
  Act a = {act, arg, shared};
  HnCallRecord where;
  g_autofree char *death = hn_helper_try_within(begin, &a, &hn_apart_limits, &where);
  if (death) append_death(cell, death, &where, shared, why);
  munmap(shared, sizeof *shared);
  return !death;
}

void hn_apart_end_children(void) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/thread-self/children", &text, NULL, NULL)) return;
  g_auto(GStrv) pids = g_strsplit(g_strstrip(text), " ", -1);
  for (char **pid = pids; *pid; pid++)
    if (g_ascii_isdigit(**pid)) kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), SIGKILL);
}

typedef struct Bytes {
  HnApartBytes *act;
  void *arg;
  int fd;
} Bytes;

static void write_bytes(void *arg) {
  const Bytes *b = arg;
  g_autoptr(GByteArray) out = g_byte_array_new();
  b->act(b->arg, out);
  for (gsize at = 0; at < out->len;) {
    const ssize_t n = write(b->fd, out->data + at, out->len - at);
    if (n <= 0) g_error("what was seen cannot be handed on");
    at += (gsize)n;
  }
}

GBytes *hn_apart_bytes(const HnCell *cell, HnApartBytes *act, void *arg, GString *why) {
  Bytes b = {act, arg, memfd_create("hunch-seen", MFD_CLOEXEC)};
  if (b.fd < 0) g_error("no memory to judge in");
  GBytes *bytes = NULL;
  if (hn_apart(cell, write_bytes, &b, why)) {
    const off_t length = lseek(b.fd, 0, SEEK_END);
    char *text = g_malloc((gsize)MAX(length, 0) + 1);
    if (pread(b.fd, text, (gsize)length, 0) != length) g_error("what was seen cannot be read");
    bytes = g_bytes_new_take(text, (gsize)length);
  }
  close(b.fd);
  return bytes;
}
