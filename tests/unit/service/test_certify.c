/* A CA that somebody else signs: its first certificate, its rotations, and those of the root above it; a handshake of every
 * pair after every change (fleet.h). */
#include "corp.h"

/* -- the first certificate ------------------------------------------------------------------------------------ */

static void the_first_certificate_makes_it_a_ca(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	struct credential_view v = corp_authority(f, "/corp/issuing");
	FLEET_CHECK(f, v.version_count == 0 && v.row.origin == ORIGIN_EXTERNAL && v.request.id && !v.request.key_blob.len);
	FLEET_CHECK(f, corp_waits(f, "/corp/issuing", "the certificate of version 1, which is signed elsewhere, asked for since 2026-11-18T"));
	corp_populate(f, "/corp/issuing", "/corp/issuing"); /* it may be used before: everything waits */
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 0);
	struct certify_ret r = corp_sign(f, &root);
	FLEET_CHECK(f, r.root_made && text_equal(r.root, "/corp/issuing/root") && !r.rotation);
	FLEET_CHECK(f, text_equal(r.version, v.request.uuid) && r.credential.versions[0].row.signing && !r.credential.request.id);
	FLEET_CHECK(f, corp_authority(f, "/corp/issuing/root").row.origin == ORIGIN_IMPORTED);
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "web-0"), r.version));
	FLEET_CHECK(f, fleet_node(f, "web-0")->places[0].loaded.count == 2); /* the intermediate is served, the root is not */
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 1 &&
		    fleet_trusts(f, fleet_node(f, "site-0"), corp_wanted(f, "/corp/issuing/root")));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	f->restarts = true;
	fleet_restart(f);
	fleet_settle(f, 10);
	key_release(root.key);
	fleet_free(f);
}

/* CAs of the outside between it and the root are served too. */
static void outside_intermediates_are_served(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root"), policy = elsewhere_below(f->a, f->now, "Policy CA", 1, &root);
	(void)corp_import(f, "/corp/root", &root);
	corp_create(f, "/corp/issuing", "/corp/root", AUTHORITY_PATH_LEN_DEFAULT);
	struct certify_ret r = corp_sign_under(f, "/corp/issuing", &policy, policy.pem, (struct elsewhere_wish){ 0 });
	FLEET_CHECK(f, text_equal(r.root, "/corp/root") && !r.root_made);
	corp_populate(f, "/corp/root", "/corp/issuing");
	FLEET_CHECK(f, fleet_node(f, "web-0")->places[0].loaded.count == 3);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 1);
	fleet_all_hands(f);
	key_release(policy.key);
	key_release(root.key);
	fleet_free(f);
}

static void a_root_that_was_imported_is_found_by_itself(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	(void)corp_import(f, "/corp/root", &root);
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	struct certify_ret r = corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	FLEET_CHECK(f, text_equal(r.root, "/corp/root") && !r.root_made);
	FLEET_CHECK(f, text_equal(corp_authority(f, "/corp/issuing").issuer, "/corp/root"));
	key_release(root.key);
	fleet_free(f);
}

/* -- refusals -------------------------------------------------------------------------------------------------- */

/* It must fail, with a finding that says so, and change nothing. */
static void refused(struct fleet *f, struct certify_cmd cmd, enum troth_kind kind, const char *part)
{
	struct troth_err e = { 0 };
	struct certify_ret ret;
	struct audit_list_ret before, after;
	bool said = false;
	fleet_must(f, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ 0 }, &before);
	FLEET_CHECK(f, rc_failed(fleet_do(f, &f->admin, &VERB_AUTHORITY_CERTIFY, &cmd, &ret, &e)));
	fleet_tell(f, "%s | %s", e.primary, e.hint);
	for (const struct finding *x = e.findings; x; x = x->next)
		said = said || strstr(x->text, part) || (x->hint && strstr(x->hint, part));
	said = said || strstr(e.primary, part) || strstr(e.hint, part);
	if (!said)
		fleet_fail(f, part, __FILE__, __LINE__);
	assert_int_equal(e.kind, kind);
	fleet_must(f, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ 0 }, &after);
	FLEET_CHECK(f, before.count == after.count);
}

static const char *sign(struct fleet *f, const struct elsewhere *by, struct elsewhere_wish w)
{
	return elsewhere_sign(f->a, f->now, by, corp_csr(f, "/corp/issuing"), w);
}

