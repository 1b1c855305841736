/* isa.h - which instruction set the kernels run on.  Kernel files are compiled once per set; every
 * one exports a table, and the level chosen here picks among the tables. */
#ifndef HN_KIT_ISA_H
#define HN_KIT_ISA_H

enum { HN_ISA_BASE = 0, HN_ISA_V3 = 1, HN_ISA_V4 = 2 };

/* The best level of this processor, or the lower one that HUNCH_ISA asks for; the same for the
 * life of the process.  [any] */
int hn_isa_level(void);

/* The tables of one name by level, and how many there are. */
#if defined(__x86_64__)
enum { HN_ISA_LEVELS = 3 };
#  define HN_VARIANTS(name) \
    { &name##_base, &name##_v3, &name##_v4 }
#else
enum { HN_ISA_LEVELS = 1 };
#  define HN_VARIANTS(name) \
    { &name##_base }
#endif

/* In a kernel file, HN_VARIANT(hn_things) is hn_things_base, hn_things_v3 or hn_things_v4. */
#ifdef HN_ISA
#  define HN_VARIANT_(name, isa)  name##_##isa
#  define HN_VARIANT__(name, isa) HN_VARIANT_(name, isa)
#  define HN_VARIANT(name)        HN_VARIANT__(name, HN_ISA)
#endif
#endif
