/* words_meant.c - see words_meant.h. */
#include "words_meant.h"
#include "verbs.h"
#include <string.h>

typedef struct Meant {
  const char *word, *verb; /* the verb that the answer is about: of several rows the first counts */
  const char *answer;      /* whose verb there is */
} Meant;

#define RUNS_AGAIN "'hunch run' goes on where it stopped, when it is given the same study again"
#define COMPARES   "'hunch compare DIR' shows results, of cells on their way too"
#define NO_TRAINING \
  "'hunch run' evaluates too: give the arm 'weights: {from: DIR, arm: ARM}' and run.frames=0"

static const Meant verbs[] = {
    {"continue", "run", RUNS_AGAIN},
    {"restart", "run", RUNS_AGAIN},
    {"resume", "run", RUNS_AGAIN},
    {"start", "run", "'hunch run STUDY.yaml' runs a study"},
    {"train", "run", "'hunch run STUDY.yaml' trains and evaluates every cell of a study"},
    {"eval", "run", NO_TRAINING},
    {"evaluate", "run", NO_TRAINING},
    {"test", "check", "'hunch check PLUGIN' judges a plugin; 'hunch run' evaluates cells"},
    {"status", "status", "'hunch status DIR' shows how far a study is"},
    {"status", "plan", "'hunch plan STUDY.yaml' shows which cells are done"},
    {"ls", "runs", "'hunch runs' lists studies, 'hunch inspect' plugins"},
    {"ls", "inspect", "'hunch plan STUDY.yaml' lists cells, 'hunch inspect' plugins"},
    {"list", "runs", "'hunch runs' lists studies, 'hunch inspect' plugins"},
    {"list", "inspect", "'hunch plan STUDY.yaml' lists cells, 'hunch inspect' plugins"},
    {"show", "compare", COMPARES},
    {"results", "compare", COMPARES},
    {"plot", "report", "'hunch report DIR' draws the results of a study"},
    {"watch", "status",
     "'hunch status DIR --watch' follows a study, 'hunch serve DIR' in a browser"},
    {"dashboard", "serve", "'hunch serve DIR' shows a study in a browser while it runs"},
    {"web", "serve", "'hunch serve DIR' shows a study in a browser while it runs"},
    {"watch", "play", "'hunch play CELL' shows a trial of a trained cell"},
    {"init", "new", "'hunch new KIND NAME' starts a plugin; a study is a YAML file"},
    {"create", "new", "'hunch new KIND NAME' starts a plugin; a study is a YAML file"},
    {"dry-run", "plan", "'hunch plan STUDY.yaml' shows what would run"},
    {"sweep", "run", "'hunch run STUDY.yaml' runs a sweep too, which the study writes as 'sweep:'"},
    {"tensorboard", "run", "'hunch run STUDY.yaml run.tensorboard=true' writes what it reads"},
    {"slurm", "submit", "'hunch submit STUDY.yaml' has Slurm run what is left of a study"},
    {"sbatch", "submit", "'hunch submit STUDY.yaml' has Slurm run what is left of a study"},
    {"zip", "pack", "'hunch pack DIR -o FILE.zip' writes a study as one file"},
    {"plugins", "inspect", "'hunch inspect' lists plugins"},
    {"version", "doctor", "'hunch --version' says it, 'hunch doctor' those of what it uses"},
};

static const Meant options[] = {
    {"dry-run", "plan", "'hunch plan STUDY.yaml' shows what would run"},
    {"resume", "run", RUNS_AGAIN},
    {"continue", "run", RUNS_AGAIN},
    {"overwrite", "run", "a cell that is done stays; for new results name another folder, -o DIR"},
    {"force", "run", "a cell that is done stays; for new results name another folder, -o DIR"},
    {"seeds", "run", "seeds.count=N, without dashes, says how many"},
    {"config", "run", "the study is named without an option: 'hunch run STUDY.yaml'"},
    {"tensorboard", "run", "run.tensorboard=true, without dashes"},
    {"verbose", "run", "everything that a cell says is in its log.txt"},
    {"quiet", "run", "what is said on the way goes to standard error: 2>/dev/null"},
};

static const char *find(const Meant *rows, gsize n, const char *word) {
  for (gsize i = 0; i < n; i++)
    if (g_ascii_strcasecmp(rows[i].word, word) == 0 && hn_verb_find(rows[i].verb))
      return rows[i].answer;
  return NULL;
}

const char *hn_verb_meant(const char *word) {
  return find(verbs, G_N_ELEMENTS(verbs), word);
}

const char *hn_option_meant(const char *option) {
  g_autofree char *word = g_strdup(option + strspn(option, "-"));
  word[strcspn(word, "=")] = 0;
  return find(options, G_N_ELEMENTS(options), word);
}
