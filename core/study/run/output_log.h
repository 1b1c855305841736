/* output_log.h - what a process prints, kept within bounds: its first megabyte and its last lines
 * go to a file, its first lines to whoever listens, its last line stays at hand. */
#ifndef HN_OUTPUT_LOG_H
#define HN_OUTPUT_LOG_H
#include <glib.h>
#include <stdbool.h>

typedef struct HnOutputLog HnOutputLog;
typedef void HnOutputLine(void *arg, const char *line);

/* path: appended to, once something is printed and the folder is there.  line gets the first
 * hundreds of lines, printable and cut to a bounded length. */
HnOutputLog *hn_output_log_new(const char *path, HnOutputLine *line, void *arg);
void hn_output_log_take(HnOutputLog *o, const char *bytes, gsize count);
/* Nothing more will come: what was held back is written, the file is closed. */
void hn_output_log_end(HnOutputLog *o);
/* The last line that is not empty, or NULL. */
const char *hn_output_log_last(const HnOutputLog *o);
void hn_output_log_free(HnOutputLog *o);
#endif
