/* hunch/kit/attention.h - multi-head attention over many short sequences, and transformer encoders
 * made of it.
 *
 * Sequences of up to `slots` tokens are given by a table of rows: element (s, j) says which row of
 * the tokens' projections stands in slot j of sequence s, and a negative one that the slot is
 * empty.  So windows may overlap, tokens of an earlier call may be put in front of new ones (keys
 * and values that are kept while acting), and padding costs no mask.  Sequences are short: memory
 * goes with slots squared, and work is shared out over sequences, not over slots.
 *
 *   qkv = hn_encoder_qkv(t, e, layer, x, flat);           all heads' projections in one product
 *   x   = hn_encoder_layer(t, e, layer, x, qkv, s, flat); attention and feed-forward, added to x */
#ifndef HUNCH_KIT_ATTENTION_H
#define HUNCH_KIT_ATTENTION_H
#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HN_ATTEND_SLOTS = 256 }; /* of a sequence, at most */

typedef int32_t HnAttend;
enum {
  HN_ATTEND_ALL = 0,    /* every slot asks, and sees all of its sequence */
  HN_ATTEND_CAUSAL = 1, /* every slot asks, and sees itself and those before it */
  HN_ATTEND_LAST = 2,   /* the last slot alone asks, and sees all of its sequence */
};

/* A set of sequences, for one tape. */
typedef struct HnSequences HnSequences;
/* n sequences of `slots` slots, at most HN_ATTEND_SLOTS; row [n, slots] as above, borrowed, or
 * NULL: row s slots + j in slot j. */
HN_KIT const HnSequences *hn_sequences(HnTape *t, int64_t n, int64_t slots, const int32_t *row,
                                       HnAttend attend);

/* Scaled dot-product attention of `heads` heads: of each slot that asks
 *   y_h = sum_j softmax_j(q_h . k_h[j] / sqrt(d / heads)) v_h[j]
 * over the slots j that it sees, heads side by side.
 *   qkv  [rows, 3 d] each token's query, key and value
 * Returns [n slots, d], or [n, d] where the last slots alone ask; 0 where the slot that asks is
 * empty.  A row's bits depend on its own sequence alone.
 * Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2. */
HN_KIT HnVar *hn_attention(HnTape *t, HnVar *qkv, int64_t heads, const HnSequences *s);

/* Sinusoidal positions: p [n, d], p[i, 2 k] = sin(i / 10000^(2 k / d)), p[i, 2 k + 1] the cosine of
 * the same, for i = from .. from + n - 1.  [any]  Source: as above, section 3.5. */
HN_KIT void hn_positions(int64_t from, int64_t n, int64_t d, float *p);

/* ---- encoders ---- */

enum { HN_ENCODER_MAX = 12 };
/* Layers x + attention(x), then x + feed_forward(x), without normalisation or dropout. */
typedef struct HnEncoder HnEncoder;

/* Adds an encoder of 1 to HN_ENCODER_MAX layers; width a multiple of heads.  Tensors are
 * NAME.L.qkv.weight, .qkv.bias, .out.weight, .out.bias, .ff.0.weight, .. for layer L.
 * Initialised by T-Fixup, under which it needs neither normalisation nor warm-up, as TrMRL has it:
 * weights Xavier-uniform times 0.67 layers^(-1/4), those of qkv as if query, key and value had a
 * matrix each (so queries and keys are scaled too, unlike the original); biases of attention 0, of
 * the feed-forward uniform within 1 / sqrt(inputs).  Tokens should then be embedded with a standard
 * deviation of width^(-1/2) (9 layers)^(-1/4), see hn_encoder_embedding_stddev.  [create]
 * Source: Huang et al. 2020 (T-Fixup); Melo 2022, arXiv 2206.06614 (TrMRL). */
HN_KIT const HnEncoder *hn_encoder_make(HnStore *s, const char *name, int64_t layers, int64_t width,
                                        int64_t heads, int64_t hidden, HnRng *rng);
/* Of the weights that embed tokens under T-Fixup. [any] */
HN_KIT double hn_encoder_embedding_stddev(int64_t layers, int64_t width);

/* A layer's projections of tokens x [rows, d]: queries, keys and values, [rows, 3 d]. */
HN_KIT HnVar *hn_encoder_qkv(HnTape *t, const HnEncoder *e, int64_t layer, HnVar *x, float *flat);
/* A layer's output for the tokens that ask, whose inputs are x [as hn_attention returns, d]; rows
 * of s are those of qkv. */
HN_KIT HnVar *hn_encoder_layer(HnTape *t, const HnEncoder *e, int64_t layer, HnVar *x, HnVar *qkv,
                               const HnSequences *s, float *flat);
/* All layers over n sequences of tokens x [n slots, d], causally: what the last slots are in the
 * end, [n, d]; the last layer computes no others.  row [n, slots], borrowed: each slot's own row of
 * x, s slots + j, or -1 where it is empty; NULL: none is. */
HN_KIT HnVar *hn_encoder(HnTape *t, const HnEncoder *e, HnVar *x, int64_t n, int64_t slots,
                         const int32_t *row, float *flat);

#ifdef __cplusplus
}
#endif
#endif
