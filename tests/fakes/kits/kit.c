/* kit.c - a library that passes for the kit by its name. */
const char *hn_kit_isa(void);
__attribute__((visibility("default"))) const char *hn_kit_isa(void) {
  return "none";
}
