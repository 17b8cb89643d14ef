/* Bring your own certificate. */
#include "brought.h"
#include "service/handout/generate_below.h"

static const char *credential_id(struct fleet *f, const char *name)
{
	struct credential_list_ret list;
	fleet_must(f, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = name }, &list);
	FLEET_CHECK(f, list.count == 1);
	return list.items[0].row.uuid;
}

static struct upload_cmd cmd_of(struct fleet *f, struct brought b, bool trust)
{
	return (struct upload_cmd){ .id = credential_id(f, "/demo/svc-0/server"), .certificate = b.leaf,
				    .chain = arena_printf(f->a, "%s%s", b.root, b.inter), .private_key = b.key,
				    .trust_issuer = trust ? "/demo/trust" : NULL };
}

static struct upload_ret upload(struct fleet *f, struct brought b, bool trust)
{
	struct upload_ret ret;
	struct upload_cmd cmd = cmd_of(f, b, trust);
	fleet_must(f, &VERB_CREDENTIAL_UPLOAD, &cmd, &ret);
	fleet_effects(f);
	return ret;
}

/* Does svc-0 really serve this leaf? */
static bool serves(struct fleet *f, struct brought b)
{
	return text_equal(fleet_node(f, "svc-0")->places[0].loaded.items[0], b.leaf);
}

static struct brought make(struct fleet *f, struct brought_wish w) { return brought_make(f->a, f->now, w); }

static size_t events(struct fleet *f, const char *kind)
{
	struct event_list_ret all;
	size_t n = 0;
	for (int64_t after = 0;; after = all.next) {
		fleet_must(f, &VERB_EVENT_LIST, &(struct event_list_cmd){ .page = { after, 0 } }, &all);
		for (size_t i = 0; i < all.count; i++)
			n += text_equal(all.items[i].kind, kind);
		if (!all.count)
			return n;
	}
}

/* Leaf and CA together: trusted everywhere first, then served, every pair tried. */
static void uploaded_and_served(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = make(f, (struct brought_wish){ 0 });
	struct upload_ret r = upload(f, b, true);
	FLEET_CHECK(f, r.slots == 1 && r.trusted_now && r.anchor);
	FLEET_CHECK(f, !r.credential.versions[0].row.key_blob.len && r.credential.versions[0].row.renew_at == 0);
	fleet_settle(f, 40);
	FLEET_CHECK(f, serves(f, b));
	FLEET_CHECK(f, fleet_node(f, "svc-0")->places[0].loaded.count == 2);
	fleet_all_hands(f);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/svc-0/server" }, TROTH_CONFLICT,
		      "troth credential upload /demo/svc-0/server --certificate-file");
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_RENEW, &(struct credential_renew_cmd){ r.credential.row.uuid, NULL }, TROTH_CONFLICT,
		      "was uploaded");
	fleet_free(f);
}

/* Section 7: leaf before its CA: kept staged, S refuses to send it. */
static void a_leaf_before_its_ca_waits(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = make(f, (struct brought_wish){ 0 });
	struct bundle_list_ret bundles;
	struct bundle_ret added;
	(void)upload(f, b, false);
	fleet_settle(f, 20);
	FLEET_CHECK(f, !serves(f, b));
	struct bundle_add_cmd add = { .certificate = { .alias = "corporate", .pem = b.root } };
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/demo/trust" }, &bundles);
	add.id = bundles.items[0].row.uuid;
	FLEET_CHECK(f, fleet_waits(f, "svc-0", "svc-0", "not-trusted"));
	fleet_must(f, &VERB_BUNDLE_ADD, &add, &added);
	fleet_settle(f, 40);
	FLEET_CHECK(f, serves(f, b));
	fleet_all_hands(f);
	fleet_free(f);
}

/* The next CA of the owner: trusted beside the old, then its leaf, then the old one goes when somebody says so. */
static void its_ca_is_rotated_by_uploads(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought first = make(f, (struct brought_wish){ 0 }), second = make(f, (struct brought_wish){ .name = "Corporate 2" });
	struct bundle_list_ret bundles;
	struct bundle_ret less;
	(void)upload(f, first, true);
	fleet_settle(f, 40);
	(void)upload(f, second, true);
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/demo/trust" }, &bundles);
	FLEET_CHECK(f, bundles.items[0].member_count == 3);
	/* the operator takes the old root out at once: stores keep it as long as the slot needs it */
	struct bundle_remove_cmd cmd = { bundles.items[0].row.uuid,
					 arena_printf(f->a, "%lld", (long long)bundles.items[0].members[1].row.id) };
	fleet_must(f, &VERB_BUNDLE_REMOVE, &cmd, &less);
	fleet_settle(f, 60);
	FLEET_CHECK(f, serves(f, second));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	fleet_all_hands(f);
	fleet_free(f);
}

/* The fleet's own CA is rotated beside it: the uploaded one is left alone. */
static void another_authority_rotates_beside_it(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = make(f, (struct brought_wish){ 0 });
	(void)upload(f, b, true);
	fleet_settle(f, 40);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, serves(f, b));
	fleet_all_hands(f);
	f->restarts = true;
	fleet_restart(f);
	fleet_settle(f, 20);
	FLEET_CHECK(f, serves(f, b));
	fleet_free(f);
}

