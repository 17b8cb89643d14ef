/* A server that was restored from a backup: look first, then act; no number is used twice. */
#include "external.h"

#include "service/outside/holder.h"

#include <unistd.h>

static void copy_file(struct fleet *f, const char *from, const char *to)
{
	struct bytes data;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(file_read(f->a, from, 64 << 20, &data, &e)));
	FLEET_CHECK(f, rc_ok(file_write(to, data, 0600, &e)));
}

static const char *backup_path(struct fleet *f) { return arena_printf(f->a, "%s.backup", f->path); }

static void take_backup(struct fleet *f)
{
	fleet_close(f);
	copy_file(f, f->path, backup_path(f));
	fleet_reopen(f);
	fleet_tell(f, "a backup was taken");
}

static void put_backup_back(struct fleet *f)
{
	fleet_close(f);
	copy_file(f, backup_path(f), f->path);
	(void)unlink(backup_path(f));
	fleet_reopen(f);
	fleet_tell(f, "the server was restored from its backup");
}

static struct epoch_ret begin(struct fleet *f, struct epoch_cmd noted)
{
	struct epoch_ret ret;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EPOCH, &noted, &ret, &e)));
	return ret;
}

/* Half a rotation: everybody trusts both, all slots serve the new chain, but svc-1 does not say so. */
static struct rotate_ret half_way(struct fleet *f)
{
	struct fleet_node *n = fleet_node(f, "svc-1");
	n->mute = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, n, r.new_version) && fleet_store_size(fleet_node(f, "app-0")) == 2);
	return r;
}

static void speak_up(struct fleet *f)
{
	fleet_node(f, "svc-1")->mute = false;
	fleet_node(f, "svc-1")->say_all = true;
}

static void done(struct fleet *f, const struct rotate_ret *r)
{
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r->rotation).state, "done"));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1 && fleet_trusts(f, fleet_node(f, "app-0"), r->new_version));
	fleet_all_hands(f);
}

static void an_honest_database_begins_no_epoch(void **state)
{
	struct fleet *f = fleet_demo();
	struct epoch_ret ret = begin(f, (struct epoch_cmd){ 0 }); /* the first start */
	FLEET_CHECK(f, !ret.raised && ret.epoch == 1 && ret.audit_seq > 0);
	FLEET_CHECK(f, !begin(f, (struct epoch_cmd){ 1, ret.audit_seq }).raised);
	fleet_refused(f, &f->admin, &VERB_EPOCH, &(struct epoch_cmd){ 0 }, TROTH_FORBIDDEN, "");
	fleet_free(f);
}

/* Row server_restored, found by the note beside the database. */
static void server_restored(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = half_way(f);
	take_backup(f);
	speak_up(f);
	fleet_settle(f, 60);
	done(f, &r);
	struct epoch_ret noted = begin(f, (struct epoch_cmd){ 0 });
	int64_t used = fleet_target(f, fleet_node(f, "app-0")).next_generation;
	put_backup_back(f);
	struct epoch_ret ret = begin(f, (struct epoch_cmd){ noted.epoch, noted.audit_seq });
	FLEET_CHECK(f, ret.raised && ret.epoch == 2 && text_equal(service_epoch(f->svc), "2"));
	for (size_t i = 0; i < f->node_count; i++) { /* nothing is relied upon, nothing is on its way */
		struct target_row t = fleet_target(f, &f->nodes[i]);
		FLEET_CHECK(f, !t.base_known && t.next_generation == LIMIT_GENERATIONS + 1 && t.next_generation > used);
		FLEET_CHECK(f, fleet_waits(f, NULL, f->nodes[i].name, "unknown") && fleet_instance(f, &f->nodes[i]).session == 0);
	}
	fleet_settle(f, 60); /* they find their sessions closed, say what they hold, and the rotation ends once more */
	done(f, &r);
	FLEET_CHECK(f, fleet_target(f, fleet_node(f, "app-0")).base_known);
	struct rotate_ret again = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	done(f, &again);
	FLEET_CHECK(f, fleet_node(f, "app-0")->places[0].l > LIMIT_GENERATIONS);
	FLEET_CHECK(f, !begin(f, (struct epoch_cmd){ 2, ret.audit_seq }).raised);
	fleet_free(f);
}

