/* param_file.c - see param_file.h. */
#include "param_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was read, and of which file: one that has not changed since is not read again. */
typedef struct Content {
  struct stat of;
  char *sha256;
} Content;
static GHashTable *contents; /* path -> Content */

static bool is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void content_free(gpointer p) {
  Content *c = p;
  g_free(c->sha256), g_free(c);
}

/* SHA-256 of an open file, or NULL with errno. */
static char *digest(int fd) {
  static guchar block[1 << 16];
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  ssize_t n;
  while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) g_checksum_update(sum, block, n);
  char *text = n < 0 ? NULL : g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  return text;
}

/* Why an open file cannot serve, or NULL. */
static const char *take(int fd, const char *path) {
  struct stat now;
  if (fd < 0 || fstat(fd, &now) != 0) return g_strerror(errno);
  if (!S_ISREG(now.st_mode)) return "not a regular file";
  const Content *known = g_hash_table_lookup(contents, path);
  if (known && is_same(&known->of, &now)) return NULL;
  char *sha256 = digest(fd);
  if (!sha256) return g_strerror(errno);
  Content *c = g_new0(Content, 1);
  *c = (Content){now, sha256};
  g_hash_table_insert(contents, g_strdup(path), c);
  return NULL;
}

const char *hn_param_file_read(const HnNode *n, char **why) {
  g_autofree char *path = hn_node_path(n);
  if (!contents) contents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, content_free);
  if (!g_utf8_validate(path, -1, NULL)) {
    *why = g_strdup("the path is not UTF-8");
    return NULL;
  }
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe is not waited for */
  const char *wrong = take(fd, path);
  if (fd >= 0) close(fd);
  if (!wrong) return g_intern_string(path);
  *why = g_strdup_printf("%s: %s", path, wrong);
  return NULL;
}

const char *hn_param_file_sha256(const char *path) {
  const Content *c = contents ? g_hash_table_lookup(contents, path) : NULL;
  return c ? c->sha256 : "";
}
