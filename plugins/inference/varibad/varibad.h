/* varibad.h - VariBAD as a library: its parameters, columns and instance, and the methods of its
 * plugins.
 *
 * A recurrent encoder turns the steps of a trial into a Gaussian q_t over a latent z, which is the
 * belief; decoders that read z are to explain the whole trial, and both are trained on the evidence
 * lower bound.  A "state" is an observation and a flag that says whether it ended an episode.
 * SDVT's belief is a mixture of subtasks instead, and it learns from virtual rewards, too.
 *   params.h    parameters
 *   model.c     creation
 *   encoder.c   the encoder, and what it reads of a step
 *   belief.c    beliefs while acting, and the gradient of a policy's loss through them
 *   decoder.c   the losses of rewards, states and tasks decoded from latents
 *   elbo.c      the bound on a part of a batch, and its gradient
 *   learn.c     the updates of one iteration
 *   mixture.c   the mixture's posteriors and losses
 *   row.c       what a row remembers beside its hidden state, and the mixture's beliefs
 *   virtual.c   which iterations are virtual, and their rewards
 * Source: Zintgraf et al. 2020, arXiv 1910.08348; Lee, Cho & Sung 2023 (NeurIPS), SDVT. */
#ifndef HN_VARIBAD_H
#define HN_VARIBAD_H
#include "../../common/trial_replay.h"
#include "params.h"
#include <hunch/kit/rnn.h>

#define VARIBAD_INFO(X)                                                    \
  X(entropy, "nats", "Entropy of the posterior over the latent.", HN_LAST) \
  X(kl, "nats", "KL divergence of that posterior from N(0, I).", HN_LAST)

#define VARIBAD_METRICS(X)                                                                      \
  X(loss, "", "Loss of a trial, mean over the batch.", HN_MEAN)                                 \
  X(kl, "nats", "Unweighted KL divergence of a trial's posteriors from their priors.", HN_MEAN) \
  X(reward_loss, "", "Unweighted loss of a trial's decoded rewards.", HN_MEAN)                  \
  X(state_loss, "", "Unweighted loss of a trial's decoded next states.", HN_MEAN)               \
  X(task_loss, "", "Unweighted loss of a trial's decoded task.", HN_MEAN)                       \
  X(encoder_grad_norm, "", "Norm of the encoder's gradient before clipping.", HN_MEAN)          \
  X(decoder_grad_norm, "", "Norm of the decoders' gradient before clipping.", HN_MEAN)          \
  X(trials, "", "Finished trials in the replay buffer.", HN_MEAN)

/* What a mixture and virtual training add to these. */
#define VARIBAD_SUBTASK_INFO(X) \
  X(subtask_entropy, "nats", "Entropy of q(y | h), the belief over subtasks.", HN_LAST)
#define VARIBAD_SUBTASK_METRICS(X)                                                           \
  X(gauss_loss, "nats", "Unweighted ln q(z | h, y) - ln p(z | y) of a trial.", HN_MEAN)      \
  X(cat_loss, "nats", "Unweighted KL divergence of q(y | h) from the uniform.", HN_MEAN)     \
  X(occ_loss, "", "Unweighted penalty on subtasks of a high index.", HN_MEAN)                \
  X(ext_loss, "", "Unweighted squared error of the dispersion, mean over numbers.", HN_MEAN) \
  X(virtual, "", "Fraction of iterations whose rewards were virtual.", HN_MEAN)              \
  X(virtual_probability, "", "Probability that the next iteration is virtual.", HN_MEAN)

#define VARIBAD_RENAMED \
  "encoder_grad_norm:encoder_max_grad_norm decoder_grad_norm:decoder_max_grad_norm"

#define VARIBAD_INFO_(n, ...)   varibad_info_##n,
#define VARIBAD_METRIC_(n, ...) varibad_metric_##n,
enum { VARIBAD_INFO(VARIBAD_INFO_) VARIBAD_INFO_COUNT };
enum { VARIBAD_INFO_SUBTASK_ENTROPY = VARIBAD_INFO_COUNT }; /* of mixtures */
enum { VARIBAD_METRICS(VARIBAD_METRIC_) VARIBAD_SUBTASK_METRICS(VARIBAD_METRIC_) };

