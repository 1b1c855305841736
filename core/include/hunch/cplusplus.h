/* hunch/cplusplus.h - HN_ARRAY and HN_PLUGIN for C++17, which has no designated initialisers;
 * included by plugin.h.  They read as in C, but the fields of HN_ARRAY must be in the struct's
 * order.  A table of methods is a constant too:
 *
 *   static constexpr HnEnv methods = [] {
 *     HnEnv m = {};
 *     m.struct_size = sizeof m, m.create = create, m.reset = reset, m.step = step;
 *     return m;
 *   }(); */
#ifndef HUNCH_CPLUSPLUS_H
#define HUNCH_CPLUSPLUS_H
#include "plugin.h"

/* The fields of HnArray that HN_ARRAY takes by name. */
struct HnArrayFields {
  int64_t rank = 0, dim[4] = {};
  float **grad = nullptr;
  int64_t *used = nullptr;
  int64_t low = 0, end = 0;
};
inline HnArray hn_array(const char *name, HnRole role, HnType type, const HnArrayFields &f) {
  return {sizeof(HnArray), name,   role,  type, f.rank, {f.dim[0], f.dim[1], f.dim[2], f.dim[3]},
          f.grad,          f.used, f.low, f.end};
}
inline const HnArray *hn_address(const HnArray &a) { /* of a temporary, for the length of a call */
  return &a;
}
#undef HN_ARRAY
#define HN_ARRAY(name, role, type, ...) \
  hn_address(hn_array(name, role, type, __extension__ HnArrayFields{__VA_ARGS__}))

/* clang-format off */
/* HN_SET_(p, .a = 1, .b = 2) is p.a = 1; p.b = 2; for up to 8 fields. */
#define HN_SET_1_(p, a)      p a;
#define HN_SET_2_(p, a, ...) p a; HN_SET_1_(p, __VA_ARGS__)
#define HN_SET_3_(p, a, ...) p a; HN_SET_2_(p, __VA_ARGS__)
#define HN_SET_4_(p, a, ...) p a; HN_SET_3_(p, __VA_ARGS__)
#define HN_SET_5_(p, a, ...) p a; HN_SET_4_(p, __VA_ARGS__)
#define HN_SET_6_(p, a, ...) p a; HN_SET_5_(p, __VA_ARGS__)
#define HN_SET_7_(p, a, ...) p a; HN_SET_6_(p, __VA_ARGS__)
#define HN_SET_8_(p, a, ...) p a; HN_SET_7_(p, __VA_ARGS__)
#define HN_SET_N_(_1, _2, _3, _4, _5, _6, _7, _8, N, ...) HN_SET_##N##_
#define HN_SET_(p, ...) HN_SET_N_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(p, __VA_ARGS__)
/* clang-format on */

#undef HN_PLUGIN
#define HN_PLUGIN(id, kind_, Self, methods_, ...)                                 \
  static constexpr HnPlugin id##_describe() {                                     \
    HnPlugin hn_ = {};                                                            \
    hn_.struct_size = sizeof(HnPlugin), hn_.abi = HN_ABI, hn_.kind = kind_;       \
    hn_.name = #id, hn_.methods = methods_, hn_.self_size = sizeof(Self);         \
    hn_.params_size = sizeof(HnThisParams), hn_.params = hn_this_params;          \
    hn_.param_count = sizeof hn_this_params / sizeof hn_this_params[0] - 1;       \
    hn_.param_stride = sizeof(HnParam), hn_.kit_layout = HN_PLUGIN_KIT_LAYOUT;    \
    hn_.column_stride = sizeof(HnColumn), hn_.history_size = sizeof(HnHistory);   \
    hn_.env_batch_size = HN_PLUGIN_ENV_BATCH_SIZE, hn_.drafts = HN_PLUGIN_DRAFTS; \
    HN_SET_(hn_, __VA_ARGS__)                                                     \
    return hn_;                                                                   \
  }                                                                               \
  extern "C" HN_EXPORT const HnPlugin id##_LTX_hn_plugin;                         \
  constexpr HnPlugin id##_LTX_hn_plugin = id##_describe()
#endif
