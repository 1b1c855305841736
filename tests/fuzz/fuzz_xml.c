/* fuzz_xml.c - bytes become a model in MuJoCo's XML, which may include itself.  A refusal must come
 * with a reason, and what is accepted must read back the same. */
#include "fuzz.h"
#include <xml.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_folder_make();
  return 0;
}

/* What is written of a file of the folder, its files now at the root, or NULL; free(). */
static char *written(const char *file) {
  HnMwXml xml;
  char error[200] = "";
  char *text = NULL;
  if (hn_mw_xml_read(&xml, fuzz_folder, file, error, sizeof error))
    text = hn_mw_xml_write(&xml, "", "");
  else
    g_assert_cmpuint(strlen(error), >, 0);
  hn_mw_xml_free(&xml);
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *path = fuzz_write("model.xml", data, size);
  char *once = written("model.xml");
  if (once) {
    g_autofree char *again = fuzz_write("again.xml", once, strlen(once));
    char *twice = written("again.xml");
    g_assert_cmpstr(once, ==, twice);
    free(twice);
  }
  free(once);
  return 0;
}