/* An MLP on [code, e(s'), e(a), e(s)], where the code is z or its dispersion, of which it reads the
 * parts that its flags name.  Its first layer is a sum of what the code adds and what the step
 * adds. */
typedef struct VaribadDecoder {
  HnMlp net; /* layers 0: nothing is decoded */
  HnMlp embed_state, embed_action;
  bool reads_next, reads_action, reads_state;
  bool bernoulli;
  int64_t code, inputs, outputs; /* code: numbers of what it reads of a latent */
  double weight;
} VaribadDecoder;

/* Networks of a mixture of K subtasks over a latent of d numbers. */
typedef struct VaribadMixture {
  int64_t K;      /* 1: no mixture, and nothing below */
  HnMlp subtask;  /* q(y | h): [hidden] to K logits */
  HnMlp latent;   /* q(z | h, y): [hidden + K] to mean and what softplus makes the variance, 2 d */
  HnMlp prior;    /* p(z | y): [K] to the same; among the decoders */
  HnMlp disperse; /* z to [hidden], which the reward decoder reads; layers 0: it reads z */
} VaribadMixture;

/* Virtual training, of which acting reads all. */
typedef struct VaribadVirtual {
  int64_t *active;    /* [1] whether rewards of the running iteration are virtual */
  int64_t *count;     /* [1] of virtual iterations so far */
  HnNormaliser usage; /* of q(y | h) over all steps: its mean is used */
  float *latent;      /* [rows, d] the last latents of real trials, a ring */
  int64_t *latents;   /* [1] of such trials so far */
} VaribadVirtual;

/* What the last forward leaves to its backward. */
typedef struct VaribadForward {
  HnTape recurrence, head; /* the head reads a copy of the hidden states */
  HnVar *states, *head_states, *moments;
  float *flat;
  const float *noise; /* [(T+1) B, S, d] of the draws */
} VaribadForward;

typedef struct Varibad {
  const VaribadParams *p;
  const HnHost *host;
  int64_t d, hidden;           /* of the latent, of the hidden state */
  int64_t obs_dim, action_dim; /* of the action as networks read it */
  int64_t state_dim;           /* obs_dim and the flag */
  bool discrete, reads_actions;
  int64_t belief_dim, info_count;
  size_t row_size; /* of row memory: the hidden state, and behind it a VaribadRow if it follows */
  bool follows;
  int64_t horizon, lifetime;
  HnStore encoder, decoders;
  HnMlp embed_state, embed_action, embed_reward; /* layers 0: not read */
  HnRnn gru;
  HnTensor *head, *bias; /* [hidden, 2 d], [1, 2 d]: mean, then log-variance */
  VaribadDecoder reward, state, task;
  VaribadMixture mixture;
  VaribadVirtual virtual;
  HnTrialReplay replay;
  int64_t *slot; /* [batch] of the trials of the running update */
  VaribadForward forward;
} Varibad;

/* The methods of the plugins, as in hunch/inference.h; self is a Varibad, params a VaribadParams.
 */
HnStatus varibad_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);
HnStatus varibad_infer(void *self, HnBeliefUpdate *q);
HnStatus varibad_forward(void *self, HnBeliefUpdate *q);
HnStatus varibad_backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                          double *norm2);
HnStatus varibad_step(void *self, double scale, double rate);
HnStatus varibad_learn(void *self, const HnTrainBatch *batch);
HnStatus varibad_learn_virtual(void *self, const HnTrainBatch *batch);
HnStatus varibad_relabel(void *self, const HnHistory *h, void *state, HnRng *rng, float *reward);
HnStatus varibad_map(void *self, const float *belief, float *cells);

/* The updates of an iteration, once its trials are in the replay. */
HnStatus varibad_train(Varibad *v, const HnTrainBatch *batch);
#endif
