/* Many seeds, each in a process of its own, so that none can disturb another; or one, told in full. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shrink.h"
#include "sim.h"

enum { JOBS_MAX = 64, NARROW = 20, LARGE = 100, SHRINK_MOST = 2, KEEP_TEXT = 1 << 20 };

struct settings_of_run {
	uint64_t from, to;
	int least, most, jobs;
	bool one, verbose, no_shrink;
	const char *mutant, *save;
	struct fault_list keep;
	bool has_keep;
};

struct job { pid_t pid; int out; uint64_t seed; struct found *board; };

struct sums { struct sim_counts c; uint64_t violations, nodes, large, seeds; };

static const char USAGE[] =
	"usage: sim --seeds A..B [--nodes N..M] [--jobs J]   runs those seeds; of a wide range most are small\n"
	"       sim --one SEED [--nodes N] [--quiet]         replays one and tells its story\n"
	"       sim --replay FILE [--quiet]                  replays a kept one (sim/seeds)\n"
	"       --keep NAME,NAME,...    only these nodes, acts and faults (as a shrunk seed says them)\n"
	"       --save DIR              keep what a violation was shrunk to there\n"
	"       --no-shrink             print a violation as it is\n"
	"       --mutant early|start-only|leak   a lie in the simulated world, to see it caught\n";

/* A wide range is mostly small fleets, and some as large as asked for: u^16 of it. */
static int nodes_of(const struct settings_of_run *r, uint64_t seed)
{
	struct dice d = { seed ^ 0x5eed };
	int width = r->most - r->least;
	if (width <= NARROW)
		return (int)dice_in(&d, r->least, r->most);
	double u = (double)dice_in(&d, 0, 1000000) / 1000000;
	for (int i = 0; i < 4; i++)
		u *= u;
	return r->least + (int)(u * width);
}

static struct sim_options options_of(const struct settings_of_run *r, uint64_t seed)
{
	return (struct sim_options){ .seed = seed, .nodes = nodes_of(r, seed), .verbose = r->verbose, .mutant = r->mutant,
				     .keep = r->has_keep ? &r->keep : NULL };
}

static void print_counts(const struct sim_counts *c, uint64_t violations)
{
	printf("%llu rotations, %llu faults injected, %llu handshakes tried, %llu violations\n", (unsigned long long)c->rotations,
	       (unsigned long long)c->faults, (unsigned long long)c->handshakes, (unsigned long long)violations);
}

static int run_one(const struct settings_of_run *r)
{
	static struct sim s;
	struct sim_options o = options_of(r, r->from);
	sim_run(&s, &o);
	printf("seed %llu: %d nodes, %llu events, %llu commits, %llu views compared, %llu steps repeated, %llu contents covered, "
	       "%llu handshakes verified, %.0f s of simulated time, trace %016llx\n",
	       (unsigned long long)r->from, o.nodes, (unsigned long long)s.count.events, (unsigned long long)s.count.commits,
	       (unsigned long long)s.count.views, (unsigned long long)s.count.steps, (unsigned long long)s.count.covers,
	       (unsigned long long)s.count.verified, (double)(s.now - s.began) / 1000, (unsigned long long)s.trace);
	print_counts(&s.count, 0);
	sim_free(&s);
	return 0;
}

/* -- many -------------------------------------------------------------------------------------------- */
static _Noreturn void child(const struct settings_of_run *r, const struct job *j)
{
	static struct sim s;
	struct sim_options o = options_of(r, j->seed);
	o.found = j->board;
	dup2(j->out, STDOUT_FILENO);
	dup2(j->out, STDERR_FILENO);
	sim_run(&s, &o);
	printf("COUNTS %llu %llu %llu %llu\n", (unsigned long long)s.count.rotations, (unsigned long long)s.count.faults,
	       (unsigned long long)s.count.handshakes, (unsigned long long)s.count.verified);
	fflush(stdout);
	_exit(0); /* nothing of it is needed any more */
}

