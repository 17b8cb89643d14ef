/* rotate --compromised: what it says before, what it does, and that it never comes back. */
#include "fleet.h"

#include "pki/pki.h"
#include "service/rotation/distrust.h"

static struct rotate_ret dry_run(struct fleet *f, const struct rotate_cmd *cmd)
{
	struct rotate_ret ret;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, cmd, &ret);
	f->dry_run = false;
	return ret;
}

/* The pairs are named, so those that live by it alone are excused. */
static struct rotate_ret compromise(struct fleet *f, const char *name, int64_t breaks)
{
	struct rotate_ret ret;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = name, .compromised = true, .yes_break = breaks }, &ret);
	fleet_tell(f, "%s is compromised", name);
	struct rotation_view v = fleet_rotation(f, ret.rotation);
	for (size_t i = 0; i < v.old_count && breaks; i++)
		fleet_give_up(f, v.old_versions[i]);
	return ret;
}

static const char *old_version(struct fleet *f, const char *rotation)
{
	return fleet_rotation(f, rotation).old_versions[0];
}

static struct version_row version_of(struct fleet *f, const char *uuid)
{
	struct version_row v;
	struct troth_err e = { 0 };
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(version_row_by_uuid(tx, f->a, uuid, &v, &e)));
	fleet_read_end(f, tx);
	return v;
}

static const char *version_pem(struct fleet *f, const char *uuid)
{
	struct cert_row cert;
	struct troth_err e = { 0 };
	struct version_row v = version_of(f, uuid);
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(cert_row_get(tx, f->a, v.cert_id, &cert, &e)));
	fleet_read_end(f, tx);
	return cert_pem(f->a, cert.der);
}

static bool nowhere(struct fleet *f, const char *version)
{
	for (size_t i = 0; i < f->node_count; i++)
		if (fleet_trusts(f, &f->nodes[i], version) || fleet_signed_by(f, &f->nodes[i], version))
			return false;
	return true;
}

static void all_on(struct fleet *f, const char *version)
{
	for (size_t i = 0; i < f->node_count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		FLEET_CHECK(f, n->name[0] == 'a' ? fleet_store_size(n) == 1 && fleet_trusts(f, n, version) : fleet_signed_by(f, n, version));
	}
	fleet_all_hands(f);
}

/* -- what is said ------------------------------------------------------------------------------------------ */

static void dry_run_names_the_pairs(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = dry_run(f, &(struct rotate_cmd){ .name = "/demo/ca", .compromised = true });
	FLEET_CHECK(f, r.compromised && r.breaks == 9 && r.pair_count == 9 && r.doubts == 0 && r.note_count == 0);
	FLEET_CHECK(f, strstr(r.pairs[0].slot, "/tls") && strstr(r.pairs[0].store, "/trust"));
	FLEET_CHECK(f, r.step_count == 4 && strstr(r.steps[0], "distrust 1 version of /demo/ca"));
	FLEET_CHECK(f, dry_run(f, &(struct rotate_cmd){ .name = "/demo/ca", .compromised = true }).breaks == 9);
	fleet_all_hands(f);
	fleet_free(f);
}

static void the_number_must_be_right(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_cmd cmd = { .name = "/demo/ca", .compromised = true, .yes_break = 8 };
	struct rotate_ret ret;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_failed(fleet_do(f, &f->admin, &VERB_ROTATE, &cmd, &ret, &e)));
	FLEET_CHECK(f, e.kind == TROTH_UNSAFE && strstr(e.primary, "breaks 9 pairs now, not 8") && strstr(e.hint, "--yes-break 9"));
	int listed = 0;
	for (const struct finding *x = e.findings; x; x = x->next)
		listed += strstr(x->text, "/trust") != NULL;
	FLEET_CHECK(f, listed == 9);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .compromised = true }, TROTH_UNSAFE, "not 0");
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .yes_break = 9 }, TROTH_INVALID,
		      "only with compromised");
	fleet_join(f, "app", "app-3"); /* meanwhile the fleet grows: the number of a moment ago is another */
	fleet_settle(f, 20);
	cmd.yes_break = 9;
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_UNSAFE, "breaks 12 pairs now, not 9");
	fleet_settle(f, 5);
	fleet_all_hands(f);
	compromise(f, "/demo/ca", 12);
	fleet_free(f);
}

/* -- what is done -------------------------------------------------------------------------------------------- */

static void distrusted_and_replaced(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = compromise(f, "/demo/ca", 9);
	const char *old = old_version(f, r.rotation);
	FLEET_CHECK(f, fleet_rotation(f, r.rotation).compromised && version_of(f, r.new_version).signing);
	FLEET_CHECK(f, fleet_rotation(f, r.rotation).trusting.count == 3);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done") && fleet_rotation(f, r.rotation).trusting.count == 0);
	FLEET_CHECK(f, nowhere(f, old));
	all_on(f, r.new_version);
	fleet_free(f);
}

