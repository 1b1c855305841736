#include "rl2/network.c"
