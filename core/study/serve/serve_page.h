/* serve_page.h - the page that a browser is given: page.html, page.css, page.js and page.svg, its
 * icon, of this folder, which are built into the program. */
#ifndef HN_SERVE_PAGE_H
#define HN_SERVE_PAGE_H

/* Each is freed with g_free. */
char *hn_serve_page_html(void);
/* With a class for each slot (colours.h), "slot-3", and "rest": its colour, --own, and its dash. */
char *hn_serve_page_style(void);
char *hn_serve_page_script(void);
char *hn_serve_page_icon(void);
#endif
