/* zip.c - see zip.h.  put_local, put_central and put_end are the only description of the form:
 * writers write what they make, readers compare with it. */
#include "zip.h"
#include "error.h"
#include "sha256.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
  LOCAL = 30,
  CENTRAL = 46,
  END = 22,
  VERSION = 10,      /* 1.0: stored */
  UNIX = 3 << 8,     /* made on Unix, so that the mode counts */
  DATE = 1 << 5 | 1, /* 1980-01-01, the first that there is */
  MODE = 0100644,    /* a regular file */
  KINDS = 0170000,   /* the part of a mode that says what it is */
  ZIP64 = 0xffff,    /* a number of entries that says: see elsewhere */
  HEADER_MAX = CENTRAL + HN_ZIP_NAME_MAX,
};
#define ALL_MAX 0xfffffffeu

/* ---- the form ---- */

static void put(GByteArray *out, uint32_t x, int bytes) {
  for (int i = 0; i < bytes; i++) {
    const guint8 byte = (guint8)(x >> (8 * i));
    g_byte_array_append(out, &byte, 1);
  }
}

static uint32_t get(const char *at, int bytes) {
  uint32_t x = 0;
  for (int i = 0; i < bytes; i++) x |= (uint32_t)(uint8_t)at[i] << (8 * i);
  return x;
}

/* What both headers of an entry say alike, from the version on. */
static void put_facts(GByteArray *out, const HnZipEntry *e) {
  put(out, VERSION, 2), put(out, 0, 2), put(out, 0, 2); /* no flags; stored */
  put(out, 0, 2), put(out, DATE, 2);
  put(out, e->crc, 4), put(out, (uint32_t)e->size, 4), put(out, (uint32_t)e->size, 4);
  put(out, (uint32_t)strlen(e->name), 2), put(out, 0, 2);
}

static void put_name(GByteArray *out, const HnZipEntry *e) {
  g_byte_array_append(out, (const guint8 *)e->name, (guint)strlen(e->name));
}

static void put_local(GByteArray *out, const HnZipEntry *e) {
  put(out, 0x04034b50, 4);
  put_facts(out, e);
  put_name(out, e);
}

static void put_central(GByteArray *out, const HnZipEntry *e, gsize at) {
  put(out, 0x02014b50, 4), put(out, UNIX | VERSION, 2);
  put_facts(out, e);
  put(out, 0, 2), put(out, 0, 2), put(out, 0, 2); /* no comment; disk 0; no hint of the content */
  put(out, (uint32_t)MODE << 16, 4), put(out, (uint32_t)at, 4);
  put_name(out, e);
}

static void put_end(GByteArray *out, guint entries, gsize central, gsize at) {
  put(out, 0x06054b50, 4), put(out, 0, 4);
  put(out, entries, 2), put(out, entries, 2);
  put(out, (uint32_t)central, 4), put(out, (uint32_t)at, 4), put(out, 0, 2);
}

static uint32_t crc_of(const void *data, gsize size) {
  return (uint32_t)crc32_z(crc32_z(0, NULL, 0), data, size);
}

/* ---- names ---- */

const char *hn_zip_name_refuse(const char *name) {
  const gsize n = strlen(name);
  if (n == 0) return "has no name";
  if (n > HN_ZIP_NAME_MAX) return "has a longer name than 240 characters";
  for (const char *c = name; *c; c++)
    if (!g_ascii_isprint(*c) || strchr("\\:*?\"<>|", *c))
      return "has a character in its name that is not portable";
  if (*name == '/') return "has an absolute path";
  g_auto(GStrv) parts = g_strsplit(name, "/", -1);
  for (char **p = parts; *p; p++) {
    if (strcmp(*p, "..") == 0) return "leads out of the folder";
    if (!**p || strcmp(*p, ".") == 0) return "has an empty part in its path";
  }
  return NULL;
}

/* The names so far, to tell whether one more can stand beside them on every file system. */
typedef struct Names {
  GHashTable *files, *folders; /* in lower case */
} Names;

