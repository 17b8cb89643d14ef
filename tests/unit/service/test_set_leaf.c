/* A leaf that was made elsewhere: in a holder's hands, like one that was taken here. */
#include "bring.h"
#include "fleet.h"

#include "service/handout/delete.h"
#include "service/handout/generate.h"
#include "service/handout/generate_below.h"
#include "service/intake/imported.h"
#include "service/intake/upload.h"
#include "service/outside/holder.h"

static struct lookup_ret set(struct fleet *f, struct set_cmd cmd)
{
	struct lookup_ret ret;
	fleet_must(f, &VERB_CREDENTIAL_BRING, &cmd, &ret);
	FLEET_CHECK(f, ret.count == 1 && ret.items[0].active && !ret.items[0].beside && !ret.items[0].generated);
	return ret;
}

static struct lookup_ret look(struct fleet *f, const char *name)
{
	struct lookup_ret ret;
	fleet_must(f, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name, .keys = true }, &ret);
	return ret;
}

static void refused(struct fleet *f, struct set_cmd cmd, enum troth_kind kind, const char *part)
{
	int64_t audit;
	struct audit_list_ret before, after;
	fleet_must(f, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .page = { 0, 500 } }, &before);
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_BRING, &cmd, kind, part);
	fleet_must(f, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .page = { 0, 500 } }, &after);
	audit = (int64_t)before.count - (int64_t)after.count;
	FLEET_CHECK(f, !audit);
}

/* The next version of /demo/ca is one whose key the test has. */
static struct rotate_ret rotate_to(struct fleet *f, const struct elsewhere *root)
{
	struct rotate_ret ret;
	struct rotate_cmd cmd = { .name = "/demo/ca", .again = true, .source = { "$.certificate", root->pem, elsewhere_key_pem(f->a, root) } };
	fleet_must(f, &VERB_ROTATE, &cmd, &ret);
	return ret;
}

static struct attest_ret attest(struct fleet *f, const struct lookup_ret *x, const char *reason)
{
	struct attest_ret ret;
	fleet_must(f, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ x->credential.row.uuid, reason }, &ret);
	return ret;
}

/* /demo/ca signs by `root` from now on, and nobody has anything of the one before. */
static struct fleet *demo_by(struct elsewhere *root)
{
	struct fleet *f = fleet_demo();
	*root = elsewhere_root(f->a, f->now, "brought");
	(void)rotate_to(f, root);
	fleet_settle(f, 60);
	return f;
}

