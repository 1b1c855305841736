/* kit_library.c - see kit_library.h. */
#include "kit_library.h"
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

typedef struct Wanted {
  const char *stem, *file;
} Wanted;

static int find(struct dl_phdr_info *info, size_t size, void *arg) {
  Wanted *w = arg;
  (void)size;
  if (!info->dlpi_name || !strstr(info->dlpi_name, w->stem)) return 0;
  w->file = info->dlpi_name;
  return 1;
}

static const char kit[] = "libhunch-kit.so";

static const char *file_of(const char *stem) {
  Wanted w = {stem, NULL};
  dl_iterate_phdr(find, &w);
  return w.file;
}

/* A function of a loaded library, or NULL. */
static void *look_up(const char *stem, const char *symbol) {
  const char *file = file_of(stem);
  void *library = file ? dlopen(file, RTLD_NOW | RTLD_NOLOAD) : NULL;
  if (!library) return NULL;
  void *function = dlsym(library, symbol);
  dlclose(library); /* it stays: whoever loaded it holds it */
  return function;
}

/* What a function without arguments of a loaded library returns; NULL: there is none. */
static const char *ask(const char *stem, const char *symbol) {
  const char *(*function)(void) = NULL;
  *(void **)&function = look_up(stem, symbol);
  return function ? function() : NULL;
}

const char *hn_kit_library_file(void) {
  return file_of(kit);
}
uint64_t hn_kit_library_layout(void) {
  uint64_t (*function)(void) = NULL;
  *(void **)&function = look_up(kit, "hn_kit_layout");
  return function ? function() : 0;
}
const char *hn_kit_library_isa(void) {
  return ask(kit, "hn_kit_isa");
}
const char *hn_kit_library_blas(void) {
  return ask(kit, "hn_kit_blas");
}
const char *hn_kit_library_blas_version(void) {
  return ask("libopenblas", "openblas_get_config");
}
