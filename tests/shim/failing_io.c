/* failing_io.c - preloaded into a process: what it writes below one folder is noted, and from one
 * operation on fails as on a full disk.
 *
 *   FAILING_IO_UNDER  the folder, an absolute path
 *   FAILING_IO_LOG    file to note each operation in: "write PATH", "fsync PATH", "rename TO", ..
 *   FAILING_IO_AT     number of the first operation that fails, from 1; absent: none does
 *   FAILING_IO_COUNT  how many fail; absent: all from then on
 *   FAILING_IO_SHORT  set: a write that would be the first to fail writes half of its bytes
 *
 * The C library calls the kernel by itself where it flushes a stream, so functions cannot be put
 * before its own: a seccomp filter stops these system calls, and the handler of SIGSYS makes them,
 * from the one address that the filter lets pass, or does not.  Threads that block SIGSYS must not
 * make such calls; the process must not start another program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Makes a system call; its address is that of the filter's exception. */
long failing_io_raw(long number, long a, long b, long c, long d, long e, long f);
extern const char failing_io_after[];
__asm__(".text\n.globl failing_io_raw\n.hidden failing_io_raw\n.hidden failing_io_after\n"
        ".type failing_io_raw, @function\n"
        "failing_io_raw:\n mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n"
        " mov %r8, %r10\n mov %r9, %r8\n mov 8(%rsp), %r9\n syscall\n"
        ".globl failing_io_after\nfailing_io_after:\n ret\n");

static struct {
  const char *under, *log;
  long at, count, done;
  int part, cut; /* writes are to be short; one has been */
} io;

/* Its path and kind are of interest; nothing here may be trapped. */
typedef struct Operation {
  const char *name;
  char path[4096];
} Operation;

static void path_of(Operation *o, int fd) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, o->path, sizeof o->path - 1);
  o->path[n > 0 ? n : 0] = '\0';
}

/* a: the arguments. */
static Operation describe(long number, const long *a) {
  Operation o = {.name = "write"};
  const char *path = NULL;
  switch (number) {
  case SYS_fsync:
  case SYS_fdatasync:
    o.name = "fsync", path_of(&o, (int)a[0]);
    break;
  case SYS_rename:
    o.name = "rename", path = (const char *)a[1];
    break;
  case SYS_renameat:
  case SYS_renameat2:
    o.name = "rename", path = (const char *)a[3];
    break;
  case SYS_openat:
    o.name = "create", path = (const char *)a[1];
    break;
  case SYS_open:
    o.name = "create", path = (const char *)a[0];
    break;
  default:
    path_of(&o, (int)a[0]);
  }
  if (path) snprintf(o.path, sizeof o.path, "%s", path);
  return o;
}

static void note(const Operation *o) {
  char line[5000];
  const int n = snprintf(line, sizeof line, "%s %s\n", o->name, o->path);
  const long fd = failing_io_raw(SYS_openat, AT_FDCWD, (long)io.log,
                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600, 0, 0);
  if (fd < 0) return;
  failing_io_raw(SYS_write, fd, (long)line, n, 0, 0, 0);
  close((int)fd);
}

static long act(long number, const long *a) {
  const Operation o = describe(number, a);
  long size = a[2];
  if (strncmp(o.path, io.under, strlen(io.under)) == 0) {
    const long k = __atomic_add_fetch(&io.done, 1, __ATOMIC_SEQ_CST) - io.cut;
    if (io.log) note(&o);
    const int fails = io.at && k >= io.at && k < io.at + io.count;
    if (fails && io.part && !io.cut && number == SYS_write && size > 1)
      io.cut = 1, size /= 2;
    else if (fails)
      return -ENOSPC;
  }
  return failing_io_raw(number, a[0], a[1], size, a[3], a[4], a[5]);
}

static void on_trap(int number, siginfo_t *info, void *context) {
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  const long a[] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]};
  const int before = errno;
  (void)number;
  r[REG_RAX] = act(info->si_syscall, a);
  errno = before;
}

#define LOAD(field)             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_AT(offset)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define IS(x, then, otherwise)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, x, then, otherwise)
#define HAS(x, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, x, then, otherwise)
#define RETURN(x)               BPF_STMT(BPF_RET | BPF_K, x)

static int trap(void) {
  const uint64_t pass = (uint64_t)(uintptr_t)failing_io_after;
  const unsigned ip = offsetof(struct seccomp_data, instruction_pointer);
  const unsigned arg = offsetof(struct seccomp_data, args);
  struct sock_filter code[] = {
      LOAD(arch),
      IS(AUDIT_ARCH_X86_64, 1, 0),
      RETURN(SECCOMP_RET_ALLOW),
      LOAD_AT(ip),
      IS((uint32_t)pass, 0, 3),
      LOAD_AT(ip + 4),
      IS((uint32_t)(pass >> 32), 0, 1),
      RETURN(SECCOMP_RET_ALLOW),
      LOAD(nr),
      IS(SYS_write, 13, 0),
      IS(SYS_pwrite64, 12, 0),
      IS(SYS_fsync, 11, 0),
      IS(SYS_fdatasync, 10, 0),
      IS(SYS_rename, 9, 0),
      IS(SYS_renameat, 8, 0),
      IS(SYS_renameat2, 7, 0),
      IS(SYS_openat, 0, 2),
      LOAD_AT(arg + 2 * 8),
      HAS(O_CREAT, 4, 3),
      IS(SYS_open, 0, 2),
      LOAD_AT(arg + 1 * 8),
      HAS(O_CREAT, 1, 0),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_TRAP),
  };
  const struct sock_fprog program = {sizeof code / sizeof code[0], code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static long number_in(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void start(void) {
  io.under = getenv("FAILING_IO_UNDER"), io.log = getenv("FAILING_IO_LOG");
  io.at = number_in("FAILING_IO_AT", 0), io.count = number_in("FAILING_IO_COUNT", 1L << 40);
  io.part = getenv("FAILING_IO_SHORT") != NULL;
  if (!io.under) return;
  const struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
  if (sigaction(SIGSYS, &action, NULL) == 0 && trap()) return;
  static const char words[] = "failing_io: system calls cannot be filtered here\n";
  if (write(STDERR_FILENO, words, sizeof words - 1) < 0) return;
}
