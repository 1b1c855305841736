/* words_meant.h - what is meant by words that other programs have for a verb or an option. */
#ifndef HN_WORDS_MEANT_H
#define HN_WORDS_MEANT_H

/* What to use instead of a verb that there is not, as "'hunch run' goes on where it stopped"; of
 * `--dry-run`, given as "--dry-run" or "--dry-run=x".  NULL: nothing is known of it. */
const char *hn_verb_meant(const char *word);
const char *hn_option_meant(const char *option);
#endif