/* Half way through a rotation: only what is stolen goes, and the rotation's new version stays. */
static void only_one_version(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *late = fleet_node(f, "svc-2");
	late->off = true;
	struct rotate_ret first = fleet_rotate(f, "/demo/ca"), r;
	const char *old = old_version(f, first.rotation);
	fleet_settle(f, 30);
	struct rotate_cmd cmd = { .name = "/demo/ca", .compromised = true, .version = old };
	FLEET_CHECK(f, dry_run(f, &cmd).breaks == 3); /* svc-2 lives by it, with three stores */
	cmd.yes_break = 3;
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	fleet_give_up(f, old);
	FLEET_CHECK(f, r.new_version == NULL && text_equal(fleet_rotation(f, first.rotation).state, "aborted"));
	late->off = false;
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done") && nowhere(f, old));
	all_on(f, first.new_version);
	cmd.version = "00000000-0000-4000-8000-000000000000";
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_NOT_FOUND, "has no version");
	fleet_free(f);
}

static bool told_to_trust(struct fleet *f, struct fleet_node *n, const char *pem)
{
	struct desired_ret d = fleet_desired(f, n, 0);
	for (size_t i = 0; i < d.desired.target_count; i++)
		for (size_t k = 0; k < d.desired.targets[i].certificates.count; k++)
			if (text_equal(d.desired.targets[i].certificates.items[k], pem))
				return true;
	return false;
}

/* What is on its way when it is distrusted: never handed out, never signed by. */
static void what_was_decided_before_does_not_leave(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret first = fleet_rotate(f, "/demo/ca"), r;
	for (int i = 0; i < 4; i++) /* stores trust it, slots have it ready */
		for (size_t k = 0; k < 3; k++)
			(void)fleet_turn(f, &f->nodes[k]);
	for (size_t k = 3; k < 5; k++)
		(void)fleet_turn(f, &f->nodes[k]); /* a request each: the chains lie on the table */
	struct rotate_cmd cmd = { .name = "/demo/ca", .compromised = true, .version = first.new_version };
	FLEET_CHECK(f, dry_run(f, &cmd).breaks == 0);
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	FLEET_CHECK(f, r.new_version != NULL && !version_of(f, first.new_version).signing);
	for (int i = 0; i < 60; i++) {
		fleet_settle(f, 1);
		for (size_t k = 3; k < f->node_count; k++)
			FLEET_CHECK(f, !fleet_signed_by(f, &f->nodes[k], first.new_version));
	}
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	all_on(f, r.new_version);
	fleet_free(f);
}

/* Given, and perhaps lost on its way; everything is frozen, so nothing newer comes.  It is not given once more. */
static void what_was_given_is_not_given_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct rotate_ret first = fleet_rotate(f, "/demo/ca"), r;
	struct freeze_ret frozen;
	struct rotate_cmd cmd = { .name = "/demo/ca", .compromised = true, .version = first.new_version };
	const char *stolen = version_pem(f, first.new_version);
	FLEET_CHECK(f, told_to_trust(f, n, stolen)); /* the answer is lost */
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "incident" }, &frozen);
	FLEET_CHECK(f, told_to_trust(f, n, stolen)); /* what was given is given again (0010) */
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	FLEET_CHECK(f, !told_to_trust(f, n, stolen));
	fleet_must(f, &VERB_THAW, &(struct no_cmd){ 0 }, &frozen);
	fleet_settle(f, 60);
	FLEET_CHECK(f, nowhere(f, first.new_version));
	all_on(f, r.new_version);
	fleet_free(f);
}

/* -- distrust_returns: not by an abort, an upload, a backup ------------------------------------------------------ */

static void distrust_returns_by_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct fleet_place before = n->places[0];
	struct rotate_ret r = compromise(f, "/demo/ca", 9), again;
	const char *old = old_version(f, r.rotation);
	fleet_refused(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, TROTH_UNSAFE, "not taken back");
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &again);
	struct rotation_ret ret;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ again.rotation }, &ret);
	fleet_settle(f, 60);
	FLEET_CHECK(f, nowhere(f, old));
	all_on(f, r.new_version);
	struct bundle_list_ret bundles;
	struct bundle_add_cmd add = { .certificate = { .alias = "back", .pem = version_pem(f, old) } };
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/demo/trust" }, &bundles);
	add.id = bundles.items[0].row.uuid;
	fleet_refused(f, &f->admin, &VERB_BUNDLE_ADD, &add, TROTH_INVALID, "is distrusted");
	n->places[0] = before; /* a snapshot of last week, with what was stolen */
	n->boot_id = "restored";
	memset(f->could, 0, sizeof f->could);
	fleet_open(f, n);
	fleet_settle(f, 30);
	FLEET_CHECK(f, nowhere(f, old));
	all_on(f, r.new_version);
	fleet_free(f);
}