static struct certify_cmd with(struct fleet *f, const char *pem, const char *more)
{
	return corp_certify_cmd(f, "/corp/issuing", arena_printf(f->a, "%s%s", pem, more));
}

static void what_is_wrong_is_said_and_changes_nothing(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root"), other = elsewhere_root(f->a, f->now, "Other Root"),
			 twin = elsewhere_root(f->a, f->now, "Corporate Root");
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	corp_create(f, "/corp/another", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	const char *foreign = elsewhere_sign(f->a, f->now, &root, corp_csr(f, "/corp/another"), (struct elsewhere_wish){ 0 });
	const char *good = sign(f, &root, (struct elsewhere_wish){ 0 });
	refused(f, with(f, "", ""), TROTH_INVALID, "");
	refused(f, with(f, "no pem", ""), TROTH_INVALID, "");
	refused(f, with(f, foreign, root.pem), TROTH_INVALID, "no certificate in it is for the key of the request of /corp/issuing");
	refused(f, with(f, good, sign(f, &other, (struct elsewhere_wish){ 0 })), TROTH_INVALID, "two certificates");
	refused(f, with(f, sign(f, &root, (struct elsewhere_wish){ .kind = CERT_LEAF, .until = 90 * MSEC_DAY }), root.pem), TROTH_INVALID,
		"does not say CA:TRUE");
	refused(f, with(f, sign(f, &root, (struct elsewhere_wish){ .until = 30 * MSEC_DAY }), root.pem), TROTH_INVALID,
		"before a leaf of 90d that it would sign today");
	refused(f, with(f, sign(f, &root, (struct elsewhere_wish){ .from = MSEC_DAY }), root.pem), TROTH_INVALID, "is valid from");
	refused(f, with(f, sign(f, &root, (struct elsewhere_wish){ .from = -2 * MSEC_HOUR, .until = -MSEC_HOUR }), root.pem), TROTH_INVALID,
		"expired");
	refused(f, with(f, good, ""), TROTH_INVALID, "CN=Corporate Root is missing");
	refused(f, with(f, good, other.pem), TROTH_INVALID, "has no part in the chain");
	struct certify_cmd said = with(f, good, "");
	said.root = other.pem;
	refused(f, said, TROTH_INVALID, "no root anchors it: CN=Corporate Root is missing, which signed CN=/corp/issuing");
	said.root = twin.pem; /* the name of the root, and another key */
	refused(f, said, TROTH_INVALID, "no root anchors it");
	said.root = arena_printf(f->a, "%s%s", root.pem, other.pem);
	refused(f, said, TROTH_INVALID, "has 2 certificates");
	said.root = "x";
	refused(f, said, TROTH_INVALID, "");
	said = with(f, good, "");
	said.id = corp_id(f, "/demo/ca");
	refused(f, said, TROTH_NOT_FOUND, "no certificate of /demo/ca is waited for");
	struct certify_ret r = corp_certify(f, "/corp/issuing", arena_printf(f->a, "%s%s", root.pem, good)); /* in any order */
	FLEET_CHECK(f, r.root_made);
	refused(f, with(f, good, root.pem), TROTH_NOT_FOUND, "troth rotate /corp/issuing");
	(void)fleet_rotate(f, "/corp/issuing");
	refused(f, with(f, good, root.pem), TROTH_INVALID, "of a version that /corp/issuing has already");
	refused(f, with(f, sign(f, &other, (struct elsewhere_wish){ 0 }), ""), TROTH_INVALID, "troth authority import /corp/issuing/root");
	said = with(f, sign(f, &root, (struct elsewhere_wish){ 0 }), "");
	said.root = other.pem;
	refused(f, said, TROTH_INVALID, "is not the root that anchors it");
	key_release(root.key);
	key_release(other.key);
	key_release(twin.key);
	fleet_free(f);
}

static void who_may(void **state)
{
	struct fleet *f = fleet_new();
	struct principal auditor = { .name = "auditor", .roles = ROLE_AUDITOR }, narrow = { .name = "narrow", .roles = ROLE_OPERATOR, .scope = "/other/*" };
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	struct authority_csr_cmd csr = { corp_id(f, "/corp/issuing") };
	struct certify_cmd certify = with(f, sign(f, &root, (struct elsewhere_wish){ 0 }), root.pem);
	struct authority_csr_ret ret;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &auditor, &VERB_AUTHORITY_CSR, &csr, &ret, &e)) && ret.ordinal == 1 && ret.path_len == 0 && !ret.issuer);
	fleet_refused(f, &auditor, &VERB_AUTHORITY_CERTIFY, &certify, TROTH_FORBIDDEN, "may not do authority.certify");
	fleet_refused(f, &narrow, &VERB_AUTHORITY_CSR, &csr, TROTH_NOT_FOUND, "no such authority");
	fleet_refused(f, &narrow, &VERB_AUTHORITY_CERTIFY, &certify, TROTH_NOT_FOUND, "no such authority");
	struct principal own = { .name = "own", .roles = ROLE_OPERATOR, .scope = "/corp/issuing" }; /* and not what is made above it */
	fleet_refused(f, &own, &VERB_AUTHORITY_CERTIFY, &certify, TROTH_FORBIDDEN, "may not touch /corp/issuing/root");
	f->dry_run = true;
	struct certify_ret dry;
	fleet_must(f, &VERB_AUTHORITY_CERTIFY, &certify, &dry);
	FLEET_CHECK(f, dry.root_made && text_equal(dry.root, "/corp/issuing/root") && dry.credential.version_count == 0);
	f->dry_run = false;
	FLEET_CHECK(f, corp_authority(f, "/corp/issuing").version_count == 0);
	(void)corp_certify(f, "/corp/issuing", certify.certificate);
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CSR, &csr, TROTH_NOT_FOUND, "troth rotate /corp/issuing");
	key_release(root.key);
	fleet_free(f);
}