static void a_rotation_waits_for_its_holder(void **state)
{
	struct elsewhere root, next;
	struct fleet *f = demo_by(&root);
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	struct elsewhere leaf = bring_leaf(f->a, f->now, "lb", &root, 0, 0), newer;
	struct set_cmd cmd = bring_cmd(f->a, "/demo/lb", &leaf);
	cmd.issuer = "/demo/ca";
	struct lookup_ret made = set(f, cmd);
	FLEET_CHECK(f, text_equal(made.items[0].ca, root.pem));
	FLEET_CHECK(f, made.credential.row.issuer_id && text_equal(made.credential.spec.sans.items[0], "dns:lb.example"));
	fleet_loads(f, lb, leaf.pem);
	fleet_all_hands(f);
	next = elsewhere_root(f->a, f->now, "next");
	struct rotate_ret r = rotate_to(f, &next);
	FLEET_CHECK(f, r.outside_count == 1 && text_equal(r.outside[0], "/demo/lb"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, !text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/lb", "outside-holder"));
	fleet_restart(f);
	newer = bring_leaf(f->a, f->now, "lb", &next, 0, 0);
	cmd = bring_cmd(f->a, "/demo/lb", &newer);
	cmd.ca = next.pem; /* the same by its certificate */
	made = set(f, cmd);
	FLEET_CHECK(f, text_equal(made.items[0].ca, arena_printf(f->a, "%s%s", next.pem, root.pem)) && look(f, "/demo/lb").count == 2);
	fleet_settle(f, 60); /* it has the new one and shows the old one: every pair is tried */
	FLEET_CHECK(f, !text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_loads(f, lb, newer.pem);
	FLEET_CHECK(f, attest(f, &made, "renewed").replaced == 1);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_all_hands(f);
	bring_release((struct elsewhere *[]){ &root, &leaf, &next, &newer }, 4);
	fleet_free(f);
}

/* Whoever takes it shows it: not before everybody would accept it. */
static void not_before_its_ca_is_trusted(void **state)
{
	struct elsewhere root, next;
	struct fleet *f = demo_by(&root);
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	struct elsewhere leaf = bring_leaf(f->a, f->now, "lb", &root, 0, 0), newer;
	struct set_cmd cmd = bring_cmd(f->a, "/demo/lb", &leaf);
	cmd.ca = root.pem;
	(void)set(f, cmd);
	fleet_loads(f, lb, leaf.pem);
	fleet_node(f, "app-2")->off = true;
	next = elsewhere_root(f->a, f->now, "next");
	(void)rotate_to(f, &next);
	fleet_settle(f, 20);
	newer = bring_leaf(f->a, f->now, "lb", &next, 0, 0);
	cmd = bring_cmd(f->a, "/demo/lb", &newer);
	cmd.ca = next.pem;
	refused(f, cmd, TROTH_CONFLICT, "is not trusted by everybody yet");
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 60);
	(void)set(f, cmd);
	fleet_loads(f, lb, newer.pem);
	fleet_all_hands(f);
	cmd = bring_cmd(f->a, "/demo/lb", &leaf); /* and no way back to what goes */
	cmd.ca = root.pem;
	refused(f, cmd, TROTH_CONFLICT, "is replaced");
	bring_release((struct elsewhere *[]){ &root, &leaf, &next, &newer }, 4);
	fleet_free(f);
}

/* The same of a root whose key is nowhere here. */
static void nor_that_of_an_imported_one(void **state)
{
	struct fleet *f = fleet_demo();
	struct elsewhere root = elsewhere_root(f->a, f->now, "corp"), next = elsewhere_root(f->a, f->now, "corp next");
	struct elsewhere leaf = bring_leaf(f->a, f->now, "lb", &root, 0, 0), newer = bring_leaf(f->a, f->now, "lb", &next, 0, 0);
	struct set_cmd import = { .name = "/corp/root", .certificate = root.pem }, cmd = bring_cmd(f->a, "/corp/lb", &leaf);
	struct list_cmd all = { .name = "/demo/trust" };
	struct bundle_list_ret list;
	struct bundle_ret bundle;
	FLEET_CHECK(f, text_equal(set(f, import).items[0].ca, root.pem));
	fleet_must(f, &VERB_BUNDLE_LIST, &all, &list);
	fleet_must(f, &VERB_BUNDLE_ADD, &(struct bundle_add_cmd){ .id = list.items[0].row.uuid, .authority = "/corp/root" }, &bundle);
	fleet_settle(f, 20);
	cmd.issuer = "/corp/root";
	(void)set(f, cmd);
	fleet_node(f, "app-2")->off = true;
	import.certificate = next.pem;
	(void)set(f, import);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_waits(f, "/corp/root", "/corp/lb", "outside-holder"));
	struct set_cmd later = bring_cmd(f->a, "/corp/lb", &newer);
	later.issuer = "/corp/root";
	refused(f, later, TROTH_CONFLICT, "is not trusted by everybody yet");
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 20);
	struct lookup_ret made = set(f, later);
	(void)attest(f, &made, "renewed");
	fleet_settle(f, 20);
	FLEET_CHECK(f, look(f, "/corp/root").items[1].version->row.retired_at && fleet_explain(f, NULL).count == 0);
	bring_release((struct elsewhere *[]){ &root, &next, &leaf, &newer }, 4);
	fleet_free(f);
}

