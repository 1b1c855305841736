/* generated_page.h - a page of the documentation of which a test program writes the part between
 * two marks. */
#ifndef GENERATED_PAGE_H
#define GENERATED_PAGE_H
#include <glib.h>
#include <string.h>

typedef struct GeneratedPage {
  const char *file, *begin, *end; /* the marks, with their line breaks */
  char *(*part)(void);            /* what stands between them now; g_free */
} GeneratedPage;

static G_GNUC_UNUSED G_NO_INLINE char *generated_page_read(const GeneratedPage *p) {
  char *page = NULL;
  g_assert_true(g_file_get_contents(p->file, &page, NULL, NULL));
  return page;
}

/* Its text with that part as it is now. */
static G_GNUC_UNUSED G_NO_INLINE char *generated_page_renewed(const GeneratedPage *p,
                                                              const char *page) {
  g_autofree char *now = p->part();
  const char *begin = strstr(page, p->begin), *end = strstr(page, p->end);
  g_assert_true(begin && end > begin);
  g_autofree char *head = g_strndup(page, (gsize)(begin - page) + strlen(p->begin));
  return g_strconcat(head, now, end, NULL);
}

static inline void generated_page_check(const GeneratedPage *p) {
  g_autofree char *page = generated_page_read(p), *now = generated_page_renewed(p, page);
  g_assert_cmpstr(page, ==, now);
}

/* Whether the program was called to write the page, which *code then is the end of. */
static inline bool generated_page_regenerates(const GeneratedPage *p, int argc, char **argv,
                                              int *code) {
  if (argc != 2 || strcmp(argv[1], "--regenerate") != 0) return false;
  g_autofree char *page = generated_page_read(p), *now = generated_page_renewed(p, page);
  *code = !g_file_set_contents(p->file, now, -1, NULL);
  return true;
}
#endif