/* Before its certificate came it signs nothing, and says why. */
static void nothing_is_signed_before(void **state)
{
	struct fleet *f = fleet_new();
	const char *san = "dns:a.example";
	corp_create(f, "/corp/issuing", NULL, 1);
	struct credential_create_cmd leaf = { .name = "/corp/leaf", .authority = "/corp/issuing", .csr = fleet_csr(f), .sans = { &san, 1 } };
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_CREATE, &leaf, TROTH_CONFLICT, "its certificate is signed elsewhere, asked for since");
	struct authority_create_cmd below = { .name = "/corp/below", .issuer = "/corp/issuing", .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_CONFLICT, "troth authority csr /corp/issuing");
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing" }, TROTH_CONFLICT, "waits for a certificate already");
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing", .again = true }, TROTH_CONFLICT,
		      "waits for a certificate already");
	fleet_free(f);
}

/* -- rotations --------------------------------------------------------------------------------------------------- */

static void a_rotation_waits_for_its_certificate(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	const char *before = corp_wanted(f, "/corp/issuing");
	int64_t generation = fleet_target(f, fleet_node(f, "site-0")).next_generation;
	struct rotate_ret r = fleet_rotate(f, "/corp/issuing");
	FLEET_CHECK(f, !r.new_version);
	f->now += 3 * MSEC_DAY;
	fleet_settle(f, 20);
	struct rotation_view v = fleet_rotation(f, r.rotation);
	FLEET_CHECK(f, text_equal(v.state, "running") && strstr(v.progress, "\"stage\":\"certifying\""));
	FLEET_CHECK(f, v.waits_for && strstr(v.waits_for, "/corp/issuing waits for the certificate of version 2"));
	FLEET_CHECK(f, corp_waits(f, "/corp/issuing", "asked for since 2026-11-18T")); /* not since today */
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "web-0"), before));
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing", .again = true }, TROTH_CONFLICT,
		      "troth rotation abort /corp/issuing");
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing", .cross_sign = true }, TROTH_CONFLICT, "");
	fleet_restart(f);
	struct certify_ret c = corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	FLEET_CHECK(f, text_equal(c.rotation, r.rotation) && !c.root_made);
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, r.rotation, "done"));
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "web-0"), c.version));
	FLEET_CHECK(f, fleet_target(f, fleet_node(f, "site-0")).next_generation == generation); /* the root is the same: no store was sent anything */
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

