/* modelcheck --list | [--world NAME] [--goals N] [--faults N] [--waivers N] [--absent BITS] [--lazy] [--files] [--prompt] [--states MAX]
 *
 * Tries everything that can happen in a small world; the exit code is 0 if nothing can go wrong. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int list_worlds(void)
{
	for (size_t i = 0; world_at(i); i++)
		printf("%-14s %s\n", world_at(i)->name, world_at(i)->title);
	return 0;
}

static int usage(void)
{
	(void)fputs("modelcheck --list | [--world NAME] [--goals N] [--faults N] [--waivers N] [--absent BITS] [--lazy] [--files] "
		    "[--prompt] [--states MAX]\n", stderr);
	return 2;
}

static void tell_bounds(const struct world *w)
{
	printf("world %s: %s\n", w->name, w->title);
	printf("  %zu stores%s and %zu slots meet, each with each; %s; %zu versions\n", w->stores,
	       w->atomic ? "" : " (directories of single files)", w->slots,
	       w->absent ? "one of them joins at any time" : "all are there", w->versions);
	printf("  the engine runs %s; a document is loaded %s\n",
	       w->eager ? "in the transaction of each event" : "at any time after it",
	       w->prompt ? "when it arrives, or fails, or is lost" : "at any time after it arrived, or never");
	printf("  bounds: %d changes of goal, %d waivers (each with a return), %d faults, each one of:\n", w->goal_changes,
	       w->waivers, w->faults);
	for (int kind = 0; kind < MOVE_KINDS && w->faults; kind++) {
		if (w->fault_kinds >> kind & 1)
			printf("    a node %s\n", move_name(kind));
	}
	fflush(stdout);
}

static bool tell_result(const struct search_result *r, bool ok)
{
	printf("  %llu states, %llu transitions, %llu different questions to the engine, depth %llu, %.1f s of CPU time\n",
	       (unsigned long long)r->states, (unsigned long long)r->transitions, (unsigned long long)r->questions,
	       (unsigned long long)r->depth, r->seconds);
	printf("  %llu violations; %llu states were cut because a node had more than %d documents outstanding\n",
	       (unsigned long long)r->violations, (unsigned long long)r->cuts, DOCS);
	if (ok)
		printf("  goal reachable from every state: honest parties alone reach one of %llu resting states, all at the "
		       "goal, in at most %llu moves\n", (unsigned long long)r->goals, (unsigned long long)r->longest);
	return ok;
}

static bool option(struct world *w, const char *name, const char *value, uint64_t *states)
{
	unsigned long n = strtoul(value, NULL, 10);

	if (strcmp(name, "--goals") == 0)
		w->goal_changes = (uint8_t)n;
	else if (strcmp(name, "--faults") == 0)
		w->faults = (uint8_t)n;
	else if (strcmp(name, "--waivers") == 0)
		w->waivers = (uint8_t)n;
	else if (strcmp(name, "--absent") == 0)
		w->absent = (uint8_t)n;
	else if (strcmp(name, "--states") == 0)
		*states = n;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct world w = *world_at(0);
	struct search_result r;
	uint64_t states = 100000000;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--list") == 0)
			return list_worlds();
		if (strcmp(argv[i], "--lazy") == 0)
			w.eager = false;
		else if (strcmp(argv[i], "--files") == 0)
			w.atomic = false;
		else if (strcmp(argv[i], "--prompt") == 0)
			w.prompt = true;
		else if (strcmp(argv[i], "--world") == 0 && world_by_name(value))
			w = *world_by_name(value), i++;
		else if (*value && option(&w, argv[i], value, &states))
			i++;
		else
			return usage();
	}
	tell_bounds(&w);
	bool ok = search_run(&w, states, stdout, &r);

	return tell_result(&r, ok) ? 0 : 1;
}
