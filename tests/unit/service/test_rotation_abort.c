/* Rollback, abort, a second rotation, and changing one's mind twice, at every moment.
 *
 * A rotation is a row of commits: somebody starts it, agents poll, report and send requests.  Between
 * any two of them an operator may change his mind.  Each scenario here is played once for every such
 * boundary, on a fresh fleet; after every change on a node every pair is tried (fleet.h), after every
 * verb the view is compared with the rows, and at the end the last wish must be fulfilled. */
#include "fleet.h"

enum { STEPS = 4, NODES = 4, BOUNDARIES = 200 };
#ifdef TROTH_SANITIZED
enum { STRIDE = 6 }; /* each story there takes four times as long; the release build plays them all */
#else
enum { STRIDE = 1 };
#endif

enum wish { WISH_NONE, WISH_ABORT, WISH_ROTATE, WISH_AGAIN, WISH_DISTRUST };

/* What the operator does: the first at a boundary, each next one `gap` commits later. */
struct scenario {
	const char *name;
	enum wish wishes[STEPS];
	int gap;
};

static struct play {
	const struct scenario *scenario;
	int commits, next_at, step;
	const char *wanted[STEPS + 2]; /* versions by rotation, as a stack: abort goes back by one */
	size_t depth;
	const char *aborted; /* id of the rotation aborted last */
	bool distrusted;     /* from then on an abort is refused */
} play;

static void wish_abort(struct fleet *f)
{
	struct rotation_ret ret;
	struct troth_err e = { 0 };
	troth_rc rc = fleet_do(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/demo/ca" }, &ret, &e);
	fleet_tell(f, "commit %d: abort: %s", play.commits, rc_ok(rc) ? ret.rotation.id : e.primary);
	if (rc_ok(rc) && text_equal(ret.rotation.id, play.aborted)) {
		return; /* nothing is open any more, and what was aborted stays so */
	} else if (rc_ok(rc)) {
		FLEET_CHECK(f, play.depth > 1);
		play.depth--;
		play.aborted = ret.rotation.id;
	} else { /* only when it is over, or an emergency */
		FLEET_CHECK(f, e.kind == TROTH_CONFLICT || (play.distrusted && e.kind == TROTH_UNSAFE));
	}
}

static void wish_rotate(struct fleet *f, bool again)
{
	struct rotate_ret ret;
	struct troth_err e = { 0 };
	troth_rc rc = fleet_do(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = again }, &ret, &e);
	fleet_tell(f, "commit %d: rotate%s: %s", play.commits, again ? " again" : "", rc_ok(rc) ? ret.new_version : e.primary);
	FLEET_CHECK(f, rc_ok(rc));
	play.wanted[play.depth++] = ret.new_version;
}

/* All present versions are stolen: as many pairs as the dry run says, and what does not live by them goes on. */
static void wish_distrust(struct fleet *f)
{
	struct rotate_cmd cmd = { .name = "/demo/ca", .compromised = true };
	struct rotate_ret ret;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &cmd, &ret);
	f->dry_run = false;
	cmd.yes_break = ret.breaks;
	fleet_must(f, &VERB_ROTATE, &cmd, &ret);
	fleet_tell(f, "commit %d: distrust, %lld pairs", play.commits, (long long)ret.breaks);
	struct rotation_view v = fleet_rotation(f, ret.rotation);
	for (size_t i = 0; i < v.old_count; i++)
		fleet_give_up(f, v.old_versions[i]);
	play.wanted[0] = ret.new_version;
	play.depth = 1;
	play.distrusted = true;
}

static void change_mind(struct fleet *f)
{
	play.commits++;
	if (play.commits < play.next_at || play.step == STEPS)
		return;
	enum wish wish = play.scenario->wishes[play.step++];
	play.next_at = play.commits + play.scenario->gap;
	switch (wish) {
	case WISH_ABORT: wish_abort(f); break;
	case WISH_ROTATE: wish_rotate(f, false); break;
	case WISH_AGAIN: wish_rotate(f, true); break;
	case WISH_DISTRUST: wish_distrust(f); break;
	case WISH_NONE: break;
	}
	if (wish != WISH_NONE && play.scenario->gap == 0)
		change_mind(f);
}

static struct fleet *small_fleet(void)
{
	static const char *const names[NODES] = { "app-0", "app-1", "svc-0", "svc-1" };
	struct fleet *f = fleet_new();
	for (size_t i = 0; i < NODES; i++)
		fleet_join(f, names[i][0] == 'a' ? "app" : "svc", names[i]);
	fleet_settle(f, 20);
	fleet_all_hands(f);
	return f;
}

static void at_rest_on(struct fleet *f, const char *version)
{
	for (size_t i = 0; i < f->node_count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		if (n->name[0] == 'a')
			FLEET_CHECK(f, fleet_store_size(n) == 1 && fleet_trusts(f, n, version));
		else
			FLEET_CHECK(f, fleet_signed_by(f, n, version));
	}
	fleet_all_hands(f);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
}

/* True: the boundary was reached before the rotation ended. */
static bool play_at(const struct scenario *scenario, int boundary)
{
	struct fleet *f = small_fleet();
	struct rotate_ret first = fleet_rotate(f, "/demo/ca");
	struct rotation_view v = fleet_rotation(f, first.rotation);
	play = (struct play){ .scenario = scenario, .next_at = boundary };
	play.wanted[play.depth++] = v.old_versions[0];
	play.wanted[play.depth++] = first.new_version;
	fleet_tell(f, "%s, at commit %d", scenario->name, boundary);
	f->boundary = change_mind;
	if (boundary == 0) {
		f->at_boundary = true;
		change_mind(f);
		f->at_boundary = false;
	}
	fleet_settle(f, 60);
	bool reached = play.step > 0;
	f->boundary = NULL;
	fleet_settle(f, 60);
	at_rest_on(f, play.wanted[play.depth - 1]);
	struct audit_verify_ret audit;
	fleet_must(f, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &audit);
	FLEET_CHECK(f, audit.check.holds);
	fleet_free(f);
	return reached;
}