static void start(const struct settings_of_run *r, struct job *j, uint64_t seed)
{
	char path[] = "/tmp/troth-sim-XXXXXX";
	fflush(stdout);
	j->seed = seed;
	j->out = mkstemp(path);
	CHECK(j->out >= 0);
	unlink(path);
	j->board = j->board ? j->board : found_new();
	j->board->kind = 0;
	j->board->count = 0;
	j->pid = fork();
	CHECK(j->pid >= 0);
	if (j->pid == 0)
		child(r, j);
}

/* -- what went wrong ----------------------------------------------------------------------------------- */
static const char *keep_text(const struct fault_list *list, const char *between)
{
	static char text[KEEP_TEXT];
	size_t n = 0;
	text[0] = 0;
	for (size_t i = 0; i < list->count && n < sizeof text - FAULT_TEXT - 8; i++) {
		char name[FAULT_TEXT];
		fault_text(list->items[i], name);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? between : "", name);
	}
	return text;
}

static void save(const struct settings_of_run *r, const struct sim_options *o, const struct fault_list *small, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%llu-%d.seed", r->save, (unsigned long long)o->seed, o->nodes);
	FILE *f = fopen(path, "w");
	if (!f) {
		printf("%s could not be written\n", path);
		return;
	}
	fprintf(f, "# %s\nseed %llu\nnodes %d\nkeep %s\n", text, (unsigned long long)o->seed, o->nodes, keep_text(small, " "));
	(void)fclose(f);
	printf("kept; replay: scripts/sim --replay sim/seeds/%llu-%d.seed\n", (unsigned long long)o->seed, o->nodes);
}

static void make_small(const struct settings_of_run *r, struct job *j)
{
	struct sim_options o = options_of(r, j->seed);
	struct fault_list small = { 0 };
	uint64_t before = j->board->count;
	char text[sizeof j->board->text];
	(void)text_copy(text, sizeof text, j->board->text); /* of the same size */
	int runs = shrink(&o, j->board, j->board->kind, &small);
	printf("shrunk from %llu nodes, acts and faults to %zu in %d runs\nreplay: scripts/sim --one %llu --nodes %d --keep %s\n",
	       (unsigned long long)before, small.count, runs, (unsigned long long)o.seed, o.nodes, keep_text(&small, ","));
	if (r->save)
		save(r, &o, &small, text);
	fflush(stdout);
	fault_list_free(&small);
}

/* Adds what it counted; false: a violation, its words are printed. */
static bool end(const struct settings_of_run *r, struct job *j, int status, struct sums *sum)
{
	static char text[1 << 18];
	ssize_t n = pread(j->out, text, sizeof text - 1, 0);
	unsigned long long rotations, faults, handshakes, verified;
	text[n < 0 ? 0 : n] = 0;
	close(j->out);
	j->pid = 0;
	const char *counts = strstr(text, "COUNTS ");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && counts &&
	    sscanf(counts, "COUNTS %llu %llu %llu %llu", &rotations, &faults, &handshakes, &verified) == 4) {
		sum->c.rotations += rotations;
		sum->c.faults += faults;
		sum->c.handshakes += handshakes;
		sum->c.verified += verified;
		return true;
	}
	printf("%s", text);
	if (!strstr(text, "VIOLATION"))
		printf("VIOLATION seed %llu: it ended with status %d\nreplay: scripts/sim --one %llu --nodes %d\n", (unsigned long long)j->seed,
		       status, (unsigned long long)j->seed, nodes_of(r, j->seed));
	if (WIFSIGNALED(status))
		j->board->kind = found_signal(WTERMSIG(status));
	if (!r->no_shrink && sum->violations < SHRINK_MOST && j->board->kind)
		make_small(r, j);
	return false;
}

static int run_many(const struct settings_of_run *r)
{
	struct job jobs[JOBS_MAX] = { 0 };
	struct sums sum = { 0 };
	time_t began = time(NULL);
	uint64_t next = r->from, running = 0;
	while (next <= r->to || running) {
		for (int i = 0; i < r->jobs && next <= r->to; i++)
			if (!jobs[i].pid) {
				int nodes = nodes_of(r, next);
				sum.seeds++;
				sum.nodes += (uint64_t)nodes;
				sum.large += nodes >= LARGE;
				start(r, &jobs[i], next++);
				running++;
			}
		int status;
		pid_t pid = wait(&status);
		for (int i = 0; i < r->jobs; i++)
			if (jobs[i].pid == pid) {
				sum.violations += !end(r, &jobs[i], status, &sum);
				running--;
			}
	}
	printf("%llu seeds of %d..%d nodes (mean %.1f, %llu of %d and more) in %lld s; OpenSSL verified %llu distinct pairs\n",
	       (unsigned long long)sum.seeds, r->least, r->most, (double)sum.nodes / (double)sum.seeds, (unsigned long long)sum.large,
	       LARGE, (long long)(time(NULL) - began), (unsigned long long)sum.c.verified);
	print_counts(&sum.c, sum.violations);
	return sum.violations ? 1 : 0;
}

