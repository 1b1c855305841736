/* rl2.h - RL2 as a library: its parameters, columns and instance, and the methods of the plugin.
 *
 * A recurrent network whose state, carried over the whole trial, is the belief; the policy's loss
 * trains it.
 *   network.c   creation, and the network's pass over a piece of a window; beliefs while acting
 *   learn.c     forward and backward through time, in shards of rows and segments of time
 * Source: Duan et al. 2016, arXiv 1611.02779. */
#ifndef HN_RL2_H
#define HN_RL2_H
#include <hunch/inference.h>
#include <hunch/kit/rnn.h>
#include <hunch/kit/scratch.h>

#define RL2_PARAMS(X)                                                                             \
  X(choice, cell, "", "Recurrent cell.", "gru", HN_RNN_CHOICES)                                   \
  X(int, hidden, "", "Hidden units of the recurrent cell.", 128, 1, 65536)                        \
  X(int, obs_embed, "",                                                                           \
    "ReLU units that embed the observation and the flag of see_episodes; 0: they are read as "    \
    "they are.",                                                                                  \
    32, 0, 65536)                                                                                 \
  X(int, act_embed, "",                                                                           \
    "ReLU units that embed the action (one-hot if discrete); 0: it is read as it is.", 16, 0,     \
    65536)                                                                                        \
  X(int, reward_embed, "", "ReLU units that embed the reward; 0: it is read as it is.", 16, 0,    \
    65536)                                                                                        \
  X(flag, see_obs, "", "Whether the network reads observations.", true)                           \
  X(flag, see_act, "", "Whether the network reads the actions taken before them.", true)          \
  X(flag, see_reward, "", "Whether the network reads the rewards received before them.", true)    \
  X(flag, see_episodes, "", "Whether the network reads a flag that an episode has just ended.",   \
    true)                                                                                         \
  X(int, bottleneck, "",                                                                          \
    "Units of a layer on the hidden state that is the belief in its place; 0: there is none.", 0, \
    0, 65536)                                                                                     \
  X(choice, bottleneck_activation, "", "Activation of the bottleneck.", "relu",                   \
    "relu|linear|tanh")                                                                           \
  X(int, truncate, "step",                                                                        \
    "Length of the segments of a window within which gradients flow back; 0: the whole window.",  \
    0, 0, 1e9)                                                                                    \
  X(flag, refresh, "",                                                                            \
    "Whether the states of unfinished trials are computed again after each update.", false)       \
  X(flag, forget, "",                                                                             \
    "Whether windows that begin in mid-trial start from a state of 0, as in VariBAD's code.",     \
    false)                                                                                        \
  X(real, lr, "", "Learning rate of Adam; the policy's schedule scales it.", 7e-4, 0, 1)          \
  X(real, adam_eps, "", "Term of Adam's denominator that guards against division by 0.", 1e-8, 0, \
    1)                                                                                            \
  X(real, max_grad_norm, "",                                                                      \
    "Largest norm of this plugin's gradient, after the policy's joint bound; 0: no bound.", 0, 0, \
    1e9)
#define RL2_METRICS(X)      X(grad_norm, "", "Norm of this plugin's gradient before clipping.", HN_MEAN)
#define RL2_METRIC_(n, ...) rl2_metric_##n,
enum { RL2_METRICS(RL2_METRIC_) };

/* Indices of the choices of bottleneck_activation. */
enum { RL2_RELU, RL2_LINEAR, RL2_TANH };

typedef struct Rl2Params {
  RL2_PARAMS(HN_FIELD)
} Rl2Params;

/* Parts of the input; the flag that an episode has ended stands beside the observation. */
enum { RL2_OBS, RL2_ACTION, RL2_REWARD, RL2_PARTS };

/* A row's memory. */
typedef struct Rl2Row {
  int64_t clock; /* optimiser steps behind the weights that wrote it */
  float carry[]; /* [rnn.carry] the cell's states */
} Rl2Row;

/* What forward keeps of one segment of one shard, in memory that outlives its task. */
typedef struct Rl2Tape {
  HnReuse scratch;
  HnTape tape;
  HnVar *belief;
} Rl2Tape;

typedef struct Rl2 {
  const Rl2Params *p;
  const HnHost *host;
  bool discrete;
  int64_t obs_dim, action_dim; /* of an observation and an action as they are read; 0: not read */
  int64_t part[RL2_PARTS];     /* numbers of each part of the input */
  int64_t belief_dim;
  size_t row_size;
  HnStore store;
  HnMlp embed[RL2_PARTS], bottleneck; /* layers 0: there is none */
  HnRnn rnn;
  double norm2;      /* of the gradient */
  size_t tape_bytes; /* of the largest tape so far */
  /* of the last forward, until its backward */
  int64_t tasks; /* a task is one segment of one shard */
  float *start;  /* [segments, B, rnn.carry] */
  float *flat;   /* [tasks, store.size] gradients */
  Rl2Tape *tape; /* [tasks]; NULL: none are kept */
} Rl2;

/* The plugin's methods, as in hunch/inference.h; self is an Rl2, params an Rl2Params. */
HnStatus rl2_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);
HnStatus rl2_infer(void *self, HnBeliefUpdate *q);
HnStatus rl2_forward(void *self, HnBeliefUpdate *q);
HnStatus rl2_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2);
HnStatus rl2_step(void *self, double scale, double rate);
#endif
