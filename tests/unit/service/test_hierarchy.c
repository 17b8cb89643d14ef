/* Two and three levels of CAs: each rotated alone, together, twice, back; a handshake of every pair after
 * every change (fleet.h), and in the end everything on the goal and nothing of the old left. */
#include "fleet.h"

#include "service/ca/hierarchy.h"

#ifdef TROTH_SANITIZED
enum { STRIDE = 3 }; /* moments and walks: some of them show what a sanitizer can see; the release build plays them all */
#else
enum { STRIDE = 1 };
#endif

/* -- looking ---------------------------------------------------------------------------------------- */

static struct credential_view authority(struct fleet *f, const char *name)
{
	struct credential_list_ret list;
	struct credential_ret one;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = name }, &list);
	FLEET_CHECK(f, list.count == 1);
	fleet_must(f, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ list.items[0].row.uuid }, &one);
	return one.credential;
}

static const struct version_view *newest(struct fleet *f, const char *name)
{
	return &authority(f, name).versions[0];
}

/* One version is left of each, it signs, and it is signed by what is left of the one above. */
static void is_settled(struct fleet *f, const char *name, const char *above)
{
	struct credential_view v = authority(f, name);
	size_t left = 0;
	for (size_t i = 0; i < v.version_count; i++) {
		const struct version_row *row = &v.versions[i].row;
		FLEET_CHECK(f, row->wanted || row->retired_at);
		if (row->retired_at)
			continue;
		left++;
		FLEET_CHECK(f, row->signing);
		if (above)
			for (size_t k = 0; k < authority(f, above).version_count; k++)
				FLEET_CHECK(f, !authority(f, above).versions[k].row.wanted ||
					    text_equal(v.versions[i].signed_by, authority(f, above).versions[k].row.uuid));
	}
	FLEET_CHECK(f, left == 1);
}

static const char *wanted(struct fleet *f, const char *name)
{
	struct credential_view v = authority(f, name);
	for (size_t i = 0; i < v.version_count; i++)
		if (v.versions[i].row.wanted)
			return v.versions[i].row.uuid;
	return NULL;
}

static void all_settled(struct fleet *f)
{
	is_settled(f, "/demo/ca", NULL);
	if (f->levels == 3)
		is_settled(f, "/demo/sub", "/demo/ca");
	if (f->levels > 1)
		is_settled(f, "/demo/inter", f->levels == 3 ? "/demo/sub" : "/demo/ca");
	for (size_t i = 0; i < f->node_count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		if (n->name[0] == 'a')
			FLEET_CHECK(f, fleet_store_size(n) == 1 && fleet_trusts(f, n, wanted(f, "/demo/ca")));
		else
			FLEET_CHECK(f, fleet_chains_to(f, n, wanted(f, "/demo/ca")) &&
				    fleet_signed_by(f, n, wanted(f, f->levels > 1 ? "/demo/inter" : "/demo/ca")));
	}
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
}

static bool is_in(struct fleet *f, const char *rotation, const char *state)
{
	return text_equal(fleet_rotation(f, rotation).state, state);
}

static struct rotation_view aborted(struct fleet *f, const char *id)
{
	struct rotation_ret ret;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ id }, &ret);
	fleet_tell(f, "the rotation of %s was aborted", ret.rotation.name);
	return ret.rotation;
}

static struct rotate_ret again(struct fleet *f, const char *name)
{
	struct rotate_ret ret;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = name, .again = true }, &ret);
	fleet_tell(f, "%s is rotated again", name);
	return ret;
}

/* -- alone -------------------------------------------------------------------------------------------- */

static void the_root_takes_its_intermediates_along(void **state)
{
	for (int levels = 2; levels <= 3; levels++) {
		struct fleet *f = fleet_levels(levels);
		const char *root = wanted(f, "/demo/ca"), *inter = wanted(f, "/demo/inter");
		struct rotate_ret r = fleet_rotate(f, "/demo/ca");
		FLEET_CHECK(f, r.stores == 3 && r.slots == 3 && r.instances == 6);
		struct rotation_view v = fleet_rotation(f, r.rotation);
		FLEET_CHECK(f, v.below_count == (size_t)levels - 1);
		FLEET_CHECK(f, text_equal(v.below[levels - 2].name, "/demo/inter") &&
			    text_equal(v.below[levels - 2].version, wanted(f, "/demo/inter")));
		FLEET_CHECK(f, !text_equal(root, wanted(f, "/demo/ca")) && !text_equal(inter, wanted(f, "/demo/inter")));
		fleet_settle(f, 80);
		FLEET_CHECK(f, is_in(f, r.rotation, "done"));
		all_settled(f);
		fleet_free(f);
	}
}

