/* elf_file.c - reads a shared object's dynamic symbols from its bytes, bounds-checked. */
#include "elf_file.h"
#include <elf.h>
#include <link.h>
#include <string.h>

#define SUFFIX "_LTX_hn_plugin"
#define KIT    "libhunch-kit.so"

/* The linker puts this symbol at our own ELF header: a plugin must be built for the same machine.
 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

typedef struct Image {
  const uint8_t *bytes;
  uint64_t size;
  ElfW(Ehdr) head;
  uint64_t symbols, strings, strings_size; /* file offsets and bytes of the dynamic tables */
  uint64_t hash, gnu_hash;                 /* file offsets, 0: absent */
  uint64_t dynamic, dynamic_size;          /* file offset and bytes of the dynamic section */
} Image;

static bool read_at(const Image *m, uint64_t offset, void *out, gsize size) {
  if (offset > m->size || size > m->size - offset) return false;
  memcpy(out, m->bytes + offset, size);
  return true;
}

static bool read_word(const Image *m, uint64_t offset, uint32_t *out) {
  return read_at(m, offset, out, sizeof *out);
}

static bool read_segment(const Image *m, guint i, ElfW(Phdr) * out) {
  return read_at(m, m->head.e_phoff + (uint64_t)i * m->head.e_phentsize, out, sizeof *out);
}

/* The file offset of an address of the loaded image, or 0 (the ELF header, which is never looked
 * for). */
static uint64_t offset_of(const Image *m, uint64_t address) {
  ElfW(Phdr) segment;
  for (guint i = 0; i < m->head.e_phnum; i++) {
    if (!read_segment(m, i, &segment)) return 0;
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  }
  return 0;
}

/* Whether headers and segments lie inside the file, unlike after an incomplete download.  Section
 * headers come last in a file and so are the first to be missing. */
static bool is_complete(const Image *m) {
  const ElfW(Ehdr) *h = &m->head;
  uint64_t sections = (uint64_t)h->e_shnum * h->e_shentsize;
  if (h->e_shoff > m->size || sections > m->size - h->e_shoff) return false;
  ElfW(Phdr) segment;
  for (guint i = 0; i < h->e_phnum; i++) {
    if (!read_segment(m, i, &segment)) return false;
    if (segment.p_type == PT_LOAD &&
        (segment.p_offset > m->size || segment.p_filesz > m->size - segment.p_offset))
      return false;
  }
  return true;
}

/* A text of the string table if it ends inside of it, else NULL. */
static const char *string_at(const Image *m, uint64_t at) {
  if (at >= m->strings_size) return NULL;
  const char *text = (const char *)m->bytes + m->strings + at;
  return memchr(text, 0, m->strings_size - at) ? text : NULL;
}

static bool find_tables(Image *m) {
  ElfW(Phdr) segment = {0};
  for (guint i = 0; i < m->head.e_phnum && segment.p_type != PT_DYNAMIC; i++)
    if (!read_segment(m, i, &segment)) return false;
  if (segment.p_type != PT_DYNAMIC) return false;
  ElfW(Dyn) entry;
  m->dynamic = segment.p_offset, m->dynamic_size = segment.p_filesz;
  for (uint64_t at = 0; at + sizeof entry <= m->dynamic_size; at += sizeof entry) {
    if (!read_at(m, m->dynamic + at, &entry, sizeof entry)) return false;
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_SYMTAB) m->symbols = offset_of(m, entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRTAB) m->strings = offset_of(m, entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRSZ) m->strings_size = entry.d_un.d_val;
    if (entry.d_tag == DT_HASH) m->hash = offset_of(m, entry.d_un.d_ptr);
    if (entry.d_tag == DT_GNU_HASH) m->gnu_hash = offset_of(m, entry.d_un.d_ptr);
  }
  return m->symbols && m->strings && m->strings < m->size &&
         m->strings_size <= m->size - m->strings && (m->hash || m->gnu_hash);
}

