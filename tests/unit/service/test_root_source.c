/* A root that was made elsewhere becomes the next version of one that is here. */
#include "elsewhere.h"
#include "fleet.h"

static struct rotate_cmd from_elsewhere(struct fleet *f, const char *name, const struct elsewhere *root)
{
	return (struct rotate_cmd){ .name = name, .source = { "$.cert_pem", root->pem, elsewhere_key_pem(f->a, root) } };
}

/* It is the next version of its authority, all below is signed by it, and what follows is made here again. */
static void a_version_made_elsewhere(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct elsewhere root = elsewhere_root(f->a, f->now, "brought");
	struct rotate_cmd cmd = from_elsewhere(f, "/demo/ca", &root);
	struct rotate_ret r;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	f->dry_run = false;
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, fleet_chains_to(f, fleet_node(f, "svc-0"), r.new_version) && fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_CONFLICT, "already");
	struct rotate_ret next = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_chains_to(f, fleet_node(f, "svc-0"), next.new_version));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* Aborted before anything was switched, it leaves the stores again. */
static void a_version_made_elsewhere_is_taken_back(void **state)
{
	struct fleet *f = fleet_demo();
	struct elsewhere root = elsewhere_root(f->a, f->now, "brought");
	struct rotate_cmd cmd = from_elsewhere(f, "/demo/ca", &root);
	struct rotate_ret r;
	struct rotation_ret aborted;
	cmd.by_steps = true;
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ "/demo/ca", "introduce" }, &(struct approve_ret){ 0 });
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &aborted);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1 && !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct elsewhere root = elsewhere_root(f->a, f->now, "brought"), other = elsewhere_root(f->a, f->now, "other"),
			 flat = elsewhere_below(f->a, f->now, "flat", 0, NULL), below = elsewhere_below(f->a, f->now, "below", 0, &root),
			 late = elsewhere_root(f->a, f->now - 3640 * MSEC_DAY, "late");
	struct rotate_cmd cmd = from_elsewhere(f, "/demo/inter", &root);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "not a root whose keys are here");
	cmd = from_elsewhere(f, "/troth/agents", &root);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "troth's own");
	cmd = from_elsewhere(f, "/demo/ca", &root);
	cmd.cross_sign = true;
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "cross-signed");
	cmd = from_elsewhere(f, "/demo/ca", &root);
	cmd.source.private_key = elsewhere_key_pem(f->a, &other);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "is not that of");
	cmd.source.private_key = "";
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "is missing");
	cmd = from_elsewhere(f, "/demo/ca", &flat);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "path length 0");
	cmd = from_elsewhere(f, "/demo/ca", &below);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "not self-signed");
	cmd = from_elsewhere(f, "/demo/ca", &late);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "before a leaf");
	fleet_refused(f, &f->admin, &VERB_ROTATION_SHOW, &(struct rotation_cmd){ "/demo/ca" }, TROTH_NOT_FOUND, "never rotated");
	key_release(root.key);
	key_release(other.key);
	key_release(flat.key);
	key_release(below.key);
	key_release(late.key);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_made_elsewhere),
		cmocka_unit_test(a_version_made_elsewhere_is_taken_back),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