/* The chain changes, the anchors do not: no store is sent anything. */
static void an_intermediate_alone_is_no_business_of_the_stores(void **state)
{
	struct fleet *f = fleet_levels(2);
	int64_t generation = fleet_target(f, fleet_node(f, "app-0")).next_generation;
	struct rotate_ret r = fleet_rotate(f, "/demo/inter");
	FLEET_CHECK(f, r.stores == 0 && r.slots == 3);
	fleet_settle(f, 60);
	FLEET_CHECK(f, is_in(f, r.rotation, "done"));
	FLEET_CHECK(f, fleet_target(f, fleet_node(f, "app-0")).next_generation == generation);
	FLEET_CHECK(f, fleet_rotation(f, r.rotation).below_count == 0);
	all_settled(f);
	fleet_free(f);
}

static void the_middle_of_three(void **state)
{
	struct fleet *f = fleet_levels(3);
	const char *root = wanted(f, "/demo/ca");
	struct rotate_ret r = fleet_rotate(f, "/demo/sub");
	FLEET_CHECK(f, r.stores == 0 && r.slots == 3);
	fleet_settle(f, 60);
	FLEET_CHECK(f, is_in(f, r.rotation, "done") && fleet_rotation(f, r.rotation).below_count == 1);
	FLEET_CHECK(f, text_equal(root, wanted(f, "/demo/ca")));
	all_settled(f);
	fleet_free(f);
}

static void the_child_goes_before_its_parent(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct fleet_node *late = fleet_node(f, "svc-2");
	late->off = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 40);
	/* who holds up the root's end is a slot of the intermediate, and explain says so for both names */
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "svc-2", "not-fetched") || fleet_waits(f, "/demo/ca", "svc-2", "csr"));
	FLEET_CHECK(f, fleet_waits(f, "/demo/inter", "svc-2", "not-fetched") || fleet_waits(f, "/demo/inter", "svc-2", "csr"));
	struct credential_view ca = authority(f, "/demo/ca"), inter = authority(f, "/demo/inter");
	FLEET_CHECK(f, !ca.versions[1].row.retired_at && !inter.versions[1].row.retired_at);
	late->off = false;
	fleet_settle(f, 60);
	ca = authority(f, "/demo/ca"), inter = authority(f, "/demo/inter");
	FLEET_CHECK(f, inter.versions[1].row.retired_at <= ca.versions[1].row.retired_at);
	all_settled(f);
	fleet_free(f);
}

/* -- together ------------------------------------------------------------------------------------------- */

/* At every moment of the root's rotation the intermediate is rotated too, and then the root again. */
static void parent_and_child_at_once(void **state)
{
	for (int moment = 0; moment < 9; moment += 2 * STRIDE) {
		struct fleet *f = fleet_levels(2);
		struct rotate_ret root = fleet_rotate(f, "/demo/ca");
		fleet_settle(f, moment);
		struct rotate_ret inter = fleet_rotate(f, "/demo/inter");
		FLEET_CHECK(f, text_equal(newest(f, "/demo/inter")->signed_by, root.new_version));
		fleet_settle(f, 1 + moment % 3);
		struct rotate_ret twice = again(f, "/demo/ca");
		fleet_settle(f, 100);
		FLEET_CHECK(f, is_in(f, twice.rotation, "done"));
		FLEET_CHECK(f, !is_in(f, inter.rotation, "running") && !is_in(f, root.rotation, "running"));
		all_settled(f);
		fleet_free(f);
	}
}

