/* encoder.c - see hunch/kit/attention.h. */
#include "hunch/kit/attention.h"
#include "tape_record.h"
#include <math.h>
#include <stdio.h>

typedef struct Layer {
  HnTensor *qkv_w, *qkv_b; /* [d, 3 d], [1, 3 d] */
  HnTensor *out_w, *out_b; /* [d, d], [1, d] */
  HnMlp feed_forward;      /* d, hidden ReLU units, d */
} Layer;
struct HnEncoder {
  int64_t layers, width, heads;
  Layer layer[HN_ENCODER_MAX];
};

void hn_positions(int64_t from, int64_t n, int64_t d, float *p) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) {
      const double angle = (double)(from + i) * pow(10000, -(double)(j / 2 * 2) / (double)d);
      p[i * d + j] = (float)(j % 2 ? cos(angle) : sin(angle));
    }
}

/* ---- creation ---- */

double hn_encoder_embedding_stddev(int64_t layers, int64_t width) {
  return pow((double)width, -0.5) * pow(9 * (double)layers, -0.25);
}

static HnTensor *add(HnStore *s, const char *layer, const char *name, int64_t rows, int64_t cols,
                     HnInit init, double gain, HnRng *rng) {
  char text[256];
  snprintf(text, sizeof text, "%s.%s", layer, name);
  return hn_store_add(s, text, rows, cols, init, gain, rng);
}

/* sqrt(2): the fan of three matrices side by side counts as that of one. */
static Layer make_layer(HnStore *s, const char *name, int64_t d, int64_t hidden, double gain,
                        HnRng *rng) {
  Layer e = {.qkv_w = add(s, name, "qkv.weight", d, 3 * d, HN_INIT_XAVIER, sqrt(2) * gain, rng),
             .qkv_b = add(s, name, "qkv.bias", 1, 3 * d, HN_INIT_ZERO, 0, rng),
             .out_w = add(s, name, "out.weight", d, d, HN_INIT_XAVIER, gain, rng),
             .out_b = add(s, name, "out.bias", 1, d, HN_INIT_ZERO, 0, rng)};
  HnMlp *ff = &e.feed_forward;
  *ff = (HnMlp){.layers = 2, .hidden = HN_RELU, .output = HN_LINEAR};
  const int64_t width[] = {d, hidden, d};
  for (int i = 0; i < 2; i++) {
    const char *const weight[] = {"ff.0.weight", "ff.1.weight"}, *const bias[] = {"ff.0.bias",
                                                                                  "ff.1.bias"};
    ff->w[i] = add(s, name, weight[i], width[i], width[i + 1], HN_INIT_XAVIER, gain, rng);
    ff->b[i] =
        add(s, name, bias[i], 1, width[i + 1], HN_INIT_FAN_IN, 1 / sqrt((double)width[i]), rng);
  }
  return e;
}

const HnEncoder *hn_encoder_make(HnStore *s, const char *name, int64_t layers, int64_t width,
                                 int64_t heads, int64_t hidden, HnRng *rng) {
  if (layers < 1 || layers > HN_ENCODER_MAX || heads < 1 || width % heads)
    hn_bug("hn_encoder_make: %lld layers of width %lld with %lld heads", (long long)layers,
           (long long)width, (long long)heads);
  HnEncoder *e = s->host->alloc(s->host, 1, sizeof *e);
  *e = (HnEncoder){.layers = layers, .width = width, .heads = heads};
  const double gain = 0.67 * pow((double)layers, -0.25);
  for (int64_t i = 0; i < layers; i++) {
    char text[128];
    snprintf(text, sizeof text, "%s.%lld", name, (long long)i);
    e->layer[i] = make_layer(s, text, width, hidden, gain, rng);
  }
  return e;
}

/* ---- on the tape ---- */

HnVar *hn_encoder_qkv(HnTape *t, const HnEncoder *e, int64_t layer, HnVar *x, float *flat) {
  const Layer *l = &e->layer[layer];
  return hn_linear(t, x, hn_param(t, l->qkv_w, flat), hn_param(t, l->qkv_b, flat), HN_LINEAR);
}

HnVar *hn_encoder_layer(HnTape *t, const HnEncoder *e, int64_t layer, HnVar *x, HnVar *qkv,
                        const HnSequences *s, float *flat) {
  const Layer *l = &e->layer[layer];
  HnVar *seen = hn_attention(t, qkv, e->heads, s);
  seen = hn_linear(t, seen, hn_param(t, l->out_w, flat), hn_param(t, l->out_b, flat), HN_LINEAR);
  x = hn_add(t, x, seen);
  return hn_add(t, x, hn_mlp(t, &l->feed_forward, x, flat));
}

/* The rows of the last slots. */
static HnVar *last_of(HnTape *t, HnVar *x, int64_t n, int64_t slots) {
  int32_t *row = hn_tape_take(t, n, sizeof *row);
  for (int64_t k = 0; k < n; k++) row[k] = (int32_t)((k + 1) * slots - 1);
  return hn_pick_rows(t, x, n, row);
}

HnVar *hn_encoder(HnTape *t, const HnEncoder *e, HnVar *x, int64_t n, int64_t slots,
                  const int32_t *row, float *flat) {
  if (x->rows != n * slots || x->cols != e->width)
    hn_bug("hn_encoder: [%lld, %lld] are no %lld sequences of %lld tokens of width %lld",
           (long long)x->rows, (long long)x->cols, (long long)n, (long long)slots,
           (long long)e->width);
  const HnSequences *all = hn_sequences(t, n, slots, row, HN_ATTEND_CAUSAL);
  for (int64_t i = 0; i + 1 < e->layers; i++)
    x = hn_encoder_layer(t, e, i, x, hn_encoder_qkv(t, e, i, x, flat), all, flat);
  const HnSequences *last = hn_sequences(t, n, slots, row, HN_ATTEND_LAST);
  HnVar *qkv = hn_encoder_qkv(t, e, e->layers - 1, x, flat);
  return hn_encoder_layer(t, e, e->layers - 1, last_of(t, x, n, slots), qkv, last, flat);
}