static void everywhere(const struct scenario *scenario)
{
	int boundary = 0;
	for (; play_at(scenario, boundary); boundary += STRIDE)
		assert_true(boundary < BOUNDARIES);
	print_message("%s: %d boundaries\n", scenario->name, boundary);
	assert_true(boundary > 12);
}

static void abort_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "abort", { WISH_ABORT }, 0 });
}

static void abort_then_rotate_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "abort, then rotate", { WISH_ABORT, WISH_ROTATE }, 0 });
}

/* Back to what was wanted before, not to the version that was given up. */
static void abort_rotate_abort_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "abort, rotate, abort", { WISH_ABORT, WISH_ROTATE, WISH_ABORT }, 0 });
}

static void rotate_again_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "rotate again", { WISH_AGAIN }, 0 });
}

static void again_then_abort_both_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "rotate again, abort both", { WISH_AGAIN, WISH_ABORT, WISH_ABORT }, 3 });
}

/* The first goes on when the second is aborted. */
static void again_then_abort_one_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "rotate again, abort it", { WISH_AGAIN, WISH_ABORT }, 1 });
}

static void twice_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "abort, rotate, abort, rotate", { WISH_ABORT, WISH_ROTATE, WISH_ABORT, WISH_ROTATE }, 2 });
}

static void distrust_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "distrust, abort", { WISH_DISTRUST, WISH_ABORT }, 1 });
}

static void abort_then_distrust_at_every_commit(void **state)
{
	everywhere(&(struct scenario){ "abort, distrust", { WISH_ABORT, WISH_DISTRUST }, 1 });
}

/* -- a leaf -------------------------------------------------------------------------------------------- */

static const char *leaf_of(const struct fleet_node *n) { return n->places[0].loaded.items[0]; }

/* Aborted before its slot was sent anything: it keeps what it has, and nothing is asked for any more. */
static void leaf_aborted_at_every_commit(void **state)
{
	int kept = 0;
	for (int boundary = 0; boundary < 5; boundary++) {
		struct fleet *f = small_fleet();
		struct fleet_node *n = fleet_node(f, "svc-0");
		const char *before = leaf_of(n);
		struct rotate_ret r;
		fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/svc-0/server" }, &r);
		for (int i = 0; i < boundary; i++)
			(void)fleet_turn(f, n);
		bool done = text_equal(fleet_rotation(f, r.rotation).state, "done");
		struct rotation_ret ret;
		if (!done)
			fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &ret);
		fleet_settle(f, 30);
		FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, done ? "done" : "aborted"));
		FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
		fleet_all_hands(f);
		kept += text_equal(leaf_of(n), before);
		fleet_free(f);
	}
	assert_true(kept > 0 && kept < 5);
}

/* The first of two that was superseded goes on under a new operation, and ends. */
static void a_resumed_rotation_ends(void **state)
{
	struct fleet *f = small_fleet();
	struct rotate_ret first = fleet_rotate(f, "/demo/ca"), second;
	struct rotation_ret ret;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &second);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, first.rotation).state, "aborted"));
	FLEET_CHECK(f, text_equal(fleet_rotation(f, "/demo/ca").id, second.rotation));
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/demo/ca" }, &ret);
	FLEET_CHECK(f, text_equal(ret.rotation.id, second.rotation));
	FLEET_CHECK(f, text_equal(fleet_rotation(f, "/demo/ca").id, first.rotation));
	FLEET_CHECK(f, !text_equal(fleet_rotation(f, first.rotation).operation, first.operation));
	FLEET_CHECK(f, fleet_operation(f, first.operation).state == OPERATION_CANCELLED);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, first.rotation).state, "done"));
	FLEET_CHECK(f, fleet_operation(f, fleet_rotation(f, first.rotation).operation).state == OPERATION_SUCCEEDED);
	at_rest_on(f, first.new_version);
	fleet_refused(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ first.rotation }, TROTH_CONFLICT, "is done");
	fleet_free(f);
}

/* What would be done first, and that nothing was. */
static void a_dry_run_changes_nothing(void **state)
{
	struct fleet *f = small_fleet();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	struct rotation_ret ret;
	for (size_t i = 0; i < 2; i++)
		(void)fleet_turn(f, &f->nodes[i]); /* the stores trust both */
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/demo/ca" }, &ret);
	f->dry_run = false;
	FLEET_CHECK(f, text_equal(ret.rotation.state, "aborted") && ret.next.count > 0 && strstr(ret.next.items[0], "store"));
	FLEET_CHECK(f, ret.waiting_count == 0);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "running"));
	fleet_settle(f, 60);
	at_rest_on(f, r.new_version);
	fleet_free(f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abort_at_every_commit),
		cmocka_unit_test(abort_then_rotate_at_every_commit),
		cmocka_unit_test(abort_rotate_abort_at_every_commit),
		cmocka_unit_test(rotate_again_at_every_commit),
		cmocka_unit_test(again_then_abort_one_at_every_commit),
		cmocka_unit_test(again_then_abort_both_at_every_commit),
		cmocka_unit_test(twice_at_every_commit),
		cmocka_unit_test(distrust_at_every_commit),
		cmocka_unit_test(abort_then_distrust_at_every_commit),
		cmocka_unit_test(leaf_aborted_at_every_commit),
		cmocka_unit_test(a_resumed_rotation_ends),
		cmocka_unit_test(a_dry_run_changes_nothing),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
