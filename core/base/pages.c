/* pages.c - see pages.h. */
#include "pages.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HEAD = 64, MAPPED = 1 << 20 };

void *hn_zeros(gsize bytes) {
  gsize total = ((bytes + HEAD - 1) & ~(gsize)(HEAD - 1)) + HEAD;
  char *p;
  if (total >= MAPPED) {
    p = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) g_error("out of memory: %.3g GB", 1e-9 * (double)total);
  } else {
    p = aligned_alloc(HEAD, total);
    if (!p) g_error("out of memory: %.3g GB", 1e-9 * (double)total);
    memset(p, 0, total);
  }
  memcpy(p, &total, sizeof total); /* for hn_zeros_free */
  return p + HEAD;
}

void hn_zeros_free(void *p) {
  if (!p) return;
  char *head = (char *)p - HEAD;
  gsize total;
  memcpy(&total, head, sizeof total);
  if (total >= MAPPED)
    munmap(head, total);
  else
    free(head);
}