static void aborted_while_it_waits(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	const char *before = corp_wanted(f, "/corp/issuing");
	struct rotate_ret r = fleet_rotate(f, "/corp/issuing");
	const char *csr = corp_csr(f, "/corp/issuing"), *pem = sign(f, &root, (struct elsewhere_wish){ 0 });
	struct rotation_ret aborted;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/corp/issuing" }, &aborted);
	f->dry_run = false;
	FLEET_CHECK(f, corp_is(f, r.rotation, "running"));
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/corp/issuing" }, &aborted);
	FLEET_CHECK(f, corp_is(f, r.rotation, "aborted") && fleet_explain(f, NULL).count == 0);
	FLEET_CHECK(f, text_equal(corp_wanted(f, "/corp/issuing"), before));
	refused(f, corp_certify_cmd(f, "/corp/issuing", pem), TROTH_NOT_FOUND, "no certificate of /corp/issuing is waited for");
	r = fleet_rotate(f, "/corp/issuing");
	FLEET_CHECK(f, !text_equal(csr, corp_csr(f, "/corp/issuing")));
	refused(f, corp_certify_cmd(f, "/corp/issuing", pem), TROTH_INVALID, "no certificate in it is for the key");
	(void)corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	/* and after the certificate came, as any other */
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/corp/issuing" }, &aborted);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(corp_wanted(f, "/corp/issuing"), before));
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "web-0"), before));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* One more on top of one that runs: that goes on until the certificate comes; aborted, it goes on again. */
static void a_second_rotation_on_top(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	struct fleet_node *away = fleet_node(f, "web-1");
	struct rotate_ret first = fleet_rotate(f, "/corp/issuing"), second;
	struct certify_ret two = corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	away->off = true;
	fleet_settle(f, 20);
	FLEET_CHECK(f, corp_is(f, first.rotation, "running") && fleet_signed_by(f, fleet_node(f, "web-0"), two.version));
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing" }, TROTH_CONFLICT, "is being rotated already");
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing", .again = true }, &second);
	FLEET_CHECK(f, corp_is(f, first.rotation, "running") && corp_is(f, second.rotation, "running"));
	struct certify_ret three = corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	FLEET_CHECK(f, text_equal(three.rotation, second.rotation));
	FLEET_CHECK(f, corp_is(f, first.rotation, "aborted") && corp_is(f, second.rotation, "running"));
	struct rotation_ret aborted;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ second.rotation }, &aborted);
	FLEET_CHECK(f, corp_is(f, first.rotation, "running") && text_equal(corp_wanted(f, "/corp/issuing"), two.version));
	away->off = false;
	fleet_settle(f, 80);
	FLEET_CHECK(f, corp_is(f, first.rotation, "done") && fleet_signed_by(f, away, two.version) && fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* Signed this minute, by a clock like ours: verifiers whose clock is behind would refuse it, so it is not used yet. */
static void a_certificate_of_this_minute_waits_for_slow_clocks(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	struct rotate_ret r = fleet_rotate(f, "/corp/issuing");
	struct certify_ret c = corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ .from = -MSEC_S });
	fleet_settle(f, 20);
	FLEET_CHECK(f, corp_is(f, r.rotation, "running") && !fleet_signed_by(f, fleet_node(f, "web-0"), c.version));
	FLEET_CHECK(f, fleet_waits(f, "/corp/issuing", "web-0", "not-valid-yet"));
	f->now += 6 * MSEC_MIN;
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, r.rotation, "done") && fleet_signed_by(f, fleet_node(f, "web-0"), c.version));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* When it is due, the request is made by itself; that is all that can be. */
static void a_renewal_asks_by_itself(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	struct credential_ret set;
	struct renewal_set_cmd early = { .id = corp_id(f, "/corp/issuing"), .renew = { .at = "5%" } }; /* before the leaves are due */
	fleet_must(f, &VERB_RENEWAL_SET, &early, &set);
	f->now = corp_authority(f, "/corp/issuing").next_renewal - MSEC_HOUR;
	fleet_settle(f, 10);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	f->now += 2 * MSEC_HOUR;
	fleet_wake(f);
	fleet_effects(f);
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_waits(f, "/corp/issuing", "the certificate of version 2"));
	struct rotation_view v = fleet_rotation(f, "/corp/issuing");
	FLEET_CHECK(f, text_equal(v.state, "running") && text_equal(v.reason, "its renewal is due"));
	(void)corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, v.id, "done"));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* What is below it is signed here, and comes along. */