/* Section 12: old certificate uploaded again: version id is not contents. */
static void repeated_fingerprint(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought first = make(f, (struct brought_wish){ 0 }), second = make(f, (struct brought_wish){ .name = "Corporate 2" });
	struct upload_ret a = upload(f, first, true);
	fleet_settle(f, 40);
	(void)upload(f, second, true);
	fleet_settle(f, 40);
	struct upload_ret again = upload(f, first, true);
	FLEET_CHECK(f, !text_equal(a.version, again.version) && !again.trusted_now);
	fleet_settle(f, 40);
	FLEET_CHECK(f, serves(f, first));
	fleet_all_hands(f);
	fleet_free(f);
}

static void told_before_its_end(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = make(f, (struct brought_wish){ .until = 20 * MSEC_DAY });
	(void)upload(f, b, true);
	fleet_settle(f, 40);
	FLEET_CHECK(f, events(f, "credential.expires") == 0);
	f->now += 6 * MSEC_DAY; /* 14 days before */
	fleet_effects(f);
	FLEET_CHECK(f, events(f, "credential.expires") == 1);
	f->now += 7 * MSEC_DAY;
	fleet_effects(f);
	FLEET_CHECK(f, events(f, "credential.expires") == 2);
	(void)upload(f, make(f, (struct brought_wish){ .until = 10 * MSEC_DAY }), true);
	f->now += 6 * MSEC_DAY; /* the old one's last day, the new one's seventh before its end */
	fleet_effects(f);
	FLEET_CHECK(f, events(f, "credential.expires") == 3);
	fleet_free(f);
}

static void refusals_change_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = make(f, (struct brought_wish){ 0 }), wrong = make(f, (struct brought_wish){ .san = "other.example" });
	struct upload_cmd cmd = cmd_of(f, b, false);
	cmd.chain = b.inter; /* without its root, which nobody knows */
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_UPLOAD, &cmd, TROTH_INVALID, "");
	cmd = cmd_of(f, wrong, false);
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_UPLOAD, &cmd, TROTH_INVALID, "");
	cmd = cmd_of(f, b, true);
	cmd.trust_issuer = "/demo/nothing";
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_UPLOAD, &cmd, TROTH_INVALID, "");
	cmd.id = "x";
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_UPLOAD, &cmd, TROTH_NOT_FOUND, "not an id");
	struct principal narrow = { .id = 9, .name = "narrow", .roles = ROLE_OPERATOR, .scope = "/prod/*" };
	struct credential_list_ret cas;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/demo/ca" }, &cas);
	cmd.id = cas.items[0].row.uuid;
	fleet_refused(f, &narrow, &VERB_CREDENTIAL_UPLOAD, &cmd, TROTH_NOT_FOUND, "no such credential"); /* and not what it is called */
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_UPLOAD, &cmd, TROTH_INVALID, "/demo/ca is an authority");
	struct upload_ret ret;
	cmd = cmd_of(f, b, true);
	f->dry_run = true;
	fleet_must(f, &VERB_CREDENTIAL_UPLOAD, &cmd, &ret); /* judged only */
	f->dry_run = false;
	struct credential_ret shown;
	fleet_must(f, &VERB_CREDENTIAL_SHOW, &(struct id_cmd){ cmd.id }, &shown);
	FLEET_CHECK(f, shown.credential.version_count == 1 && shown.credential.versions[0].row.source == VERSION_CSR);
	fleet_free(f);
}

/* A chain may come before its time: it is sent when it is valid. */
static void a_future_beginning_is_waited_for(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = make(f, (struct brought_wish){ .from = MSEC_HOUR });
	(void)upload(f, b, true);
	fleet_settle(f, 30);
	FLEET_CHECK(f, !serves(f, b) && fleet_waits(f, "svc-0", "svc-0", "not-valid-yet"));
	f->now += MSEC_HOUR + 10 * MSEC_MIN;
	fleet_settle(f, 30);
	FLEET_CHECK(f, serves(f, b));
	fleet_free(f);
}

/* That a leaf came from elsewhere is told to who may see the leaf. */
static void of_what_is_outside_nothing_is_told(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "narrow", .roles = ROLE_OPERATOR, .scope = "/demo/ca" };
	struct generate_below_cmd cmd = { "/demo/ca" };
	upload(f, make(f, (struct brought_wish){ 0 }), true);
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_GENERATE_BELOW, &cmd, TROTH_CONFLICT, "came from elsewhere");
	fleet_refused(f, &narrow, &VERB_CREDENTIAL_GENERATE_BELOW, &cmd, TROTH_FORBIDDEN, "");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uploaded_and_served),
		cmocka_unit_test(a_leaf_before_its_ca_waits),
		cmocka_unit_test(its_ca_is_rotated_by_uploads),
		cmocka_unit_test(another_authority_rotates_beside_it),
		cmocka_unit_test(repeated_fingerprint),
		cmocka_unit_test(told_before_its_end),
		cmocka_unit_test(refusals_change_nothing),
		cmocka_unit_test(a_future_beginning_is_waited_for),
		cmocka_unit_test(of_what_is_outside_nothing_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
