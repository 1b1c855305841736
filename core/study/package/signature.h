/* signature.h - FILE.minisig, made and judged by the program minisign. */
#ifndef HN_SIGNATURE_H
#define HN_SIGNATURE_H
#include <glib.h>
#include <stdbool.h>

/* Where the signature of a file is; g_free. */
char *hn_signature_path(const char *file);
/* Whether minisign is installed; HN_ERROR_MISSING. */
bool hn_signature_ready(GError **error);
/* Signs a file with the secret key in file `key`; minisign asks for its password.
 * HN_ERROR_PROGRAM. */
bool hn_signature_make(const char *file, const char *key, GError **error);
/* Whether the file's signature is of that public key, given as text or as a file.
 * HN_ERROR_DIFFERS: it is not. */
bool hn_signature_check(const char *file, const char *key, GError **error);
#endif
