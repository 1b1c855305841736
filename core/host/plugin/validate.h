/* validate.h - checks a plugin's descriptor, and tells which methods it implements. */
#ifndef HN_VALIDATE_H
#define HN_VALIDATE_H
#include <glib.h>
#include <hunch/plugin.h>

/* Why a plugin of that ABI version cannot be read, or NULL; free with g_free.  Any of the same
 * major version whose minor is not above the host's can. */
char *hn_descriptor_refuse_abi(uint32_t abi);
/* The descriptor as the host reads it, in structs of its own sizes (widen.h), which lives as long
 * as the plugin; or NULL with why the descriptor, its parameter table or its columns cannot be used
 * under the name `stem` (g_free).  Calls no plugin function. */
const HnPlugin *hn_descriptor_read(const HnPlugin *own, const char *stem, char **why);
/* Why the whole descriptor, its parameter table and its columns cannot be used under the name
 * `stem`, or NULL; free with g_free.  Calls no plugin function. */
char *hn_descriptor_refuse(const HnPlugin *p, const char *stem);

/* A method of HnEnv, HnInference or HnPolicy. */
typedef struct HnMethod {
  const char *name;
  gsize offset; /* of its pointer in the struct */
  bool required;
  const char *doc;
} HnMethod;
/* All methods of a kind, in the struct's order; the last has no name. */
const HnMethod *hn_methods_of(HnKind kind);
/* Whether the plugin implements it. */
bool hn_method_is_offered(const HnPlugin *p, const HnMethod *method);

/* Whether the host's tables have a column of that name beside those that plugins declare. */
bool hn_column_is_reserved(const char *name);
/* Whether `name` can be that of a plugin, a parameter or a column: a C identifier of at most 100
 * letters, as a symbol or part of a file's name is made of it. */
bool hn_descriptor_is_name(const char *name);
#endif
