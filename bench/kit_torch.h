/* kit_torch.h - asks a process that runs PyTorch for its times (kit_torch.py). */
#ifndef HN_BENCH_KIT_TORCH_H
#define HN_BENCH_KIT_TORCH_H
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Torch {
  FILE *ask, *answer; /* NULL: no PyTorch here */
  pid_t pid;
  char version[64];
} Torch;

/* Debian's interpreter, because its python3-torch uses the same OpenBLAS as the other side. */
static inline void torch_run(int in, int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OMP_NUM_THREADS", "1", 1);
  execl("/usr/bin/python3", "python3", BENCH "/kit_torch.py", (char *)NULL);
  _exit(1);
}

static inline Torch torch_open(void) {
  Torch t = {0};
  int ask[2], answer[2];
  if (pipe(ask) || pipe(answer)) abort();
  t.pid = fork();
  if (t.pid < 0) abort();
  if (t.pid == 0) {
    close(ask[1]), close(answer[0]);
    torch_run(ask[0], answer[1]);
  }
  close(ask[0]), close(answer[1]);
  t.ask = fdopen(ask[1], "w"), t.answer = fdopen(answer[0], "r");
  if (!t.ask || !t.answer) abort();
  if (fscanf(t.answer, "%63s", t.version) == 1) return t;
  fclose(t.ask), fclose(t.answer), waitpid(t.pid, NULL, 0);
  return (Torch){0};
}

/* Seconds of processor time of one call of a workload. */
static inline double torch_seconds(const Torch *t, const char *workload, int calls) {
  double seconds;
  fprintf(t->ask, "%s:%d\n", workload, calls);
  fflush(t->ask);
  if (fscanf(t->answer, "%lf", &seconds) != 1) {
    fprintf(stderr, "bench_kit: PyTorch did not answer to \"%s\"\n", workload);
    exit(1);
  }
  return seconds;
}

static inline void torch_close(const Torch *t) {
  if (t->ask) fclose(t->ask), fclose(t->answer), waitpid(t->pid, NULL, 0);
}
#endif