/* A store that is not heard of is waited for, and named as trusting it still. */
static void who_still_trusts(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-2");
	n->off = true;
	struct rotate_ret r = compromise(f, "/demo/ca", 9);
	fleet_settle(f, 40);
	struct rotation_view v = fleet_rotation(f, r.rotation);
	FLEET_CHECK(f, text_equal(v.state, "running") && v.trusting.count == 1 && v.trusting.named == 1);
	FLEET_CHECK(f, text_equal(v.trusting.stores[0].name, "app-2/trust") && text_equal(v.trusting.stores[0].why, "counted"));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "app-2", "not-fetched"));
	n->off = false;
	fleet_settle(f, 40);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_free(f);
}

/* -- what the agent is told ------------------------------------------------------------------------------------- */

static void documents_say_what_not_to_go_back_to(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *app = fleet_node(f, "app-0"), *svc = fleet_node(f, "svc-0");
	FLEET_CHECK(f, fleet_desired(f, app, 0).desired.targets[0].distrusted.count == 0);
	struct rotate_ret r = compromise(f, "/demo/ca", 9);
	char hex[SHA256_HEX_LEN];
	struct troth_err e = { 0 };
	const struct cert *old;
	FLEET_CHECK(f, rc_ok(cert_parse_any(f->a, bytes_of_text(version_pem(f, old_version(f, r.rotation))), &old, &e)));
	struct desired_ret d = fleet_desired(f, app, 0);
	FLEET_CHECK(f, d.desired.targets[0].distrusted.count == 1);
	FLEET_CHECK(f, text_equal(d.desired.targets[0].distrusted.items[0], cert_fingerprint_hex(old, hex)));
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_desired(f, app, 0).desired.targets[0].distrusted.count == 0); /* it has left */
	compromise(f, "/demo/svc-0/server", 0);
	(void)fleet_turn(f, svc); /* sends its request */
	d = fleet_desired(f, svc, 0);
	FLEET_CHECK(f, d.desired.targets[0].distrusted.count == 1 && d.desired.targets[0].generation > svc->places[0].l);
	fleet_free(f);
}

/* -- a leaf, an intermediate -------------------------------------------------------------------------------------- */

static void a_leaf(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	const char *before = n->places[0].loaded.items[0];
	struct rotate_ret r = dry_run(f, &(struct rotate_cmd){ .name = "/demo/svc-0/server", .compromised = true });
	FLEET_CHECK(f, r.breaks == 0 && r.note_count == 1 && strstr(r.notes[0], "no revocation list goes out") &&
			       strstr(r.notes[0], "/demo/ca"));
	r = compromise(f, "/demo/svc-0/server", 0); /* nobody breaks: nothing to say yes to */
	FLEET_CHECK(f, version_of(f, old_version(f, r.rotation)).distrusted);
	fleet_refused(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, TROTH_UNSAFE, "not taken back");
	fleet_settle(f, 30);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, !text_equal(n->places[0].loaded.items[0], before));
	fleet_all_hands(f);
	fleet_free(f);
}

static void what_it_does_not_reach(void **state)
{
	struct fleet *f = fleet_new();
	struct credential_ret made;
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = "/demo/inter", .issuer = "/demo/ca", .path_len = AUTHORITY_PATH_LEN_DEFAULT }, &made);
	struct rotate_ret r = dry_run(f, &(struct rotate_cmd){ .name = "/demo/inter", .compromised = true });
	FLEET_CHECK(f, r.note_count == 1 && strstr(r.notes[0], "everybody who trusts /demo/ca"));
	r = dry_run(f, &(struct rotate_cmd){ .name = "/demo/ca", .compromised = true });
	FLEET_CHECK(f, r.note_count == 1 && strstr(r.notes[0], "/demo/inter is signed by it"));
	fleet_free(f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dry_run_names_the_pairs),
		cmocka_unit_test(the_number_must_be_right),
		cmocka_unit_test(distrusted_and_replaced),
		cmocka_unit_test(only_one_version),
		cmocka_unit_test(what_was_decided_before_does_not_leave),
		cmocka_unit_test(what_was_given_is_not_given_again),
		cmocka_unit_test(distrust_returns_by_nothing),
		cmocka_unit_test(who_still_trusts),
		cmocka_unit_test(documents_say_what_not_to_go_back_to),
		cmocka_unit_test(a_leaf),
		cmocka_unit_test(what_it_does_not_reach),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