static void a_ca_below_it_comes_along(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	struct credential_ret ca;
	corp_create(f, "/corp/issuing", NULL, 1);
	(void)corp_sign_under(f, "/corp/issuing", &root, root.pem, (struct elsewhere_wish){ .path_len = 1 });
	struct authority_create_cmd below = { .name = "/corp/team", .issuer = "/corp/issuing", .path_len = AUTHORITY_PATH_LEN_DEFAULT, .clamp = true };
	fleet_must(f, &VERB_AUTHORITY_CREATE, &below, &ca);
	corp_populate(f, "/corp/issuing", "/corp/team");
	FLEET_CHECK(f, fleet_node(f, "web-0")->places[0].loaded.count == 3);
	const char *team = corp_wanted(f, "/corp/team");
	struct rotate_ret r = fleet_rotate(f, "/corp/issuing");
	FLEET_CHECK(f, text_equal(corp_wanted(f, "/corp/team"), team));
	refused(f, with(f, sign(f, &root, (struct elsewhere_wish){ 0 }), ""), TROTH_INVALID, "has path length 0, and the CAs below /corp/issuing need 1");
	(void)corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ .path_len = 1 });
	FLEET_CHECK(f, !text_equal(corp_wanted(f, "/corp/team"), team) && fleet_rotation(f, r.rotation).below_count == 1);
	fleet_settle(f, 80);
	FLEET_CHECK(f, corp_is(f, r.rotation, "done") && fleet_signed_by(f, fleet_node(f, "web-0"), corp_wanted(f, "/corp/team")));
	fleet_all_hands(f);
	r = fleet_rotate(f, "/corp/team"); /* alone: it is signed here, and waits for nobody */
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, r.rotation, "done") && fleet_signed_by(f, fleet_node(f, "web-0"), r.new_version));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* -- the root above it --------------------------------------------------------------------------------------------- */

static void the_next_root_overlaps(void **state)
{
	struct elsewhere first;
	struct fleet *f = corp_demo(&first);
	struct elsewhere second = elsewhere_root(f->a, f->now, "Corporate Root");
	const char *old = corp_wanted(f, "/corp/issuing/root");
	struct authority_import_ret i = corp_import(f, "/corp/issuing/root", &second);
	FLEET_CHECK(f, !i.created && i.rotation && i.asked.count == 1 && text_equal(i.asked.items[0], "/corp/issuing"));
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 2); /* both, though nothing is signed under the new one */
	FLEET_CHECK(f, corp_waits(f, "/corp/issuing/root", "/corp/issuing waits for the certificate of version 2"));
	FLEET_CHECK(f, corp_is(f, i.rotation, "running") && corp_is(f, "/corp/issuing", "running"));
	struct certify_ret c = corp_sign_under(f, "/corp/issuing", &second, NULL, (struct elsewhere_wish){ 0 });
	FLEET_CHECK(f, text_equal(c.root, "/corp/issuing/root"));
	fleet_settle(f, 80);
	FLEET_CHECK(f, corp_is(f, i.rotation, "done") && corp_is(f, c.rotation, "done"));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 1 && !fleet_trusts(f, fleet_node(f, "site-0"), old));
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "web-0"), c.version) && fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

/* Two CAs below it: the old root stays until the last of them moved. */
static void the_old_root_waits_for_the_last(void **state)
{
	struct elsewhere first;
	struct fleet *f = corp_demo(&first);
	struct elsewhere second = elsewhere_root(f->a, f->now, "Next Root");
	corp_create(f, "/corp/other", "/corp/issuing/root", AUTHORITY_PATH_LEN_DEFAULT);
	(void)corp_sign_under(f, "/corp/other", &first, NULL, (struct elsewhere_wish){ 0 });
	corp_create(f, "/corp/late", "/corp/issuing/root", AUTHORITY_PATH_LEN_DEFAULT); /* its first certificate is out: nobody waits for it */
	struct authority_import_ret i = corp_import(f, "/corp/issuing/root", &second);
	FLEET_CHECK(f, i.asked.count == 2);
	(void)corp_sign_under(f, "/corp/issuing", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, i.rotation, "running") && fleet_store_size(fleet_node(f, "site-0")) == 2);
	(void)corp_sign_under(f, "/corp/other", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, i.rotation, "done") && fleet_store_size(fleet_node(f, "site-0")) == 1);
	(void)corp_sign_under(f, "/corp/late", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_all_hands(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

/* The mind is changed after the CA moved: both go back together. */
static void the_next_root_is_aborted(void **state)
{
	struct elsewhere first;
	struct fleet *f = corp_demo(&first);
	struct elsewhere second = elsewhere_root(f->a, f->now, "Next Root");
	const char *root = corp_wanted(f, "/corp/issuing/root"), *ca = corp_wanted(f, "/corp/issuing");
	struct authority_import_ret i = corp_import(f, "/corp/issuing/root", &second);
	fleet_settle(f, 40);
	(void)corp_sign_under(f, "/corp/issuing", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 2);
	struct rotation_ret aborted;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ i.rotation }, &aborted);
	FLEET_CHECK(f, text_equal(corp_wanted(f, "/corp/issuing/root"), root) && text_equal(corp_wanted(f, "/corp/issuing"), ca));
	fleet_settle(f, 80);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 1 && fleet_signed_by(f, fleet_node(f, "web-0"), ca));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

