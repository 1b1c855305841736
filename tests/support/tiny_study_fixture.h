/* tiny_study_fixture.h - a study of every block, whose cells take no time. */
#ifndef HN_TINY_STUDY_FIXTURE_H
#define HN_TINY_STUDY_FIXTURE_H
static const char tiny_study[] =
    "hunch: 1\n"
    "name: tiny\n"
    "description: a study\n"
    "seeds: {root: 7, count: 2}\n"
    "base:\n"
    "  env: {plugin: gridworld, size: 4, horizon: 6}\n"
    "  inference: {plugin: gridworld_belief, size: 4}\n"
    "  policy: {plugin: ppo, lr: 7e-4, width: 8, layers: 1, n_epochs: 1, n_minibatches: 1}\n"
    "  run: {frames: 96, rows: 4, episodes: 2}\n"
    "  evaluation: {every: 2, tasks: 4}\n"
    "arms:\n"
    "  belief: {}\n"
    "  none: {inference: {plugin: none}}\n"
    "report: {baseline: none, metric: eval.return}\n";
#endif
