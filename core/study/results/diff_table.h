/* diff_table.h - where two tables of one kind part, row by row. */
#ifndef HN_DIFF_TABLE_H
#define HN_DIFF_TABLE_H
#include "run_dir.h"

/* A column of one or both. */
typedef struct HnColumnDiff {
  char *name;
  bool in_a, in_b;
  int64_t row;    /* the first that differs, from 0; -1: none of those that both have */
  GString *a, *b; /* the last fields that are not empty, "" where there is none */
} HnColumnDiff;

typedef struct HnTableDiff {
  HnRunFile table;
  char *damaged;          /* why one of them cannot be read to its end, or NULL */
  int64_t rows_a, rows_b; /* -1: there is no such table */
  int64_t first;          /* the first row in which they differ, -1: none */
  char *update;           /* that it is of, or NULL */
  int64_t differ;         /* columns that do in some row, or that one side lacks */
  GPtrArray *columns;     /* HnColumnDiff *, in the order of a, then those of b alone */
} HnTableDiff;

/* Compares the tables of two runs' folders, streaming both.  Fields are the same if their texts or
 * their numbers are; arm and seed, by which episodes.csv names the cell, do not count.  NULL:
 * neither has such a table. */
HnTableDiff *hn_diff_table(const char *dir_a, const char *dir_b, HnRunFile table);
void hn_table_diff_free(HnTableDiff *t);
/* Whether anything differs. */
bool hn_table_diff_any(const HnTableDiff *t);
#endif