/* The note was restored too: the first agent that comes has a generation that we never gave out. */
static void an_agents_word(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = half_way(f);
	take_backup(f);
	speak_up(f);
	fleet_settle(f, 60);
	put_backup_back(f);
	fleet_open(f, fleet_node(f, "app-2"));
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "2") && text_equal(fleet_node(f, "app-2")->epoch, "2"));
	FLEET_CHECK(f, fleet_instance(f, fleet_node(f, "app-2")).session > LIMIT_GENERATIONS);
	FLEET_CHECK(f, !fleet_target(f, fleet_node(f, "svc-0")).base_known);
	fleet_settle(f, 60);
	done(f, &r);
	fleet_free(f);
}

/* One that lies cannot stall the fleet again and again. */
static void a_word_is_believed_once_in_a_while(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-2"), *other = fleet_node(f, "app-0");
	n->places[0].h = 70;
	fleet_open(f, n);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "2"));
	fleet_settle(f, 20);
	n->places[0].h = LIMIT_GENERATIONS + 70;
	fleet_open(f, n);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "2") && !fleet_target(f, n).base_known && fleet_target(f, other).base_known);
	FLEET_CHECK(f, fleet_target(f, n).next_generation == LIMIT_GENERATIONS + 71);
	fleet_settle(f, 20);
	f->now += LIMIT_EPOCH_REST_S * MSEC_S;
	n->places[0].h = LIMIT_GENERATIONS + 90;
	fleet_open(f, n);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "3"));
	fleet_free(f);
}

/* Nobody found the restore out, and a number was given out twice: what it stands for on the node is not taken for what
 * we sent under it; and the node does not stay unknown for ever. */
static void a_reused_number_is_not_taken_for_known_contents(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct json_texts before = n->places[0].loaded;
	n->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 3); /* it runs generation 2, {1, 2}, as we believe */
	FLEET_CHECK(f, n->places[0].l == 2 && n->places[0].loaded.count == 2);
	n->places[0].loaded = before; /* in truth generation 2 of before the restore was {1} */
	memset(f->could, 0, sizeof f->could);
	fleet_report(f, n, &n->places[0]);
	struct target_row t = fleet_target(f, n);
	FLEET_CHECK(f, !t.base_known && t.next_generation > 2);
	n->mute = false;
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, "/demo/ca").state, "done"));
	fleet_all_hands(f);
	fleet_free(f);
}

/* A holder outside the fleet has no session that a new epoch could end: it was taken for silent, and a rotation waited for
 * it for ever (found by the simulator). */
static void a_holder_is_as_sure_as_before(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	const char *san = "dns:lb.example";
	struct credential_ret made;
	struct attest_ret said;
	struct credential_create_cmd cmd = { .name = "/demo/lb", .authority = "/demo/ca", .csr = fleet_csr(f), .sans = { &san, 1 } };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	fleet_loads(f, lb, arena_printf(f->a, "%s%s", cert_pem(f->a, made.credential.versions[0].cert.der), made.chain));
	FLEET_CHECK(f, begin(f, (struct epoch_cmd){ 2, 0 }).raised);
	fleet_settle(f, 60);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	fleet_must(f, &VERB_CREDENTIAL_RENEW, &(struct credential_renew_cmd){ made.credential.row.uuid, fleet_csr(f) }, &made);
	FLEET_CHECK(f, text_equal(made.credential.versions[0].signed_by, r.new_version));
	fleet_loads(f, lb, arena_printf(f->a, "%s%s", cert_pem(f->a, made.credential.versions[0].cert.der), made.chain));
	fleet_must(f, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ made.credential.row.uuid, "renewed" }, &said);
	fleet_settle(f, 60);
	done(f, &r);
	fleet_free(f);
}

/* What it was given after the backup has a tag, and no other contents get its number (found by the simulator).  What is known of
 * the binding stays, and that tag says nothing. */
