/* States and moves in words, so that a trace can be read without the code. */
#include "model.h"

static const char *const moves[MOVE_KINDS] = {
	[MOVE_ISSUE] = "gets the certificate it asked for", [MOVE_HAND] = "is handed its newest document",
	[MOVE_LOAD] = "loads what it was handed", [MOVE_REPORT] = "reports: settled",
	[MOVE_ONLINE] = "is back",
	[MOVE_MEND] = "is mended by hand", [MOVE_STEP] = "the engine runs once",
	[MOVE_LOSE] = "is handed its newest document, which is lost on the way",
	[MOVE_FAIL] = "fails to load it, puts the old back, reports", [MOVE_OFFLINE] = "falls silent",
	[MOVE_REBOOT] = "restarts with another boot id", [MOVE_RESTORE] = "is restored from the first day's backup",
	[MOVE_OVERTAKE] = "receives an older document after all", [MOVE_GOAL] = "the operator wants",
	[MOVE_JOIN] = "joins", [MOVE_WAIVE] = "is waived", [MOVE_RETURN] = "comes back as a newcomer",
};

const char *move_name(enum move_kind kind) { return moves[kind]; }

static void tell_bits(const char *before, unsigned bits, FILE *out)
{
	const char *comma = "";

	(void)fprintf(out, "%s{", before);
	for (unsigned i = 0; i < 8; i++) {
		if (bits >> i & 1) {
			(void)fprintf(out, "%s%u", comma, i + 1);
			comma = ",";
		}
	}
	(void)fputs("}", out);
}

static void tell_name(const struct world *w, size_t i, const uint8_t *names, FILE *out)
{
	size_t who = names[i];

	if (who < w->stores)
		(void)fprintf(out, "store %zu", who + 1);
	else
		(void)fprintf(out, "slot %zu", who - w->stores + 1);
}

void tell_move(const struct world *w, const struct state *s, struct move m, const uint8_t names[NODES], FILE *out)
{
	(void)s;
	if (m.kind == MOVE_GOAL) {
		tell_bits("the operator wants versions ", w->goals[m.arg], out);
	} else if (m.kind == MOVE_STEP) {
		(void)fputs(moves[m.kind], out);
	} else {
		tell_name(w, m.node, names, out);
		(void)fprintf(out, " %s", moves[m.kind]);
	}
	(void)fputs("\n", out);
}

static void tell_content(const struct world *w, bool store, uint8_t content, FILE *out)
{
	if (!content)
		(void)fputs("nothing", out);
	else if (store)
		tell_bits("", set_bits(content), out);
	else
		(void)fprintf(out, "b%u%s", chain_version(content) + 1, (content - 1) % SERIALS ? "'" : "");
}

static void tell_books(const struct world *w, const struct node *n, bool store, FILE *out)
{
	(void)fputs(n->state == JOINING ? "joining, " : "", out);
	(void)fputs(n->alive ? "" : "silent, ", out);
	(void)fputs("Seq [", out);
	if (n->known)
		tell_content(w, store, n->base, out);
	else
		(void)fputs("?", out);
	for (size_t i = 0; i < n->doc_count; i++) {
		(void)fputs(", ", out);
		tell_content(w, store, n->docs[i].content, out);
		(void)fputs(n->docs[i].handed ? "" : " (not handed out)", out);
	}
	(void)fputs("]", out);
	if (n->asked)
		(void)fprintf(out, ", asked under %d", n->asked);
	if (n->staged) {
		(void)fputs(", ready ", out);
		tell_content(w, store, n->staged, out);
	}
	if (n->failures)
		(void)fprintf(out, ", failed %d times", n->failures);
}

static void tell_reality(const struct world *w, const struct node *n, bool store, FILE *out)
{
	(void)fputs("; really ", out);
	tell_content(w, store, n->real, out);
	for (size_t i = 0; i < KEPT && n->drains[i]; i++) {
		(void)fputs(i ? ", " : ", old workers ", out);
		tell_content(w, store, n->drains[i], out);
	}
	if (n->inbox) {
		(void)fputs(", received ", out);
		tell_content(w, store, n->inbox, out);
	}
	(void)fputs(n->touched ? " (changed from outside)" : "", out);
}

static void tell_versions(const struct world *w, const struct state *s, FILE *out)
{
	(void)fputs("      versions:", out);
	for (size_t i = 0; i < w->versions; i++) {
		uint8_t ca = s->cas[i];

		if (ca & CA_EXISTS)
			(void)fprintf(out, " %zu%s%s%s", i + 1, ca & CA_WANTED ? " wanted" : "",
				      ca & CA_SIGNING ? " signing" : "", ca & CA_RETIRED ? " retired" : "");
	}
	(void)fputs("\n", out);
}

void tell_state(const struct world *w, const struct state *s, const uint8_t names[NODES], FILE *out)
{
	tell_versions(w, s, out);
	for (size_t who = 0; who < world_nodes(w); who++) {
		size_t i = 0;

		while (names[i] != who)
			i++;
		const struct node *n = &s->nodes[i];

		(void)fputs("      ", out);
		tell_name(w, i, names, out);
		(void)fputs(": ", out);
		if (n->state == ABSENT || n->state == WAIVED) {
			(void)fputs(n->state == ABSENT ? "not there\n" : "waived\n", out);
			continue;
		}
		tell_books(w, n, is_store(w, i), out);
		tell_reality(w, n, is_store(w, i), out);
		(void)fputs("\n", out);
	}
}