/* -- words -------------------------------------------------------------------------------------------------- */
static bool range(const char *text, unsigned long long *from, unsigned long long *to)
{
	int n = sscanf(text, "%llu..%llu", from, to);
	if (n == 1)
		*to = *from;
	return n >= 1 && *from <= *to;
}

static bool keep_add(struct settings_of_run *r, const char *text)
{
	char name[FAULT_TEXT];
	fault_id id;
	r->has_keep = true;
	for (text += strspn(text, " ,\n"); *text; text += strspn(text, " ,\n")) {
		size_t n = strcspn(text, " ,\n");
		if (n >= sizeof name)
			return false;
		memcpy(name, text, n);
		name[n] = 0;
		text += n;
		if (!fault_parse(name, &id))
			return false;
		fault_list_add(&r->keep, id);
	}
	fault_list_sort(&r->keep);
	return true;
}

static bool word(struct settings_of_run *r, const char *name, const char *value);

static bool read_file(struct settings_of_run *r, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	bool good = true;
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	while (good && getline(&line, &room, f) > 0) {
		char *value = strchr(line, ' ');
		if (line[0] == '#' || !value)
			continue;
		*value++ = 0;
		value[strcspn(value, "\n")] = 0;
		const char *name = strcmp(line, "seed") == 0 ? "--one" : strcmp(line, "nodes") == 0 ? "--nodes" : "--keep";
		good = word(r, name, value);
	}
	free(line);
	(void)fclose(f);
	return good && r->one;
}

static bool is_mutant(const char *name)
{
	return strcmp(name, "early") == 0 || strcmp(name, "start-only") == 0 || strcmp(name, "leak") == 0;
}

static bool word(struct settings_of_run *r, const char *name, const char *value)
{
	unsigned long long from, to;
	if (strcmp(name, "--mutant") == 0)
		return (r->mutant = value, is_mutant(value));
	if (strcmp(name, "--save") == 0)
		return (r->save = value, true);
	if (strcmp(name, "--keep") == 0)
		return keep_add(r, value);
	if (strcmp(name, "--replay") == 0)
		return read_file(r, value);
	if (!range(value, &from, &to))
		return false;
	if (strcmp(name, "--seeds") == 0 || strcmp(name, "--one") == 0) {
		r->from = from;
		r->to = to;
		r->one = name[2] == 'o';
		return true;
	}
	if (strcmp(name, "--nodes") == 0 && from >= 2 && to <= SIM_NODES_MAX / 2)
		return (r->least = (int)from, r->most = (int)to, true);
	if (strcmp(name, "--jobs") == 0 && from >= 1 && from <= JOBS_MAX)
		return (r->jobs = (int)from, true);
	return false;
}

int main(int argc, char **argv)
{
	static struct settings_of_run r = { .from = 1, .to = 60, .least = 5, .most = 20 };
	bool quiet = false;
	r.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
	r.jobs = r.jobs < 1 ? 1 : r.jobs > JOBS_MAX ? JOBS_MAX : r.jobs;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quiet") == 0) {
			quiet = true;
		} else if (strcmp(argv[i], "--no-shrink") == 0) {
			r.no_shrink = true;
		} else if (i + 1 >= argc || !word(&r, argv[i], argv[i + 1])) {
			fprintf(stderr, "%s", USAGE);
			return 2;
		} else {
			i++;
		}
	}
	r.verbose = r.one && !quiet;
	int rc = r.one ? run_one(&r) : run_many(&r);
	fault_list_free(&r.keep);
	return rc;
}
