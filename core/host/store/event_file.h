/* event_file.h - scalars as TensorBoard reads them: a file of records, framed as TFRecord frames
 * them, each of which is an `Event` in the encoding of protocol buffers.
 * Source: tensorflow/core/util/event.proto, summary.proto; lib/io/record_writer.h. */
#ifndef HN_EVENT_FILE_H
#define HN_EVENT_FILE_H
#include <glib.h>
#include <stdint.h>

/* Appends the record that begins a file.  wall_time: seconds since 1970. [any] */
void hn_event_begin(GString *out, double wall_time);
/* Appends the record of a row of a table with these columns, "update,frames,eval.return": its step
 * is the row's `frames`, its scalars are the other fields that are finite numbers but `update`, in
 * single precision, with eval.return as eval/return, which groups them.  Fields hold no commas.
 * [any] */
void hn_event_row(GString *out, double wall_time, const char *columns, const char *row);
/* How many of the n bytes are whole records, the file's first and those of steps up to `last`.
 * [any]
 */
gsize hn_event_length(const char *bytes, gsize n, int64_t last);
#endif