static void a_bindings_number_does_not_come_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	outside_loads(f, &b, shop);
	struct epoch_ret noted = begin(f, (struct epoch_cmd){ 0 });
	take_backup(f);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct binding_fetch_ret lost = outside_fetch(f, &b, NULL);
	FLEET_CHECK(f, strncmp(lost.tag, "g2-", 3) == 0);
	put_backup_back(f);
	FLEET_CHECK(f, begin(f, (struct epoch_cmd){ noted.epoch, noted.audit_seq + 1 }).raised);
	struct target_row t = outside_show(f, &b).target.row;
	FLEET_CHECK(f, t.base_known && t.base_generation == 1 && t.next_generation == LIMIT_GENERATIONS + 1);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	for (int i = 0; i < 2; i++) {
		struct binding_fetch_ret got = outside_fetch(f, &b, lost.tag);
		FLEET_CHECK(f, !got.not_modified && strtoll(got.tag + 1, NULL, 10) > LIMIT_GENERATIONS);
		FLEET_CHECK(f, outside_show(f, &b).row.acked_generation == 1);
	}
	for (int i = 0; i < 3; i++) {
		outside_loads(f, &b, shop);
		fleet_settle(f, 30);
	}
	done(f, &r);
	fleet_free(f);
}

/* Nobody has found the restore out yet: number and row ids come again, the certificates do not. */
static void a_tag_from_before_a_restore_says_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	outside_loads(f, &b, shop);
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].off = true; /* so that none of them says a number */
	take_backup(f);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 3);
	struct binding_fetch_ret lost = outside_fetch(f, &b, NULL);
	put_backup_back(f);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 3);
	struct binding_fetch_ret got = outside_fetch(f, &b, NULL);
	FLEET_CHECK(f, strncmp(lost.tag, "g2-", 3) == 0 && strncmp(got.tag, "g2-", 3) == 0 && !text_equal(got.pem, lost.pem));
	FLEET_CHECK(f, !outside_fetch(f, &b, lost.tag).not_modified);
	FLEET_CHECK(f, outside_show(f, &b).row.acked_generation == 1);
	FLEET_CHECK(f, outside_fetch(f, &b, got.tag).not_modified && outside_show(f, &b).row.acked_generation == 2);
	fleet_free(f);
}

/* It has instances, so its numbers jump as an agent's do; until it reports, nothing relies on it. */
static void an_external_number_does_not_come_again(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	struct wanted_target first = external_loads(f, &p);
	fleet_settle(f, 5);
	struct epoch_ret noted = begin(f, (struct epoch_cmd){ 0 });
	take_backup(f);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct wanted_target lost = external_want(f, &p, "trust");
	FLEET_CHECK(f, lost.m->generation > first.m->generation);
	put_backup_back(f);
	FLEET_CHECK(f, begin(f, (struct epoch_cmd){ noted.epoch, noted.audit_seq + 1 }).raised);
	FLEET_CHECK(f, !external_row(f, &p).base_known && external_row(f, &p).next_generation == LIMIT_GENERATIONS + 1);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct report_result said = external_says(f, &p, "trust", lost.m->generation, lost.fingerprints);
	FLEET_CHECK(f, said.generation != lost.m->generation && said.extra.count == 1);
	for (int i = 0; i < 4; i++) {
		fleet_settle(f, 30);
		(void)external_loads(f, &p);
	}
	FLEET_CHECK(f, external_row(f, &p).base_generation > LIMIT_GENERATIONS);
	done(f, &r);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_database_begins_no_epoch),
		cmocka_unit_test(server_restored),
		cmocka_unit_test(an_agents_word),
		cmocka_unit_test(a_word_is_believed_once_in_a_while),
		cmocka_unit_test(a_reused_number_is_not_taken_for_known_contents),
		cmocka_unit_test(a_holder_is_as_sure_as_before),
		cmocka_unit_test(a_bindings_number_does_not_come_again),
		cmocka_unit_test(a_tag_from_before_a_restore_says_nothing),
		cmocka_unit_test(an_external_number_does_not_come_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
