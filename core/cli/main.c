/* main.c - `hunch VERB ...`: finds the verb and hands over. */
#include "cli.h"

int main(int argc, char **argv) {
  (void)argc, (void)argv;
  return HN_EXIT_USAGE;
}
