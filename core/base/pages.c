/* pages.c - see pages.h. */
#include "pages.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* ---- lent memory ---- */

enum { LOANS = 64 }; /* that are known by their address; a session has about twenty */
static const char *volatile loan[LOANS], *volatile loan_end[LOANS];

static void note_loan(const char *from, const char *end, const char *was) {
  for (int k = 0; k < LOANS; k++)
    if (loan[k] == was) {
      loan_end[k] = end, loan[k] = from;
      return;
    }
}

bool hn_lent_holds(const void *address) {
  const char *p = address;
  for (int k = 0; k < LOANS; k++)
    if (loan[k] && p >= loan[k] && p < loan_end[k]) return true;
  return false;
}

double hn_lent_bytes(void) {
  double bytes = 0;
  for (int k = 0; k < LOANS; k++) bytes += loan[k] ? (double)(loan_end[k] - loan[k]) : 0;
  return bytes;
}

/* Maps the same shared memory at p and, to be read, at p + size: preferably without a file, to
 * which limits on files would apply; valgrind does not double such a mapping. */
static bool map_twice(char *p, gsize size) {
  const int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_FIXED;
  if (mmap(p, size, prot, flags | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) return false;
  if (mremap(p, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, p + size) != MAP_FAILED)
    return mprotect(p + size, size, PROT_READ) == 0;
  const int fd = memfd_create("hunch-lent", MFD_CLOEXEC);
  const bool mapped = fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
                      mmap(p, size, prot, flags, fd, 0) != MAP_FAILED &&
                      mmap(p + size, size, PROT_READ, flags, fd, 0) != MAP_FAILED;
  if (fd >= 0) close(fd); /* the memory stays as long as it is mapped */
  return mapped;
}

/* One range of addresses of twice the size, so that nothing else can come to lie in between. */
void *hn_lent_new(gsize bytes, gsize *lent) {
  const gsize page = (gsize)sysconf(_SC_PAGESIZE), size = (MAX(bytes, 1) + page - 1) & ~(page - 1);
  char *p = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || !map_twice(p, size))
    g_error("out of memory: %.3g GB", 1e-9 * (double)size);
  *lent = size;
  note_loan(p + size, p + 2 * size, NULL);
  return p;
}

void hn_lent_free(void *p, gsize lent) {
  if (!p) return;
  note_loan(NULL, NULL, (char *)p + lent);
  munmap(p, 2 * lent);
}