/* Number of dynamic symbols: only the hash tables that index them imply it. */
static uint64_t count_symbols(const Image *m) {
  uint32_t word = 0;
  if (m->hash) return read_word(m, m->hash + 4, &word) ? word : 0;
  uint32_t buckets, first, bloom, last = 0;
  if (!read_word(m, m->gnu_hash, &buckets) || !read_word(m, m->gnu_hash + 4, &first) ||
      !read_word(m, m->gnu_hash + 8, &bloom))
    return 0;
  uint64_t at = m->gnu_hash + 16 + (uint64_t)bloom * sizeof(ElfW(Addr));
  for (uint64_t i = 0; i < buckets; i++) {
    if (!read_word(m, at + 4 * i, &word)) return 0;
    last = MAX(last, word);
  }
  if (last < first) return first;
  uint64_t chain = at + 4 * (uint64_t)buckets, i = last - first;
  do
    if (!read_word(m, chain + 4 * i, &word)) return 0;
  while (i++, !(word & 1)); /* the lowest bit marks the end of a chain */
  return first + i;
}

/* Which kit the file asks the dynamic linker for. */
static void find_kit(const Image *m, char *kit, gsize size) {
  ElfW(Dyn) entry;
  kit[0] = '\0';
  for (uint64_t at = 0; at + sizeof entry <= m->dynamic_size; at += sizeof entry) {
    if (!read_at(m, m->dynamic + at, &entry, sizeof entry) || entry.d_tag == DT_NULL) return;
    const char *name = entry.d_tag == DT_NEEDED ? string_at(m, entry.d_un.d_val) : NULL;
    if (name && g_str_has_prefix(name, KIT)) g_strlcpy(kit, name, size);
  }
}

static char *look_for(const Image *m, const char *stem, HnElfHead *head) {
  g_autofree char *wanted = g_strconcat(stem, SUFFIX, NULL);
  const char *other = NULL;
  uint64_t count = count_symbols(m);
  for (uint64_t i = 1; i < count; i++) {
    ElfW(Sym) symbol;
    if (!read_at(m, m->symbols + i * sizeof symbol, &symbol, sizeof symbol)) break;
    if (symbol.st_shndx == SHN_UNDEF) continue;
    const char *name = string_at(m, symbol.st_name);
    /* Not a C name: sanitizers add symbols with a dot. */
    if (!name || !g_str_has_suffix(name, SUFFIX) || strchr(name, '.')) continue;
    if (strcmp(name, wanted) != 0) {
      other = name;
      continue;
    }
    uint64_t at = offset_of(m, symbol.st_value);
    if (ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT && symbol.st_size >= 2 * sizeof(uint32_t) &&
        at && read_word(m, at, &head->struct_size) &&
        read_word(m, at + sizeof(uint32_t), &head->abi))
      return NULL;
    return g_strdup_printf("exports %s, but not as constant data: HN_PLUGIN defines it", wanted);
  }
  if (other)
    return g_strdup_printf("holds the plugin '%.*s': its file must be named %.*s.so",
                           (int)(strlen(other) - strlen(SUFFIX)), other,
                           (int)(strlen(other) - strlen(SUFFIX)), other);
  return g_strdup_printf("is a shared object but exports no plugin: expected the data symbol %s "
                         "(HN_PLUGIN defines it)",
                         wanted);
}

char *hn_elf_refuse(const void *bytes, gsize size, const char *stem, HnElfHead *head) {
  Image m = {.bytes = bytes, .size = size};
  if (size == 0) return g_strdup("is empty");
  if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
    return g_strdup("is no shared object: it does not begin as an ELF file");
  if (!read_at(&m, 0, &m.head, sizeof m.head)) return g_strdup("is cut short: copy it again");
  const ElfW(Ehdr) *ours = &__ehdr_start;
  if (m.head.e_ident[EI_CLASS] != ours->e_ident[EI_CLASS] ||
      m.head.e_ident[EI_DATA] != ours->e_ident[EI_DATA] || m.head.e_machine != ours->e_machine)
    return g_strdup_printf("is built for another machine (ELF machine %d, this one is %d)",
                           m.head.e_machine, ours->e_machine);
  if (m.head.e_type != ET_DYN)
    return g_strdup("is an ELF file but no shared object: link it with -shared");
  if (!is_complete(&m)) return g_strdup("is cut short: copy it again");
  if (!find_tables(&m)) return g_strdup("is an ELF file without dynamic symbols");
  find_kit(&m, head->kit, sizeof head->kit);
  return look_for(&m, stem, head);
}