/* One below it was certified under the new root only: it cannot go back, and that is said before anything is. */
static void an_abort_that_cannot_be_is_refused(void **state)
{
	struct elsewhere first;
	struct fleet *f = corp_demo(&first);
	struct elsewhere second = elsewhere_root(f->a, f->now, "Next Root");
	struct authority_import_ret i = corp_import(f, "/corp/issuing/root", &second);
	corp_create(f, "/corp/late", "/corp/issuing/root", AUTHORITY_PATH_LEN_DEFAULT);
	(void)corp_sign_under(f, "/corp/late", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_refused(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ i.rotation }, TROTH_CONFLICT,
		      "/corp/late has no version below what its issuer would go back to");
	FLEET_CHECK(f, corp_is(f, i.rotation, "running"));
	(void)corp_sign_under(f, "/corp/issuing", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, i.rotation, "done"));
	fleet_all_hands(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

/* -- emergencies ---------------------------------------------------------------------------------------------------- */

static int64_t breaks(struct fleet *f, const char *name)
{
	struct rotate_ret dry;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = name, .compromised = true }, &dry);
	f->dry_run = false;
	FLEET_CHECK(f, dry.note_count > 0 || text_equal(name, "/corp/issuing/root"));
	return dry.breaks;
}

static void a_compromised_ca_is_distrusted_before_its_successor_comes(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	const char *old = corp_wanted(f, "/corp/issuing");
	struct rotate_ret r;
	fleet_give_up(f, old);
	struct rotate_cmd cmd = { .name = "/corp/issuing", .compromised = true, .yes_break = breaks(f, "/corp/issuing") };
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	FLEET_CHECK(f, !r.new_version && !corp_wanted(f, "/corp/issuing"));
	FLEET_CHECK(f, corp_waits(f, "/corp/issuing", "the certificate of version 2"));
	fleet_refused(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, TROTH_UNSAFE, "not taken back");
	struct certify_ret c = corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 80);
	FLEET_CHECK(f, corp_is(f, r.rotation, "done") && fleet_signed_by(f, fleet_node(f, "web-0"), c.version));
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* The same root once more, a day younger: its owner gave the stolen key another certificate, and perhaps another name. */
static const char *certified_anew(struct fleet *f, const struct elsewhere *root, const char *name)
{
	struct troth_err e = { 0 };
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = name ? name : root->cert->common_name, .path_len = -1, .not_before = f->now - MSEC_HOUR,
				  .not_after = f->now + 3650 * MSEC_DAY };
	assert_true(rc_ok(key_spki(root->key, f->a, &spec.spki, &e)));
	return cert_pem(f->a, elsewhere_build(f->a, spec, NULL, root->key));
}

/* Neither in the middle of a chain nor at its top, and whatever its certificate calls it. */
static void a_stolen_key_certifies_nothing(struct fleet *f, const struct elsewhere *stolen, const struct elsewhere *root, const char *renamed)
{
	struct elsewhere middle = { .key = stolen->key }, top = { .key = stolen->key };
	struct troth_err e = { 0 };
	struct cert_spec spec = { .kind = CERT_INTERMEDIATE, .common_name = "Trusty", .path_len = 1, .not_before = f->now - MSEC_HOUR,
				  .not_after = f->now + 900 * MSEC_DAY };
	assert_true(rc_ok(key_spki(stolen->key, f->a, &spec.spki, &e)));
	assert_true(rc_ok(cert_parse(f->a, elsewhere_build(f->a, spec, root->cert, root->key), &middle.cert, &e)));
	const char *pem = elsewhere_sign(f->a, f->now, &middle, corp_csr(f, "/corp/issuing"), (struct elsewhere_wish){ 0 });
	struct certify_cmd cmd = corp_certify_cmd(f, "/corp/issuing", arena_printf(f->a, "%s%s", pem, cert_pem(f->a, middle.cert->der)));
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CERTIFY, &cmd, TROTH_INVALID, "the key of CN=Trusty was distrusted");
	corp_create(f, "/corp/two", NULL, 0);
	assert_true(rc_ok(cert_parse_any(f->a, bytes_of_text(renamed), &top.cert, &e)));
	pem = elsewhere_sign(f->a, f->now, &top, corp_csr(f, "/corp/two"), (struct elsewhere_wish){ 0 });
	cmd = corp_certify_cmd(f, "/corp/two", arena_printf(f->a, "%s%s", pem, renamed));
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CERTIFY, &cmd, TROTH_INVALID, "the key of CN=Trusty Root was distrusted");
}