static void the_child_first_then_the_parent(void **state)
{
	struct fleet *f = fleet_levels(2);
	fleet_node(f, "svc-1")->off = true;
	struct rotate_ret inter = fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 20);
	struct rotate_ret root = fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, is_in(f, inter.rotation, "aborted")); /* the root's rotation has taken its place */
	FLEET_CHECK(f, strstr(fleet_operation(f, inter.operation).result, root.rotation) != NULL);
	fleet_settle(f, 20);
	fleet_node(f, "svc-1")->off = false;
	fleet_settle(f, 80);
	FLEET_CHECK(f, is_in(f, root.rotation, "done"));
	all_settled(f);
	fleet_free(f);
}

static void the_child_twice_during_the_parents(void **state)
{
	struct fleet *f = fleet_levels(2);
	fleet_node(f, "app-1")->off = true; /* holds up the root's */
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 20);
	again(f, "/demo/inter");
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_waits(f, "/demo/inter", "svc-0", "not-trusted"));
	fleet_node(f, "app-1")->off = false;
	fleet_settle(f, 100);
	all_settled(f);
	fleet_free(f);
}

/* -- back ------------------------------------------------------------------------------------------------- */

/* At every moment: what came with the root's rotation goes with it. */
static void aborting_the_parent_takes_the_children_back(void **state)
{
	for (int moment = 0; moment < 10; moment += STRIDE * (1 + moment / 3)) {
		struct fleet *f = fleet_levels(2 + moment % 2);
		const char *root = wanted(f, "/demo/ca"), *inter = wanted(f, "/demo/inter");
		fleet_node(f, "svc-2")->off = true; /* so it is never done */
		struct rotate_ret r = fleet_rotate(f, "/demo/ca");
		fleet_settle(f, moment);
		aborted(f, r.rotation);
		fleet_tell(f, "moment %d", moment);
		FLEET_CHECK(f, text_equal(root, wanted(f, "/demo/ca")) && text_equal(inter, wanted(f, "/demo/inter")));
		fleet_settle(f, moment % 5);
		fleet_node(f, "svc-2")->off = false;
		fleet_settle(f, 100);
		FLEET_CHECK(f, !fleet_rotation(f, r.rotation).going_back);
		all_settled(f);
		fleet_free(f);
	}
}

/* The intermediate's own rotation goes on, under the root that came back. */
static void aborting_the_parent_signs_a_rotated_child_again(void **state)
{
	struct fleet *f = fleet_levels(2);
	const char *root = wanted(f, "/demo/ca"), *inter = wanted(f, "/demo/inter");
	fleet_node(f, "svc-2")->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 6);
	struct rotate_ret own = fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 6);
	aborted(f, r.rotation);
	FLEET_CHECK(f, text_equal(root, wanted(f, "/demo/ca")));
	FLEET_CHECK(f, text_equal(newest(f, "/demo/inter")->signed_by, root) && newest(f, "/demo/inter")->row.wanted);
	FLEET_CHECK(f, !text_equal(inter, wanted(f, "/demo/inter"))); /* a new key was asked for, and comes */
	FLEET_CHECK(f, is_in(f, own.rotation, "running"));
	FLEET_CHECK(f, text_equal(fleet_rotation(f, own.rotation).new_version, wanted(f, "/demo/inter")));
	fleet_node(f, "svc-2")->off = false;
	fleet_settle(f, 100);
	FLEET_CHECK(f, is_in(f, own.rotation, "done"));
	all_settled(f);
	fleet_free(f);
}

static void aborting_the_child_stays_under_the_new_parent(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	const char *came = wanted(f, "/demo/inter");
	fleet_settle(f, 4);
	fleet_node(f, "svc-2")->off = true; /* so that what came is still in use */
	struct rotate_ret own = fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 6);
	aborted(f, own.rotation);
	FLEET_CHECK(f, text_equal(came, wanted(f, "/demo/inter")));
	fleet_node(f, "svc-2")->off = false;
	fleet_settle(f, 100);
	FLEET_CHECK(f, is_in(f, r.rotation, "done"));
	all_settled(f);
	fleet_free(f);
}

/* Both are done below, the root's is not: the intermediate in use would end at the root that goes. */
static void aborting_after_the_childs_rotation_was_done(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 9);
	fleet_node(f, "app-2")->off = true;
	struct rotate_ret own = fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 40);
	if (is_in(f, r.rotation, "running"))
		aborted(f, r.rotation);
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 100);
	FLEET_CHECK(f, !is_in(f, own.rotation, "running"));
	all_settled(f);
	fleet_free(f);
}

