/* cluster_fixture.h - a Slurm of the test's own: munged, slurmctld and a slurmd for each of three
 * nodes that this machine plays, with configuration, sockets and ports of their own. */
#ifndef HN_CLUSTER_FIXTURE_H
#define HN_CLUSTER_FIXTURE_H
#include "cli_fixture.h"
#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLUSTER_NODES = 3 };
typedef struct Cluster {
  Folder *dir;
  GSubprocess *munged, *control, *node[CLUSTER_NODES];
} Cluster;

/* Failures of nodes are seen within seconds, and what is requeued waits for five. */
static const char cluster_configuration[] =
    "ClusterName=test\nSlurmctldHost=localhost\nSlurmctldPort=%d\nSlurmUser=root\nSlurmdUser=root\n"
    "AuthType=auth/munge\nCredType=cred/munge\nAuthInfo=socket=%s/munge.socket,cred_expire=5\n"
    "StateSaveLocation=%s/state\nSlurmdSpoolDir=%s/spool-%%n\nSlurmctldPidFile=%s/slurmctld.pid\n"
    "SlurmdPidFile=%s/slurmd-%%n.pid\nSlurmctldLogFile=%s/slurmctld.log\n"
    "SlurmdLogFile=%s/slurmd-%%n.log\nSlurmdParameters=config_overrides\n"
    "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n"
    "SwitchType=switch/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n"
    "SlurmdTimeout=3\nMessageTimeout=2\nTCPTimeout=1\nKillWait=5\nMinJobAge=300\n"
    "SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=1\n"
    "JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n"
    "NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=%d CPUs=4 State=UNKNOWN\n"
    "NodeName=node2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=%d CPUs=4 State=UNKNOWN\n"
    "NodeName=node3 NodeHostname=localhost NodeAddr=127.0.0.1 Port=%d CPUs=4 State=UNKNOWN\n"
    "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE\n"
    "PartitionName=cpu Nodes=node1,node2 Default=YES State=UP LLN=YES PreemptMode=OFF\n"
    "PartitionName=spare Nodes=node3 State=UP PriorityTier=1 PreemptMode=REQUEUE\n"
    "PartitionName=urgent Nodes=node3 State=UP PriorityTier=2 PreemptMode=OFF\n";

/* A port that nobody has now. */
static inline int cluster_port(void) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof any;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)(void *)&any, size), ==, 0);
  g_assert_cmpint(getsockname(fd, (struct sockaddr *)(void *)&any, &size), ==, 0);
  close(fd);
  return ntohs(any.sin_port);
}

