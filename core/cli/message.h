/* message.h - what the program says on stderr, and its colours. */
#ifndef HN_MESSAGE_H
#define HN_MESSAGE_H
#include <glib.h>

/* "hunch VERB: error: TEXT", in colour on a terminal; verb may be NULL. */
void hn_message_error(const char *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);
void hn_message_warning(const char *verb, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The escape sequence of a style on file descriptor fd, or "": not a terminal, NO_COLOR is set, or
 * the terminal is dumb. */
typedef enum HnStyle { HN_PLAIN, HN_BOLD, HN_RED, HN_YELLOW, HN_GREEN } HnStyle;
const char *hn_message_style(int fd, HnStyle style);

/* Prints lines on stdout; on a terminal, those that it cannot show whole are broken at spaces
 * (text_fold.h). */
void hn_message_lines(const char *text);
#endif
