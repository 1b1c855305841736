/* fuzz.h - fuzz targets: bytes become what the program reads, and nothing may crash.  Built with
 * clang's libFuzzer where the option `fuzz` asks for it, and with fuzz_drive.c for every test
 * run. */
#ifndef FUZZ_H
#define FUZZ_H
#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of targets whose format hides most of its content behind checksums; changes data in place, in a
 * buffer of `most` bytes, by calls of LLVMFuzzerMutate, and returns the new size. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                                                     unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* A folder of this process's own, removed when it ends well. */
static char *fuzz_folder;

static void fuzz_folder_remove(void) {
  const char *argv[] = {"rm", "-rf", fuzz_folder, NULL};
  g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
               NULL, NULL);
}

static inline void fuzz_folder_make(void) {
  fuzz_folder = g_dir_make_tmp("hunch-fuzz-XXXXXX", NULL);
  g_assert_nonnull(fuzz_folder);
  atexit(fuzz_folder_remove);
}

/* Writes a file of that folder; its path, g_free. */
static inline char *fuzz_write(const char *name, const void *data, gsize size) {
  char *path = g_build_filename(fuzz_folder, name, NULL);
  FILE *f = fopen(path, "wb");
  g_assert_nonnull(f);
  g_assert_cmpuint(fwrite(data, 1, size, f), ==, size);
  g_assert_cmpint(fclose(f), ==, 0);
  return path;
}
#endif