/* Its key is given out, each time by name in the audit; nobody here makes its next one; its end is told. */
static void its_owner_has_it(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "far"), leaf = bring_leaf(f->a, f->now, "lb", &root, 0, 0),
			 other = bring_leaf(f->a, f->now, "other", &root, 0, 0);
	struct set_cmd cmd = bring_cmd(f->a, "/x/lb", &leaf);
	struct generate_cmd again = { .name = "/x/lb", .again = true };
	struct no_ret none;
	CLEANUP(key_releasep) struct key *given = NULL;
	cmd.ca = root.pem;
	struct lookup_ret made = set(f, cmd);
	FLEET_CHECK(f, text_equal(made.items[0].ca, root.pem) && !made.credential.row.issuer_id);
	FLEET_CHECK(f, rc_ok(key_parse(bytes_of_text(made.items[0].private_key), &given, NULL)) && key_public_matches(given, leaf.cert->spki));
	FLEET_CHECK(f, text_equal(look(f, "/x/lb").items[0].private_key, made.items[0].private_key));
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_GENERATE, &again, TROTH_CONFLICT, "only its owner");
	struct set_cmd keyless = { .name = "/x/lb", .certificate = other.pem };
	made = set(f, keyless);
	FLEET_CHECK(f, !made.items[0].private_key && !made.items[0].ca && look(f, "/x/lb").items[1].private_key);
	f->now = other.cert->not_after - 60 * MSEC_DAY;
	fleet_effects(f);
	struct event_list_ret events;
	size_t told = 0;
	fleet_must(f, &VERB_EVENT_LIST, &(struct event_list_cmd){ .page = { 0, 500 } }, &events);
	for (size_t i = 0; i < events.count; i++)
		told += text_equal(events.items[i].kind, "credential.expires");
	FLEET_CHECK(f, told == 1); /* of the newest alone */
	fleet_must(f, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ "/x/lb" }, &none);
	bring_release((struct elsewhere *[]){ &root, &leaf, &other }, 3);
	fleet_free(f);
}

static void what_is_refused_changes_nothing(void **state)
{
	struct elsewhere root;
	struct fleet *f = demo_by(&root);
	struct elsewhere far = elsewhere_root(f->a, f->now, "far"), leaf = bring_leaf(f->a, f->now, "lb", &root, 0, 0),
			 theirs = bring_leaf(f->a, f->now, "lb", &far, 0, 0), old = bring_leaf(f->a, f->now, "old", &root, -2 * MSEC_DAY, -MSEC_DAY),
			 early = bring_leaf(f->a, f->now, "early", &root, MSEC_DAY, 0);
	struct set_cmd cmd = bring_cmd(f->a, "/x/lb", &leaf), x = cmd;
	struct generate_below_cmd below = { "/demo/ca" };
	cmd.issuer = "/demo/ca";
	refused(f, bring_cmd(f->a, "/x/lb", &old), TROTH_INVALID, "expired");
	refused(f, bring_cmd(f->a, "/x/lb", &early), TROTH_INVALID, "valid from");
	x.private_key = elsewhere_key_pem(f->a, &theirs);
	refused(f, x, TROTH_INVALID, "is not that of");
	x.private_key = "no key";
	refused(f, x, TROTH_INVALID, "");
	x = bring_cmd(f->a, "/demo/svc-0/server", &leaf);
	struct credential_row served;
	struct target_row t = fleet_target(f, fleet_node(f, "svc-0"));
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(credential_row_get(tx, f->a, t.credential_id, &served, NULL)));
	fleet_read_end(f, tx);
	x.name = served.name;
	x.issuer = "/demo/ca";
	refused(f, x, TROTH_CONFLICT, "slots serve");
	x = bring_cmd(f->a, "/demo/ca", &leaf);
	refused(f, x, TROTH_CONFLICT, "is a CA");
	(void)set(f, cmd);
	x = bring_cmd(f->a, "/x/lb", &theirs);
	x.ca = far.pem;
	refused(f, x, TROTH_CONFLICT, "is signed by /demo/ca");
	x = cmd;
	x.beside = true;
	refused(f, x, TROTH_INVALID, "no CA's");
	f->dry_run = true;
	refused(f, cmd, TROTH_INVALID, "cannot be tried");
	f->dry_run = false;
	FLEET_CHECK(f, look(f, "/x/lb").count == 1);
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_GENERATE_BELOW, &below, TROTH_CONFLICT, "/x/lb came from elsewhere");
	bring_release((struct elsewhere *[]){ &root, &far, &leaf, &theirs, &old, &early }, 6);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_rotation_waits_for_its_holder), cmocka_unit_test(not_before_its_ca_is_trusted),
					      cmocka_unit_test(nor_that_of_an_imported_one), cmocka_unit_test(its_owner_has_it),
					      cmocka_unit_test(what_is_refused_changes_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
