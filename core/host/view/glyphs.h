/* glyphs.h - text and rectangles in a picture, drawn without any library. */
#ifndef HN_GLYPHS_H
#define HN_GLYPHS_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HnImage {
  int64_t width, height;
  uint8_t *rgb; /* [height, width, 3], top row first */
} HnImage;

/* A rectangle of it, in pixels. */
typedef struct HnBox {
  int64_t u, v, width, height;
} HnBox;

/* Of a letter at scale 1, in pixels. */
enum { HN_GLYPH_ADVANCE = 6, HN_GLYPH_HEIGHT = 7 };

/* Text in lower case, each letter `scale` times 5 x 7 pixels, from column u and row v on.  What
 * does not fit is clipped; a character without a glyph is a space. */
void hn_glyphs_draw(const HnImage *image, int64_t u, int64_t v, int scale, const char *text,
                    const uint8_t ink[3]);
/* Pixels that the text takes across. */
int64_t hn_glyphs_width(const char *text, int scale);
/* Fills a rectangle; what lies outside the picture is clipped. */
void hn_image_fill(const HnImage *image, HnBox b, const uint8_t ink[3]);
#endif
