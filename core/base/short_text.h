/* short_text.h - numbers, durations and lists in a few letters, for people. */
#ifndef HN_SHORT_TEXT_H
#define HN_SHORT_TEXT_H
#include <stdint.h>

/* What a noun ends in after a number: "" after 1, else "s". */
const char *hn_plural(int64_t count);
/* The verb that follows: "is" after 1, else "are". */
const char *hn_is_or_are(int64_t count);
/* "1.23M" of 1234567; free with g_free, like the next. */
char *hn_short_number(double x);
/* "1.24 MB" of 1234567: rounded up, as it is a bound. */
char *hn_short_bytes(double x);
/* "3m12s", "2h05m", "1d03h". */
char *hn_short_duration(double seconds);
/* "a, b, c": at most `most` of the names, and then " and 5 more". */
char *hn_short_list(const char *const *names, uint32_t count, uint32_t most);
#endif