static inline void cluster_with_test(gpointer arg) {
  (void)arg;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static inline GSubprocess *cluster_start(const char *const *argv) {
  const GSubprocessFlags quiet =
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE;
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(quiet);
  g_subprocess_launcher_set_child_setup(launcher, cluster_with_test, NULL, NULL);
  g_autoptr(GError) error = NULL;
  GSubprocess *p = g_subprocess_launcher_spawnv(launcher, argv, &error);
  g_assert_no_error(error);
  return p;
}

/* What a command of Slurm's prints; g_free. */
static inline char *cluster_ask(const char *format, ...) G_GNUC_PRINTF(1, 2);
static inline char *cluster_ask(const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *command = g_strdup_vprintf(format, list), *said = NULL;
  va_end(list);
  char *out = NULL;
  g_autoptr(GError) error = NULL;
  g_spawn_command_line_sync(command, &out, &said, NULL, &error);
  g_assert_no_error(error);
  return out;
}

/* Why there can be none, or NULL. */
static inline const char *cluster_lacks(void) {
  static const char *const needs[] = {"munged", "slurmctld", "slurmd", "sbatch",
                                      "squeue", "scontrol",  "scancel"};
  g_autofree char *path = g_strconcat(g_getenv("PATH"), ":/usr/sbin:/sbin", NULL);
  g_setenv("PATH", path, TRUE);
  if (geteuid() != 0) return "only root can play several nodes";
  for (guint i = 0; i < G_N_ELEMENTS(needs); i++) {
    g_autofree char *program = g_find_program_in_path(needs[i]);
    if (!program) return "Slurm is not installed: ./dev setup --slurm";
  }
  return NULL;
}

static inline void cluster_write_configuration(const char *d) {
  g_autofree char *text = g_strdup_printf(cluster_configuration, cluster_port(), d, d, d, d, d, d,
                                          d, cluster_port(), cluster_port(), cluster_port());
  g_autofree char *path = g_build_filename(d, "slurm.conf", NULL);
  fake_write(d, "slurm.conf", text);
  g_setenv("SLURM_CONF", path, TRUE);
}

static inline void cluster_start_munge(Cluster *c) {
  g_autofree char *key = g_strdup_printf("--key-file=%s/munge.key", c->dir);
  g_autofree char *socket = g_strdup_printf("--socket=%s/munge.socket", c->dir);
  g_autofree char *pid = g_strdup_printf("--pid-file=%s/munge.pid", c->dir);
  g_autofree char *log = g_strdup_printf("--log-file=%s/munge.log", c->dir);
  g_autofree char *seed = g_strdup_printf("--seed-file=%s/munge.seed", c->dir);
  const char *argv[] = {"munged", "--foreground", "--force", key, socket, pid, log, seed, NULL};
  g_autofree char *path = g_build_filename(c->dir, "munge.key", NULL);
  char secret[128];
  for (guint i = 0; i < sizeof secret; i++) secret[i] = (char)g_random_int_range(0, 256);
  g_assert_true(
      g_file_set_contents_full(path, secret, sizeof secret, G_FILE_SET_CONTENTS_NONE, 0400, NULL));
  c->munged = cluster_start(argv);
  g_autofree char *made = g_build_filename(c->dir, "munge.socket", NULL);
  for (int i = 0; i < 200 && !g_file_test(made, G_FILE_TEST_EXISTS); i++) g_usleep(50000);
}

/* Starts it and waits until both nodes are idle. */
static inline Cluster cluster_begin(void) {
  Cluster c = {.dir = folder()};
  const char *control[] = {"slurmctld", "-D", "-c", NULL};
  cluster_write_configuration(c.dir);
  g_autofree char *state = g_build_filename(c.dir, "state", NULL);
  g_assert_cmpint(g_mkdir(state, 0700), ==, 0);
  cluster_start_munge(&c);
  c.control = cluster_start(control);
  for (int i = 0; i < CLUSTER_NODES; i++) {
    g_autofree char *name = g_strdup_printf("node%d", i + 1);
    const char *node[] = {"slurmd", "-D", "-N", name, NULL};
    c.node[i] = cluster_start(node);
  }
  for (int i = 0; i < 300; i++, g_usleep(100000)) {
    g_autofree char *nodes = cluster_ask("scontrol --oneliner show node");
    g_auto(GStrv) parts = g_strsplit(nodes, "State=IDLE ", -1);
    if (g_strv_length(parts) == CLUSTER_NODES + 1) return c;
  }
  g_error("no Slurm came up; see %s", c.dir);
}

/* Whether /proc/NAME/environ has that variable. */
static inline bool cluster_has(const char *pid, const char *variable) {
  g_autofree char *file = g_strdup_printf("/proc/%s/environ", pid), *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents(file, &text, &length, NULL)) return false;
  const gsize n = strlen(variable) + 1; /* each ends in a NUL */
  for (gsize at = 0; at < length; at += strlen(text + at) + 1)
    if (length - at >= n - 1 && strncmp(text + at, variable, n) == 0) return true;
  return false;
}

/* Kills what runs in tasks of a node of this cluster, with the slurmstepd above it. */
static inline void cluster_kill_tasks(const char *node) {
  g_autofree char *of_node = g_strconcat("SLURMD_NODENAME=", node, NULL);
  g_autofree char *ours = g_strconcat("SLURM_CONF=", g_getenv("SLURM_CONF"), NULL);
  g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
  for (const char *pid; (pid = g_dir_read_name(proc));) {
    if (!g_ascii_isdigit(*pid) || !cluster_has(pid, of_node) || !cluster_has(pid, ours)) continue;
    g_autofree char *stat = g_strdup_printf("/proc/%s/stat", pid), *text = NULL;
    g_autofree char *comm = NULL;
    int parent = 0;
    if (!g_file_get_contents(stat, &text, NULL, NULL)) continue;
    sscanf(strrchr(text, ')'), ") %*c %d", &parent);
    g_autofree char *above = g_strdup_printf("/proc/%d/comm", parent);
    if (g_file_get_contents(above, &comm, NULL, NULL) && g_str_has_prefix(comm, "slurmstepd"))
      kill(parent, SIGKILL);
    kill(atoi(pid), SIGKILL);
  }
}

/* A node fails: its daemon and all that runs on it are gone at once. */
static inline void cluster_fail(Cluster *c, int node) {
  g_autofree char *name = g_strdup_printf("node%d", node + 1);
  g_subprocess_force_exit(c->node[node]);
  cluster_kill_tasks(name);
  g_subprocess_wait(c->node[node], NULL, NULL);
}

static inline void cluster_end(Cluster *c) {
  for (int i = 0; i < CLUSTER_NODES; i++) {
    cluster_fail(c, i);
    g_object_unref(c->node[i]);
  }
  GSubprocess *const rest[] = {c->control, c->munged};
  for (guint i = 0; i < G_N_ELEMENTS(rest); i++) {
    g_subprocess_force_exit(rest[i]);
    g_subprocess_wait(rest[i], NULL, NULL);
    g_object_unref(rest[i]);
  }
  remove_folder(c->dir);
}
#endif
