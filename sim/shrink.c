/* A failing run made small.  See shrink.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shrink.h"
#include "sim.h"

enum { RUNS_MAX = 400, SECONDS_MAX = 180, RUN_SECONDS = 60 };

struct found *found_new(void)
{
	struct found *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(f != MAP_FAILED);
	return f;
}

void found_violation(struct found *f, const char *words, const char *text)
{
	f->kind = UINT64_C(14695981039346656037);
	for (; *words; words++)
		f->kind = (f->kind ^ (uint8_t)*words) * UINT64_C(1099511628211);
	(void)text_copy(f->text, sizeof f->text, text); /* what fits */
}

struct search {
	const struct sim_options *o;
	struct found *board;
	uint64_t kind;
	int runs;
	time_t end;
};

static _Noreturn void child(const struct search *x, const struct fault_list *keep)
{
	static struct sim s;
	struct sim_options o = *x->o;
	o.keep = keep;
	o.found = x->board;
	o.verbose = false;
	int nowhere = open("/dev/null", O_WRONLY);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	alarm(RUN_SECONDS);
	sim_run(&s, &o);
	_exit(0);
}

static void take(const struct found *board, struct fault_list *list)
{
	list->count = 0;
	for (uint64_t i = 0; i < board->count; i++)
		fault_list_add(list, board->happened[i]);
	fault_list_sort(list);
}

/* Does it still fail with only these?  Then `list` becomes those that happened. */
static bool still(struct search *x, struct fault_list *list)
{
	int status;
	x->runs++;
	x->board->kind = 0;
	x->board->count = 0;
	fflush(stdout);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		child(x, list);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status))
		x->board->kind = found_signal(WTERMSIG(status));
	if (x->board->kind != x->kind)
		return false;
	take(x->board, list);
	return true;
}

static bool enough(const struct search *x) { return x->runs >= RUNS_MAX || time(NULL) >= x->end; }

/* Without list[from .. to). */
static bool without(struct search *x, struct fault_list *list, size_t from, size_t to)
{
	struct fault_list less = { 0 };
	for (size_t i = 0; i < list->count; i++)
		if (i < from || i >= to)
			fault_list_add(&less, list->items[i]);
	bool smaller = still(x, &less);
	if (smaller) {
		fault_list_free(list);
		*list = less;
	} else {
		fault_list_free(&less);
	}
	return smaller;
}

/* Whole kinds first: most faults have nothing to do with it. */
static void drop_kinds(struct search *x, struct fault_list *list)
{
	for (int kind = FAULT_KIND_COUNT - 1; kind > FAULT_ACT; kind--) {
		size_t from = 0, to;
		while (from < list->count && (int)(list->items[from] >> 56) != kind)
			from++;
		for (to = from; to < list->count && (int)(list->items[to] >> 56) == kind; to++)
			continue;
		if (to > from && !enough(x))
			(void)without(x, list, from, to);
	}
}

/* Halves, quarters, ... single ones: until none can go. */
static void drop_parts(struct search *x, struct fault_list *list)
{
	for (size_t size = list->count / 2; size > 0 && !enough(x);) {
		bool any = false;
		for (size_t at = 0; at < list->count && !enough(x);) {
			if (without(x, list, at, at + size))
				any = true;
			else
				at += size;
		}
		if (size == 1 && !any)
			return;
		size = size > 1 ? size / 2 : 1;
	}
}

int shrink(const struct sim_options *o, struct found *board, uint64_t kind, struct fault_list *small)
{
	struct search x = { .o = o, .board = board, .kind = kind, .end = time(NULL) + SECONDS_MAX };
	take(board, small);
	if (!still(&x, small))
		return x.runs; /* not even with everything that happened: left as it is */
	drop_kinds(&x, small);
	drop_parts(&x, small);
	return x.runs;
}