/* -- CredHub 2.3 --------------------------------------------------------------------------------------------- */

/* There, with the new root and the new intermediate both only trusted so far, any further change of the root made the
 * new intermediate the signer at once, and one that was made anew was signed by the old root and stayed there. */
static void two_levels_where_credhub_goes_wrong(void **state)
{
	struct fleet *f = fleet_levels(2);
	const char *old_inter = wanted(f, "/demo/inter");
	fleet_node(f, "app-2")->off = true; /* phase one does not end */
	struct rotate_ret root = fleet_rotate(f, "/demo/ca");
	fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 20);
	struct rotate_ret second = again(f, "/demo/ca"); /* the change of the root */
	fleet_settle(f, 20);
	/* the new intermediate does not sign before its root is trusted by all who meet its leaves */
	for (int i = 0; i < 3; i++)
		FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, i == 0 ? "svc-0" : i == 1 ? "svc-1" : "svc-2"), old_inter));
	struct credential_view inter = authority(f, "/demo/inter");
	for (size_t i = 0; i < inter.version_count; i++)
		FLEET_CHECK(f, inter.versions[i].row.signing == text_equal(inter.versions[i].row.uuid, old_inter));
	/* it hangs on the newest root, not on the one that signs now */
	FLEET_CHECK(f, text_equal(inter.versions[0].signed_by, second.new_version));
	FLEET_CHECK(f, inter.versions[0].cert.not_after <= newest(f, "/demo/ca")->cert.not_after);
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 100);
	FLEET_CHECK(f, is_in(f, second.rotation, "done") && is_in(f, root.rotation, "aborted"));
	all_settled(f);
	fleet_free(f);
}

/* -- others ---------------------------------------------------------------------------------------------------- */

static void a_new_intermediate_is_signed_by_the_root_that_comes(void **state)
{
	struct fleet *f = fleet_levels(2);
	fleet_node(f, "app-2")->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	struct credential_ret made;
	struct authority_create_cmd cmd = { .name = "/demo/second", .issuer = "/demo/ca", .path_len = AUTHORITY_PATH_LEN_DEFAULT,
					    .clamp = true };
	fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &made);
	FLEET_CHECK(f, text_equal(made.credential.versions[0].signed_by, r.new_version));
	fleet_settle(f, 10);
	aborted(f, r.rotation); /* it was signed by what goes: it is signed again */
	FLEET_CHECK(f, !text_equal(newest(f, "/demo/second")->signed_by, r.new_version));
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 60);
	is_settled(f, "/demo/second", "/demo/ca");
	all_settled(f);
	fleet_free(f);
}

static void a_pause_of_the_root_holds_the_slots_below(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rotation_ret paused;
	fleet_node(f, "app-2")->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	fleet_must(f, &VERB_ROTATION_PAUSE, &(struct rotation_cmd){ r.rotation }, &paused);
	const char *before = fleet_node(f, "svc-0")->places[0].loaded.items[0];
	fleet_node(f, "app-2")->off = false; /* it loads what was on its way: now all stores have the new root */
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-2")) == 2);
	FLEET_CHECK(f, text_equal(before, fleet_node(f, "svc-0")->places[0].loaded.items[0]));
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	FLEET_CHECK(f, x.count > 0 && text_equal(x.items[0].reason, "paused") && text_equal(x.items[0].authority, "/demo/ca"));
	fleet_must(f, &VERB_ROTATION_RESUME, &(struct rotation_cmd){ r.rotation }, &paused);
	fleet_settle(f, 80);
	all_settled(f);
	fleet_free(f);
}

static void restarts_and_kills(void **state)
{
	struct fleet *f = fleet_levels(3);
	f->restarts = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	for (int i = 0; i < 25; i++) {
		fleet_settle(f, 1);
		fleet_restart(f);
		if (i == 7)
			fleet_rotate(f, "/demo/sub");
		fleet_kill(f, &f->nodes[i % f->node_count]);
	}
	fleet_settle(f, 80);
	FLEET_CHECK(f, is_in(f, r.rotation, "done"));
	all_settled(f);
	fleet_free(f);
}