static Names names_new(void) {
  return (Names){g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                 g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

static void names_free(Names *n) {
  g_hash_table_unref(n->files), g_hash_table_unref(n->folders);
}

/* Why it cannot, or NULL. */
static const char *names_add(Names *n, const char *name) {
  const char *why = hn_zip_name_refuse(name);
  g_autofree char *low = g_ascii_strdown(name, -1);
  if (why) return why;
  if (g_hash_table_contains(n->files, low)) return "has a name that is there already, but for case";
  if (g_hash_table_contains(n->folders, low)) return "has the name of a folder";
  for (char *slash = strchr(low, '/'); slash; slash = strchr(slash + 1, '/')) {
    char *folder = g_strndup(low, (gsize)(slash - low));
    if (g_hash_table_contains(n->files, folder)) why = "lies in a folder that is a file";
    g_hash_table_add(n->folders, folder);
  }
  g_hash_table_add(n->files, g_steal_pointer(&low));
  return why;
}

/* ---- writing ---- */

static void source_free(void *p) {
  HnZipSource *s = p;
  g_free(s->name), g_free(s->path), g_free(s->sha256);
  g_clear_pointer(&s->bytes, g_bytes_unref);
  g_free(s);
}

GPtrArray *hn_zip_sources_new(void) {
  return g_ptr_array_new_with_free_func(source_free);
}

static HnZipSource *add(GPtrArray *sources, const char *name) {
  HnZipSource *s = g_new0(HnZipSource, 1);
  s->name = g_strdup(name);
  g_ptr_array_add(sources, s);
  return s;
}

void hn_zip_add_file(GPtrArray *sources, const char *name, const char *path) {
  add(sources, name)->path = g_strdup(path);
}

void hn_zip_add_bytes(GPtrArray *sources, const char *name, GBytes *bytes) {
  add(sources, name)->bytes = g_bytes_ref(bytes);
}

void hn_zip_add_text(GPtrArray *sources, const char *name, const char *text) {
  add(sources, name)->bytes = g_bytes_new(text, strlen(text));
}

GBytes *hn_zip_source_bytes(const HnZipSource *s, GError **error) {
  g_autoptr(GError) why = NULL;
  if (s->bytes) return g_bytes_ref(s->bytes);
  GMappedFile *file = g_mapped_file_new(s->path, FALSE, &why);
  if (!file) {
    hn_error_set(error, HN_ERROR_FILE, "%s", why->message);
    return NULL;
  }
  GBytes *bytes = g_mapped_file_get_bytes(file);
  g_mapped_file_unref(file);
  return bytes;
}

const char *hn_zip_source_sha256(HnZipSource *s, GError **error) {
  g_autoptr(GBytes) bytes = s->sha256 ? NULL : hn_zip_source_bytes(s, error);
  if (bytes) s->sha256 = hn_sha256_text(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
  return s->sha256;
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(HnZipSource *const *)a)->name, (*(HnZipSource *const *)b)->name);
}

void hn_zip_sort(GPtrArray *sources) {
  g_ptr_array_sort(sources, by_name);
}

static bool names_are_fine(const GPtrArray *sources, GError **error) {
  Names names = names_new();
  const char *why = NULL;
  for (guint i = 0; i < sources->len && !why; i++) {
    const HnZipSource *s = sources->pdata[i];
    if ((why = names_add(&names, s->name)))
      hn_error_set(error, HN_ERROR_REFUSED, "'%s' %s", s->name, why);
  }
  names_free(&names);
  if (why) return false;
  return sources->len <= HN_ZIP_ENTRIES_MAX ||
         hn_error_set(error, HN_ERROR_REFUSED, "%u files, expected at most %d", sources->len,
                      HN_ZIP_ENTRIES_MAX);
}

typedef struct Output {
  FILE *file;
  gsize at;
  GByteArray *central;
} Output;

/* One file, and its row for the end. */
static bool write_entry(Output *o, const HnZipSource *s, GError **error) {
  g_autoptr(GBytes) bytes = hn_zip_source_bytes(s, error);
  g_autoptr(GByteArray) head = g_byte_array_new();
  if (!bytes) return false;
  HnZipEntry e = {.name = s->name};
  e.data = g_bytes_get_data(bytes, &e.size);
  if (e.size > ALL_MAX - o->at - o->central->len - 2 * HEADER_MAX - END)
    return hn_error_set(error, HN_ERROR_REFUSED, "'%s' makes it longer than 4 GiB", s->name);
  e.crc = crc_of(e.data, e.size);
  put_local(head, &e);
  put_central(o->central, &e, o->at);
  o->at += head->len + e.size;
  return (fwrite(head->data, head->len, 1, o->file) == 1 &&
          (e.size == 0 || fwrite(e.data, e.size, 1, o->file) == 1)) ||
         hn_error_set(error, HN_ERROR_FILE, "%s", g_strerror(errno));
}

static bool write_end(Output *o, guint entries, GError **error) {
  const gsize central = o->central->len;
  put_end(o->central, entries, central, o->at);
  return (fwrite(o->central->data, o->central->len, 1, o->file) == 1 && fflush(o->file) == 0 &&
          fsync(fileno(o->file)) == 0) ||
         hn_error_set(error, HN_ERROR_FILE, "%s", g_strerror(errno));
}

bool hn_zip_write(const char *path, GPtrArray *sources, GError **error) {
  hn_zip_sort(sources);
  if (!names_are_fine(sources, error)) return false;
  Output o = {.file = fopen(path, "wbe"), .central = g_byte_array_new()};
  GError *why = NULL;
  bool ok = o.file || hn_error_set(&why, HN_ERROR_FILE, "%s", g_strerror(errno));
  for (guint i = 0; i < sources->len && ok; i++) ok = write_entry(&o, sources->pdata[i], &why);
  ok = ok && write_end(&o, sources->len, &why);
  if (o.file && fclose(o.file) != 0 && ok)
    ok = hn_error_set(&why, HN_ERROR_FILE, "%s", g_strerror(errno));
  g_byte_array_unref(o.central);
  if (why) g_propagate_prefixed_error(error, why, "%s: ", path);
  return ok;
}

/* ---- reading ---- */

static void clear_entry(void *p) {
  HnZipEntry *e = p;
  g_free(e->name), g_free(e->sha256);
}

typedef struct Input {
  const char *bytes;
  gsize length, at, central; /* the next entry; the next row of the directory */
  gsize end;                 /* of the directory */
  Names names;
} Input;

/* What a header that is not as it should be says, in words. */
static const char *why_other(const char *row) {
  const uint32_t mode = get(row + 38, 4) >> 16, made = get(row + 5, 1);
  switch (made == UNIX >> 8 ? mode & KINDS : 0) {
  case 0120000:
    return "is a symbolic link";
  case 0040000:
    return "is a folder";
  case 0020000:
  case 0060000:
    return "is a device";
  case 0010000:
  case 0140000:
    return "is a pipe or socket";
  default:
    break;
  }
  if (get(row + 8, 2) & 1) return "is encrypted";
  if (get(row + 10, 2) != 0) return "is compressed, where packages store files as they are";
  if (get(row + 20, 4) != get(row + 24, 4)) return "claims two sizes";
  if (get(row + 30, 2) != 0) return "has an extra field";
  return "is not described as `hunch pack` describes files: changed on its way, or another's work";
}

static bool refuse(GError **error, const char *name, const char *why) {
  g_autofree char *shown = g_strescape(name, NULL);
  return hn_error_set(error, HN_ERROR_REFUSED, "'%s' %s", shown, why);
}

static bool is_there(const Input *in, gsize at, const GByteArray *expected) {
  return at <= in->end && in->end - at >= expected->len &&
         memcmp(in->bytes + at, expected->data, expected->len) == 0;
}

/* The next entry by its row of the directory. */
static bool read_entry(Input *in, HnZipEntry *e, GError **error) {
  const char *row = in->bytes + in->central;
  if (in->end - in->central < CENTRAL || get(row, 4) != 0x02014b50)
    return hn_error_set(error, HN_ERROR_REFUSED, "its directory is damaged");
  const gsize name = get(row + 28, 2);
  if (name > in->end - in->central - CENTRAL || name > HN_ZIP_NAME_MAX ||
      memchr(row + CENTRAL, 0, name))
    return hn_error_set(error, HN_ERROR_REFUSED, "its directory holds a name that cannot be");
  e->name = g_strndup(row + CENTRAL, name);
  e->crc = get(row + 16, 4), e->size = get(row + 24, 4);
  g_autoptr(GByteArray) local = g_byte_array_new(), central = g_byte_array_new();
  put_local(local, e), put_central(central, e, in->at);
  const char *why = names_add(&in->names, e->name);
  if (why) return refuse(error, e->name, why);
  if (!is_there(in, in->central, central)) return refuse(error, e->name, why_other(row));
  if (!is_there(in, in->at, local) || e->size > in->end - in->at - local->len)
    return refuse(error, e->name, "is not where the directory says");
  e->data = in->bytes + in->at + local->len;
  in->at += local->len + e->size, in->central += central->len;
  return true;
}

/* Where the directory begins, by what the archive ends in; 0: that is not as it should be. */
static gsize directory_of(const Input *in, guint *entries, GError **error) {
  const char *end = in->bytes + in->end;
  if (get(end, 4) != 0x06054b50) {
    hn_error_set(error, HN_ERROR_REFUSED, "not a package, or cut short, or longer than it was");
    return 0;
  }
  *entries = get(end + 10, 2);
  const gsize central = get(end + 12, 4), at = get(end + 16, 4);
  g_autoptr(GByteArray) expected = g_byte_array_new();
  put_end(expected, *entries, central, at);
  if (*entries == ZIP64 || at == G_MAXUINT32)
    hn_error_set(error, HN_ERROR_REFUSED, "has more entries than %d, or is longer than 4 GiB",
                 HN_ZIP_ENTRIES_MAX);
  else if (*entries == 0 || at == 0 || at + central != in->end ||
           memcmp(end, expected->data, END) != 0)
    hn_error_set(error, HN_ERROR_REFUSED, "its end does not fit its directory");
  else
    return at;
  return 0;
}

static bool read_all(HnZip *zip, GError **error) {
  Input in = {.bytes = g_mapped_file_get_contents(zip->file),
              .length = g_mapped_file_get_length(zip->file)};
  guint entries = 0;
  if (!in.bytes || in.length < END)
    return hn_error_set(error, HN_ERROR_REFUSED, "not a package: too short");
  in.end = in.length - END;
  const gsize directory = in.central = directory_of(&in, &entries, error);
  bool ok = directory > 0;
  in.names = names_new();
  for (guint i = 0; i < entries && ok; i++) {
    HnZipEntry e = {0};
    ok = read_entry(&in, &e, error);
    const HnZipEntry *last = i ? &g_array_index(zip->entries, HnZipEntry, i - 1) : NULL;
    if (ok && last && e.name && strcmp(last->name, e.name) >= 0)
      ok = refuse(error, e.name, "is not in the order of names");
    g_array_append_val(zip->entries, e);
  }
  names_free(&in.names);
  if (ok && (in.at != directory || in.central != in.end))
    ok = hn_error_set(error, HN_ERROR_REFUSED, "holds bytes that belong to no file");
  return ok;
}

/* Not of a pipe, which would be waited for. */
static GMappedFile *map(const char *path, GError **error) {
  GStatBuf facts;
  const int fd = g_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  GMappedFile *file = NULL;
  if (fd < 0 || fstat(fd, &facts) != 0)
    hn_error_set(error, errno == ENOENT ? HN_ERROR_MISSING : HN_ERROR_FILE, "%s",
                 g_strerror(errno));
  else if (!S_ISREG(facts.st_mode))
    hn_error_set(error, HN_ERROR_REFUSED, "not a regular file");
  else if (!(file = g_mapped_file_new_from_fd(fd, FALSE, NULL)))
    hn_error_set(error, HN_ERROR_FILE, "%s", g_strerror(errno));
  if (fd >= 0) close(fd);
  return file;
}

HnZip *hn_zip_open(const char *path, GError **error) {
  GError *why = NULL;
  HnZip *zip = g_new0(HnZip, 1);
  zip->entries = g_array_new(FALSE, FALSE, sizeof(HnZipEntry));
  g_array_set_clear_func(zip->entries, clear_entry);
  zip->file = map(path, &why);
  if (zip->file && read_all(zip, &why)) return zip;
  g_propagate_prefixed_error(error, why, "%s: ", path);
  hn_zip_free(zip);
  return NULL;
}

void hn_zip_free(HnZip *zip) {
  if (!zip) return;
  g_array_unref(zip->entries);
  g_clear_pointer(&zip->file, g_mapped_file_unref);
  g_free(zip);
}

const HnZipEntry *hn_zip_find(const HnZip *zip, const char *name) {
  guint low = 0, high = zip->entries->len;
  while (low < high) {
    const guint middle = low + (high - low) / 2;
    const HnZipEntry *e = &g_array_index(zip->entries, HnZipEntry, middle);
    const int order = strcmp(name, e->name);
    if (order == 0) return e;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

const char *hn_zip_sha256(HnZipEntry *e) {
  if (!e->sha256) e->sha256 = hn_sha256_text(e->data, e->size);
  return e->sha256;
}

bool hn_zip_damaged(const HnZipEntry *e) {
  return crc_of(e->data, e->size) != e->crc;
}

static bool extract(const HnZipEntry *e, const char *folder, GError **error) {
  g_autofree char *path = g_build_filename(folder, e->name, NULL);
  g_autofree char *above = g_path_get_dirname(path);
  int fd = -1;
  FILE *f = NULL;
  bool ok = g_mkdir_with_parents(above, 0777) == 0 &&
            (fd = g_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)) >= 0 &&
            (f = fdopen(fd, "wb")) && (e->size == 0 || fwrite(e->data, e->size, 1, f) == 1);
  const int code = errno;
  if (fd >= 0 && !f) close(fd);
  if (f && fclose(f) != 0) ok = false;
  return ok || hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, g_strerror(code));
}

bool hn_zip_extract(const HnZip *zip, const char *folder, GError **error) {
  bool ok = true;
  for (guint i = 0; i < zip->entries->len && ok; i++)
    ok = extract(&g_array_index(zip->entries, HnZipEntry, i), folder, error);
  return ok;
}
