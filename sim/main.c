/* Many seeds, each in a process of its own, so that none can disturb another; or one, told in full. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

enum { JOBS_MAX = 64 };

struct settings_of_run {
	uint64_t from, to;
	int least, most, jobs;
	bool one, verbose;
	const char *mutant;
};

struct job { pid_t pid; int out; uint64_t seed; };

static const char USAGE[] =
	"usage: sim --seeds A..B [--nodes N..M] [--jobs J]   runs those seeds\n"
	"       sim --one SEED [--nodes N] [--quiet]         replays one and tells its story\n"
	"       --mutant early|start-only                    a lie in the simulated agents, to see it caught\n";

static int nodes_of(const struct settings_of_run *r, uint64_t seed)
{
	struct dice d = { seed ^ 0x5eed };
	return (int)dice_in(&d, r->least, r->most);
}

static struct sim_options options_of(const struct settings_of_run *r, uint64_t seed)
{
	return (struct sim_options){ .seed = seed, .nodes = nodes_of(r, seed), .verbose = r->verbose, .mutant = r->mutant };
}

static int run_one(const struct settings_of_run *r)
{
	static struct sim s;
	struct sim_options o = options_of(r, r->from);
	sim_run(&s, &o);
	printf("seed %llu: %d nodes, %llu events, %llu commits, %llu views compared, %.0f s of simulated time, trace %016llx\n",
	       (unsigned long long)r->from, o.nodes, (unsigned long long)s.count.events, (unsigned long long)s.count.commits,
	       (unsigned long long)s.count.views, (double)(s.now - s.began) / 1000, (unsigned long long)s.trace);
	printf("%llu rotations, %llu faults injected, %llu handshakes tried, 0 violations\n", (unsigned long long)s.count.rotations,
	       (unsigned long long)s.count.faults, (unsigned long long)s.count.handshakes);
	sim_free(&s);
	return 0;
}

/* -- many -------------------------------------------------------------------------------------------- */
static _Noreturn void child(const struct settings_of_run *r, uint64_t seed, int out)
{
	static struct sim s;
	struct sim_options o = options_of(r, seed);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	sim_run(&s, &o);
	printf("COUNTS %llu %llu %llu\n", (unsigned long long)s.count.rotations, (unsigned long long)s.count.faults,
	       (unsigned long long)s.count.handshakes);
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
	j->pid = fork();
	CHECK(j->pid >= 0);
	if (j->pid == 0)
		child(r, seed, j->out);
}

/* Adds what it counted; false: a violation, its words are printed. */
static bool end(const struct settings_of_run *r, struct job *j, int status, struct sim_counts *sum)
{
	static char text[1 << 18];
	ssize_t n = pread(j->out, text, sizeof text - 1, 0);
	unsigned long long rotations, faults, handshakes;
	text[n < 0 ? 0 : n] = 0;
	close(j->out);
	j->pid = 0;
	const char *counts = strstr(text, "COUNTS ");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && counts &&
	    sscanf(counts, "COUNTS %llu %llu %llu", &rotations, &faults, &handshakes) == 3) {
		sum->rotations += rotations;
		sum->faults += faults;
		sum->handshakes += handshakes;
		return true;
	}
	printf("%s", text);
	if (!strstr(text, "VIOLATION"))
		printf("VIOLATION seed %llu: it ended with status %d\nreplay: scripts/sim --one %llu --nodes %d\n", (unsigned long long)j->seed,
		       status, (unsigned long long)j->seed, nodes_of(r, j->seed));
	return false;
}

static int run_many(const struct settings_of_run *r)
{
	struct job jobs[JOBS_MAX] = { 0 };
	struct sim_counts sum = { 0 };
	uint64_t next = r->from, running = 0, violations = 0;
	while (next <= r->to || running) {
		for (int i = 0; i < r->jobs && next <= r->to; i++)
			if (!jobs[i].pid) {
				start(r, &jobs[i], next++);
				running++;
			}
		int status;
		pid_t pid = wait(&status);
		for (int i = 0; i < r->jobs; i++)
			if (jobs[i].pid == pid) {
				violations += !end(r, &jobs[i], status, &sum);
				running--;
			}
	}
	printf("%llu rotations, %llu faults injected, %llu handshakes tried, %llu violations\n", (unsigned long long)sum.rotations,
	       (unsigned long long)sum.faults, (unsigned long long)sum.handshakes, (unsigned long long)violations);
	return violations ? 1 : 0;
}

/* -- words -------------------------------------------------------------------------------------------------- */
static bool range(const char *text, unsigned long long *from, unsigned long long *to)
{
	int n = sscanf(text, "%llu..%llu", from, to);
	if (n == 1)
		*to = *from;
	return n >= 1 && *from <= *to;
}

static bool word(struct settings_of_run *r, const char *name, const char *value)
{
	unsigned long long from, to;
	if (strcmp(name, "--mutant") == 0)
		return (r->mutant = value, strcmp(value, "early") == 0 || strcmp(value, "start-only") == 0);
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
	struct settings_of_run r = { .from = 1, .to = 60, .least = 5, .most = 20, .jobs = (int)sysconf(_SC_NPROCESSORS_ONLN) };
	bool quiet = false;
	r.jobs = r.jobs < 1 ? 1 : r.jobs > JOBS_MAX ? JOBS_MAX : r.jobs;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quiet") == 0) {
			quiet = true;
		} else if (i + 1 >= argc || !word(&r, argv[i], argv[i + 1])) {
			fprintf(stderr, "%s", USAGE);
			return 2;
		} else {
			i++;
		}
	}
	r.verbose = r.one && !quiet;
	return r.one ? run_one(&r) : run_many(&r);
}