static void too_many_below(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct credential_ret made;
	for (int i = 0; i < LIMIT_INTERMEDIATES; i++) {
		struct authority_create_cmd cmd = { .name = arena_printf(f->a, "/many/%d", i), .issuer = "/demo/ca", .clamp = true };
		f->now += 10 * MSEC_S; /* the keeper's rate of CAs */
		fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &made);
		if (i == LIMIT_INTERMEDIATES - 2)
			fleet_rotate(f, "/demo/ca"); /* as many as may be */
	}
	struct rotate_cmd cmd = { .name = "/demo/ca", .again = true };
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_TOO_LARGE, "/demo/ca");
	fleet_free(f);
}

static void dry_run(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rotate_ret r;
	int calls = f->keeper_calls;
	const char *inter = wanted(f, "/demo/inter");
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca" }, &r);
	f->dry_run = false;
	FLEET_CHECK(f, r.stores == 3 && r.slots == 3 && f->keeper_calls == calls);
	FLEET_CHECK(f, strstr(r.steps[0], "/demo/ca") && strstr(r.steps[1], "/demo/inter"));
	FLEET_CHECK(f, text_equal(inter, wanted(f, "/demo/inter")));
	fleet_free(f);
}

/* -- random walks: rotate, abort, stop, kill, restart; then let it settle ------------------------------------------- */

static unsigned dice(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static void random_move(struct fleet *f, unsigned *seed)
{
	static const char *const names[] = { "/demo/ca", "/demo/inter", "/demo/sub" };
	struct troth_err e = { 0 };
	struct rotation_ret steered;
	struct rotate_ret rotated;
	const char *name = names[dice(seed, (unsigned)f->levels)];
	struct fleet_node *n = &f->nodes[dice(seed, (unsigned)f->node_count)];
	switch (dice(seed, 7)) {
	case 0: case 1:
		(void)fleet_do(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = name, .again = dice(seed, 2) }, &rotated, &e);
		fleet_tell(f, "rotate %s: %s", name, e.primary);
		break;
	case 2:
		(void)fleet_do(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ name }, &steered, &e);
		fleet_tell(f, "abort %s: %s", name, e.primary);
		break;
	case 3: n->off = !n->off; break;
	case 4: fleet_kill(f, n); break;
	case 5: n->repeats = !n->repeats; break;
	default: fleet_settle(f, 1 + (int)dice(seed, 8));
	}
	FLEET_CHECK(f, e.kind != TROTH_INTERNAL);
}

static void random_walks(void **state)
{
	for (unsigned walk = 1; walk <= 4; walk += STRIDE) {
		unsigned seed = walk * 7919;
		struct fleet *f = fleet_levels(2 + (int)(walk % 2));
		for (int i = 0; i < 40; i++)
			random_move(f, &seed);
		for (size_t i = 0; i < f->node_count; i++)
			f->nodes[i].off = false;
		fleet_settle(f, 200);
		all_settled(f);
		fleet_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_takes_its_intermediates_along),
		cmocka_unit_test(an_intermediate_alone_is_no_business_of_the_stores),
		cmocka_unit_test(the_middle_of_three),
		cmocka_unit_test(the_child_goes_before_its_parent),
		cmocka_unit_test(parent_and_child_at_once),
		cmocka_unit_test(the_child_first_then_the_parent),
		cmocka_unit_test(the_child_twice_during_the_parents),
		cmocka_unit_test(aborting_the_parent_takes_the_children_back),
		cmocka_unit_test(aborting_the_parent_signs_a_rotated_child_again),
		cmocka_unit_test(aborting_the_child_stays_under_the_new_parent),
		cmocka_unit_test(aborting_after_the_childs_rotation_was_done),
		cmocka_unit_test(two_levels_where_credhub_goes_wrong),
		cmocka_unit_test(a_new_intermediate_is_signed_by_the_root_that_comes),
		cmocka_unit_test(a_pause_of_the_root_holds_the_slots_below),
		cmocka_unit_test(restarts_and_kills),
		cmocka_unit_test(too_many_below),
		cmocka_unit_test(dry_run),
		cmocka_unit_test(random_walks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