static void a_compromised_root_goes_and_the_next_is_imported(void **state)
{
	struct elsewhere first;
	struct fleet *f = corp_demo(&first);
	struct elsewhere second = elsewhere_root(f->a, f->now, "Next Root");
	struct rotate_ret r;
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing/root" }, TROTH_CONFLICT,
		      "troth authority import /corp/issuing/root --certificate-file PEM");
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing", .cross_sign = true }, TROTH_INVALID,
		      "signed elsewhere");
	fleet_give_up(f, corp_wanted(f, "/corp/issuing/root"));
	struct rotate_cmd cmd = { .name = "/corp/issuing/root", .compromised = true, .yes_break = breaks(f, "/corp/issuing/root") };
	FLEET_CHECK(f, cmd.yes_break == 4);
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	fleet_settle(f, 20);
	struct troth_err e = { 0 };
	struct authority_import_ret back;
	FLEET_CHECK(f, rc_failed(fleet_do(f, &f->admin, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ "/corp/issuing/root", first.pem },
					  &back, &e)));
	const char *anew = certified_anew(f, &first, NULL), *renamed = certified_anew(f, &first, "Trusty Root");
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ "/corp/issuing/root", anew }, TROTH_UNSAFE, "or its key");
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ "/corp/other", anew }, TROTH_UNSAFE, "or its key");
	struct bundle_list_ret bundles;
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/corp/trust" }, &bundles);
	struct bundle_add_cmd add = { .id = bundles.items[0].row.uuid, .certificate = { .alias = "back", .pem = anew } };
	fleet_refused(f, &f->admin, &VERB_BUNDLE_ADD, &add, TROTH_INVALID, "or its key");
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ "/corp/other", renamed }, TROTH_UNSAFE, "or its key");
	add.certificate.pem = renamed;
	fleet_refused(f, &f->admin, &VERB_BUNDLE_ADD, &add, TROTH_INVALID, "or its key");
	struct authority_import_ret i = corp_import(f, "/corp/issuing/root", &second);
	FLEET_CHECK(f, i.asked.count == 1);
	a_stolen_key_certifies_nothing(f, &first, &second, renamed);
	struct certify_ret c = corp_sign_under(f, "/corp/issuing", &second, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 80);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "site-0")) == 1 && fleet_signed_by(f, fleet_node(f, "web-0"), c.version));
	FLEET_CHECK(f, corp_is(f, i.rotation, "done"));
	fleet_all_hands(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_certificate_makes_it_a_ca),
		cmocka_unit_test(outside_intermediates_are_served),
		cmocka_unit_test(a_root_that_was_imported_is_found_by_itself),
		cmocka_unit_test(what_is_wrong_is_said_and_changes_nothing),
		cmocka_unit_test(who_may),
		cmocka_unit_test(nothing_is_signed_before),
		cmocka_unit_test(a_rotation_waits_for_its_certificate),
		cmocka_unit_test(aborted_while_it_waits),
		cmocka_unit_test(a_second_rotation_on_top),
		cmocka_unit_test(a_certificate_of_this_minute_waits_for_slow_clocks),
		cmocka_unit_test(a_renewal_asks_by_itself),
		cmocka_unit_test(a_ca_below_it_comes_along),
		cmocka_unit_test(the_next_root_overlaps),
		cmocka_unit_test(the_old_root_waits_for_the_last),
		cmocka_unit_test(the_next_root_is_aborted),
		cmocka_unit_test(an_abort_that_cannot_be_is_refused),
		cmocka_unit_test(a_compromised_ca_is_distrusted_before_its_successor_comes),
		cmocka_unit_test(a_compromised_root_goes_and_the_next_is_imported),
	};
	return cmocka_run_group_tests_name("certify", tests, NULL, NULL);
}
