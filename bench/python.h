/* python.h - asks a Python process for numbers that a bench sets its own against. */
#ifndef BENCH_PYTHON_H
#define BENCH_PYTHON_H
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Python {
  FILE *ask, *answer; /* NULL: what the script needs is not installed */
  pid_t pid;
  char version[64]; /* of what it needs; its first answer */
} Python;

/* What a bench runs that leaves the choice to whoever calls it. */
static inline const char *python_chosen(void) {
  const char *chosen = getenv("HUNCH_BENCH_PYTHON");
  return chosen && *chosen ? chosen : "python3";
}

static inline void python_close(Python *p) {
  if (p->ask) fclose(p->ask), fclose(p->answer), waitpid(p->pid, NULL, 0);
  *p = (Python){0};
}

/* Runs a script of this folder, which leaves without an answer where a package is missing. */
static inline Python python_open(const char *interpreter, const char *script) {
  Python p = {0};
  int ask[2], answer[2];
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", BENCH, script);
  signal(SIGPIPE, SIG_IGN); /* one that died is told by its missing answer */
  if (pipe(ask) || pipe(answer)) abort();
  p.pid = fork();
  if (p.pid < 0) abort();
  if (p.pid == 0) {
    dup2(ask[0], STDIN_FILENO), dup2(answer[1], STDOUT_FILENO);
    close(ask[0]), close(ask[1]), close(answer[0]), close(answer[1]);
    execlp(interpreter, interpreter, path, (char *)NULL);
    _exit(1);
  }
  close(ask[0]), close(answer[1]);
  p.ask = fdopen(ask[1], "w"), p.answer = fdopen(answer[0], "r");
  if (!p.ask || !p.answer) abort();
  if (fscanf(p.answer, "%63s", p.version) != 1) python_close(&p);
  return p;
}

/* Writes the line `question` and reads `count` numbers; ends the program if they do not come. */
static inline void python_ask(const Python *p, const char *question, int count, double *answer) {
  fprintf(p->ask, "%s\n", question), fflush(p->ask);
  for (int k = 0; k < count; k++)
    if (fscanf(p->answer, "%lf", &answer[k]) != 1) {
      fprintf(stderr, "%s: no answer to \"%s\"\n", p->version, question);
      exit(1);
    }
}
#endif
