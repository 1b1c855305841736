/* task_list.c - see task_list.h. */
#include "task_list.h"
#include "env_layers.h"
#include <inttypes.h>
#include <string.h>

static HnStatus refuse(const HnInstance *env, const char *format, ...) G_GNUC_PRINTF(2, 3);
static HnStatus refuse(const HnInstance *env, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *why = g_strdup_vprintf(format, list);
  va_end(list);
  return env->host.fail(&env->host, HN_E_SHAPE, "%s", why);
}

/* What is wrong with a name, or NULL. */
static const char *refuse_name(const char *name) {
  if (strnlen(name, HN_TASK_NAME_MAX + 1) > HN_TASK_NAME_MAX) return "is longer than 256 bytes";
  if (!g_utf8_validate(name, -1, NULL)) return "is not UTF-8";
  if (*name && !name[strspn(name, G_CSET_DIGITS)])
    return "is a number, as tasks without a name have";
  for (const char *c = name; *c; c = g_utf8_find_next_char(c, NULL))
    if (g_unichar_iscntrl(g_utf8_get_char(c)) && !strchr("\n\r\t", *c))
      return "has a control character";
  return NULL;
}

static HnStatus read_names(const HnInstance *env, int64_t split, const char *split_name,
                           HnTaskList *t) {
  const HnEnv *methods = env->plugin->methods;
  if (t->count > HN_NAMED_TASKS_MAX)
    return refuse(env,
                  "task_count: split %s has %" PRId64 " tasks, of which at most %d can have names",
                  split_name, t->count, HN_NAMED_TASKS_MAX);
  t->called = g_new0(const char *, t->count + 1);
  for (int64_t k = 0; k < t->count; k++) {
    const char *name;
    HN_RECORD_CALL_AT(ENV_task_name, env->depth, name = methods->task_name(env->self, split, k));
    const char *wrong = name ? refuse_name(name) : NULL;
    if (wrong)
      return refuse(env, "task_name: the name of task %" PRId64 " of split %s %s", k, split_name,
                    wrong);
    if (name && *name) t->called[k] = g_intern_string(name);
  }
  return HN_OK;
}

HnStatus hn_task_list_read(const HnInstance *env, int64_t split, const char *split_name,
                           HnTaskList *out) {
  *out = (HnTaskList){.count = 0};
  env = hn_env_of_tasks(env);
  if (!env) return HN_OK;
  const HnEnv *methods = env->plugin->methods;
  HN_RECORD_CALL_AT(ENV_task_count, env->depth, out->count = methods->task_count(env->self, split));
  if (out->count < 0)
    return refuse(env, "task_count: split %s has %" PRId64 " tasks", split_name, out->count);
  return HN_CAN(methods, task_name) ? read_names(env, split, split_name, out) : HN_OK;
}

void hn_task_list_clear(HnTaskList *t) {
  g_free(t->called);
  *t = (HnTaskList){.count = 0};
}

const char *hn_task_list_name(const HnTaskList *t, int64_t k) {
  return t->called && k >= 0 && k < t->count ? t->called[k] : NULL;
}
