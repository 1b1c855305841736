/* event_file.c - see event_file.h. */
#include "event_file.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Numbers of fields, and how their values are written. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum { WALL_TIME = 1, STEP = 2, FILE_VERSION = 3, SUMMARY = 5 }; /* of Event */
enum { VALUE = 1 };                                              /* of Summary */
enum { TAG = 1, SIMPLE_VALUE = 2 };                              /* of Summary.Value */
enum { HEAD = 12, TAIL = 4 };                                    /* of a record, around its data */

/* ---- protocol buffers; integers are little-endian ---- */

static void put_varint(GString *out, uint64_t x) {
  for (; x >= 0x80; x >>= 7) g_string_append_c(out, (char)(x | 0x80));
  g_string_append_c(out, (char)x);
}

static void put_fixed(GString *out, uint64_t x, int bytes) {
  for (int i = 0; i < bytes; i++) g_string_append_c(out, (char)(x >> 8 * i));
}

static void put_key(GString *out, int field, int type) {
  put_varint(out, (uint64_t)(field << 3 | type));
}

static void put_bytes(GString *out, int field, const char *bytes, gsize n) {
  put_key(out, field, BYTES);
  put_varint(out, n);
  g_string_append_len(out, bytes, (gssize)n);
}

static void put_wall_time(GString *out, double seconds) {
  uint64_t bits;
  memcpy(&bits, &seconds, sizeof bits);
  put_key(out, WALL_TIME, FIXED64);
  put_fixed(out, bits, 8);
}

static void put_scalar(GString *summary, const char *column, float x) {
  g_autoptr(GString) value = g_string_new(NULL);
  g_autofree char *tag = g_strdup(column);
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (strchr(tag, '.')) *strchr(tag, '.') = '/';
  put_bytes(value, TAG, tag, strlen(tag));
  put_key(value, SIMPLE_VALUE, FIXED32);
  put_fixed(value, bits, 4);
  put_bytes(summary, VALUE, value->str, value->len);
}

/* ---- records ---- */

/* Castagnoli's CRC, rotated and shifted, since a CRC of what holds its own CRC shows little. */
static uint32_t masked_crc(const char *bytes, gsize n) {
  uint32_t crc = ~0u;
  for (gsize i = 0; i < n; i++) {
    crc ^= (guchar)bytes[i];
    for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_record(GString *out, const GString *data) {
  const gsize at = out->len;
  put_fixed(out, data->len, 8);
  put_fixed(out, masked_crc(out->str + at, 8), 4);
  g_string_append_len(out, data->str, (gssize)data->len);
  put_fixed(out, masked_crc(data->str, data->len), 4);
}

void hn_event_begin(GString *out, double wall_time) {
  static const char version[] = "brain.Event:2";
  g_autoptr(GString) event = g_string_new(NULL);
  put_wall_time(event, wall_time);
  put_bytes(event, FILE_VERSION, version, sizeof version - 1);
  put_record(out, event);
}

void hn_event_row(GString *out, double wall_time, const char *columns, const char *row) {
  g_auto(GStrv) names = g_strsplit(columns, ",", -1), fields = g_strsplit(row, ",", -1);
  g_autoptr(GString) event = g_string_new(NULL), summary = g_string_new(NULL);
  int64_t step = 0;
  for (guint i = 0; names[i] && fields[i]; i++) {
    char *end;
    const double x = g_ascii_strtod(fields[i], &end);
    if (strcmp(names[i], "frames") == 0)
      step = g_ascii_strtoll(fields[i], NULL, 10);
    else if (strcmp(names[i], "update") != 0 && end > fields[i] && !*end && isfinite(x))
      put_scalar(summary, names[i], (float)x);
  }
  put_wall_time(event, wall_time);
  put_key(event, STEP, VARINT);
  put_varint(event, (uint64_t)step);
  put_bytes(event, SUMMARY, summary->str, summary->len);
  put_record(out, event);
}

/* ---- reading back ---- */

static uint64_t get_fixed(const char *bytes, int n) {
  uint64_t x = 0;
  for (int i = n - 1; i >= 0; i--) x = x << 8 | (guchar)bytes[i];
  return x;
}

/* The step of an event as it is written here: behind the time, or none, which is 0. */
static int64_t step_of(const char *data, gsize n) {
  uint64_t step = 0;
  gsize at = 1 + 8;
  if (n <= at || data[at] != (STEP << 3 | VARINT)) return 0;
  for (int shift = 0; ++at < n && shift < 64; shift += 7) {
    step |= (uint64_t)(data[at] & 0x7f) << shift;
    if (!(data[at] & 0x80)) break;
  }
  return (int64_t)step;
}

gsize hn_event_length(const char *bytes, gsize n, int64_t last) {
  gsize at = 0;
  while (n - at >= HEAD + TAIL) {
    const char *head = bytes + at, *data = head + HEAD;
    const uint64_t length = get_fixed(head, 8);
    if (get_fixed(head + 8, 4) != masked_crc(head, 8) || length > n - at - HEAD - TAIL ||
        get_fixed(data + length, 4) != masked_crc(data, length) || step_of(data, length) > last)
      break;
    at += HEAD + length + TAIL;
  }
  return at;
}
