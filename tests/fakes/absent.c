/* absent.c - the library that missing_dependency.c is linked to under a name no file has. */
float hunch_test_absent(void);
__attribute__((visibility("default"))) float hunch_test_absent(void) {
  return 1;
}
