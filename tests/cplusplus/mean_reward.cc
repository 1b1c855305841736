/* mean_reward.cc - an inference plugin in C++17, with the kit: the belief is tanh(gain m) of the
 * mean m of the rewards of the trial so far. */
#include <hunch/inference.h>
#include <hunch/kit/gemm.h>

#define PARAMS(X) X(real, gain, "", "Factor of the mean reward before it is squashed.", 1, 0, 100)
HN_PARAMS(PARAMS);
#define INFO(X) X(steps, "step", "Steps of the trial so far.", HN_LAST)
HN_INFO(INFO);

namespace {
struct MeanReward {
  float *gain; /* [1], a weight */
};
struct Row {
  double sum;
  int64_t steps;
};

HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  auto *kept = host->keep(host, HN_ARRAY("gain", HN_WEIGHT, HN_F32, .rank = 1, .dim = {1}));
  auto *m = static_cast<MeanReward *>(self);
  m->gain = static_cast<float *>(kept);
  *m->gain = static_cast<float>(static_cast<const HnThisParams *>(params)->gain);
  spec->belief_dim = 1, spec->row_size = sizeof(Row);
  return HN_OK;
}

HnStatus infer(void *self, HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      Row &row = static_cast<Row *>(q->state)[i];
      if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK)
        row = {};
      else
        row.sum += static_cast<double>(h->reward[hn_at(h, t - 1, i)]), row.steps++;
      const double mean = row.steps > 0 ? row.sum / static_cast<double>(row.steps) : 0;
      const float x = *static_cast<MeanReward *>(self)->gain * static_cast<float>(mean);
      hn_vec_tanh(1, &x, &q->belief[t * h->rows + i]);
      if (q->info) q->info[t * h->rows + i] = static_cast<float>(row.steps);
    }
  return HN_OK;
}

constexpr HnInference methods = [] {
  HnInference m = {};
  m.struct_size = sizeof m, m.create = create, m.infer = infer;
  return m;
}();
} // namespace

HN_PLUGIN(mean_reward, HN_KIND_INFERENCE, MeanReward, &methods, .version = "1", .license = "MIT",
          .summary = "Squashed mean of the trial's rewards.", .info = hn_this_info);
