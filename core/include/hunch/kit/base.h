/* hunch/kit/base.h - what every header of the kit begins with. */
#ifndef HUNCH_KIT_BASE_H
#define HUNCH_KIT_BASE_H
#include <stddef.h>
#include <stdint.h>

#define HN_KIT __attribute__((visibility("default")))

/* Names the layout of the kit's public structs: the first 64 bits of the SHA-256 of
 * tests/golden/kit_layout.txt (kit_layout_test says what it should be when a struct has changed).
 * HN_PLUGIN puts it into the descriptor of a plugin that includes any header of the kit, and the
 * host refuses a plugin that was compiled with another. */
#define HN_KIT_LAYOUT UINT64_C(0x34107af5189ffc65)
#undef HN_PLUGIN_KIT_LAYOUT
#define HN_PLUGIN_KIT_LAYOUT HN_KIT_LAYOUT
/* The library that these headers are of; the number changes when what a program compiled with older
 * headers relies on has changed. */
#define HN_KIT_SONAME "libhunch-kit.so.1"
#endif
