/* zip.h - archives in one canonical form: the same files give the same bytes, on every machine.
 *
 * Files are stored, in the order of their names, with fixed times and permissions, without folders,
 * comments or extra fields; every ZIP program reads that.  A reader accepts this form alone: each
 * header must be the one that a writer would make, so that no byte of an archive goes unnoticed, no
 * entry can be a link, leave the folder, hide another or be longer than it is in the file.
 * Source: APPNOTE.TXT 6.3.10, PKWARE. */
#ifndef HN_ZIP_H
#define HN_ZIP_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  HN_ZIP_ENTRIES_MAX = 65534, /* and 4 GiB in all: what needs no ZIP64 */
  HN_ZIP_NAME_MAX = 240,
};

/* Why no file of an archive can have that name, or NULL: names are relative, of printable ASCII
 * without what some system gives a meaning, and no part of them is empty, "." or "..". [any] */
const char *hn_zip_name_refuse(const char *name);

/* ---- writing ---- */

/* A file to write: its bytes, or where they are. */
typedef struct HnZipSource {
  char *name;
  char *path;    /* NULL: */
  GBytes *bytes; /* NULL: of that file */
  char *sha256;  /* once hn_zip_source_sha256 was asked */
} HnZipSource;

/* Sources, to be freed with g_ptr_array_unref.  Each function takes a copy of its texts, and a
 * reference to the bytes. */
GPtrArray *hn_zip_sources_new(void);
void hn_zip_add_file(GPtrArray *sources, const char *name, const char *path);
void hn_zip_add_bytes(GPtrArray *sources, const char *name, GBytes *bytes);
void hn_zip_add_text(GPtrArray *sources, const char *name, const char *text);
/* The bytes, mapped where they are a file's; NULL with HN_ERROR_FILE; g_bytes_unref. */
GBytes *hn_zip_source_bytes(const HnZipSource *source, GError **error);
/* In hexadecimal digits, computed once; NULL with HN_ERROR_FILE.  For the life of the source. */
const char *hn_zip_source_sha256(HnZipSource *source, GError **error);
void hn_zip_sort(GPtrArray *sources); /* by name */
/* Sorts the sources and writes them to `path`, to the disk.  False with HN_ERROR_FILE, or
 * HN_ERROR_REFUSED: a name that cannot be, two that differ in case alone, too many or too long
 * files.  What was at `path` is then gone: write beside, and rename. */
bool hn_zip_write(const char *path, GPtrArray *sources, GError **error);

/* ---- reading ---- */

typedef struct HnZipEntry {
  char *name;
  const char *data; /* in the archive */
  gsize size;
  uint32_t crc; /* as it says */
  char *sha256; /* once hn_zip_sha256 was asked */
} HnZipEntry;

typedef struct HnZip {
  GMappedFile *file;
  GArray *entries; /* HnZipEntry, by name */
} HnZip;

/* Every header is checked, no content: hn_zip_damaged does that.  Memory is bounded by the number
 * of entries.  NULL with HN_ERROR_FILE (it cannot be read) or HN_ERROR_REFUSED, naming the entry
 * and what is wrong with it. */
HnZip *hn_zip_open(const char *path, GError **error);
void hn_zip_free(HnZip *zip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnZip, hn_zip_free)
/* The entry of that name, or NULL. */
const HnZipEntry *hn_zip_find(const HnZip *zip, const char *name);
/* Of an entry's content, in hexadecimal digits, computed once.  For the life of the archive. */
const char *hn_zip_sha256(HnZipEntry *entry);
/* Whether an entry's content is not of its CRC. */
bool hn_zip_damaged(const HnZipEntry *entry);
/* Writes every entry below `folder`, which exists and is empty.  HN_ERROR_FILE. */
bool hn_zip_extract(const HnZip *zip, const char *folder, GError **error);
#endif
