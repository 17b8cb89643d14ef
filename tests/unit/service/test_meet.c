/* Meets: made by bundles and deployments in any order, kept when the reason goes, taken out by hand. */
#include "room.h"

static struct deployment_view slot_only(struct room *r, const char *name, const char *authority)
{
	struct deployment_ret ret;
	struct slot_template slot = { .name = "tls", .profile = "nginx", .authority = authority, .sans = room_texts(r, "{instance}.x", NULL),
				      .credential = arena_printf(r->a, "/prod/%s/{instance}/tls", name) };
	room_do(r, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = name, .slots = &slot, .slot_count = 1 }, &ret);
	return ret.deployment;
}

static struct deployment_view store_only(struct room *r, const char *name, const char *bundle)
{
	struct deployment_ret ret;
	struct store_template store = { .name = "trust", .profile = "pem-files", .bundle = bundle };
	room_do(r, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = name, .stores = &store, .store_count = 1 }, &ret);
	return ret.deployment;
}

static struct meet_list_ret meets(struct room *r)
{
	struct meet_list_ret ret;
	room_do(r, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &ret);
	return ret;
}

static void test_store_after_slot_and_before(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/ca", NULL);
	room_bundle(r, "/prod/trust", "/prod/ca");
	slot_only(r, "one", "/prod/ca");
	assert_int_equal(meets(r).count, 0);
	store_only(r, "app", "/prod/trust"); /* the store comes after the slot */
	assert_int_equal(meets(r).count, 1);
	slot_only(r, "two", "/prod/ca"); /* the slot comes after the store */
	struct meet_list_ret all = meets(r);
	assert_int_equal(all.count, 2);
	assert_string_equal(all.items[1].slot.deployment, "two");
	assert_string_equal(all.items[1].store.template, "trust");
	assert_string_equal(all.items[1].row.source, "bundle");
	room_free(r);
}

static void test_member_added_later_and_removed(void **state)
{
	struct room *r = room_new();
	struct bundle_ret ret;
	room_authority(r, "/prod/ca", NULL);
	struct bundle_view b = room_bundle(r, "/prod/trust", NULL);
	slot_only(r, "one", "/prod/ca");
	store_only(r, "app", "/prod/trust");
	assert_int_equal(meets(r).count, 0);
	room_do(r, &VERB_BUNDLE_ADD, &(struct bundle_add_cmd){ .id = b.row.uuid, .authority = "/prod/ca" }, &ret);
	assert_int_equal(meets(r).count, 1);
	struct bundle_remove_cmd rm = { b.row.uuid, arena_printf(r->a, "%lld", (long long)ret.bundle.members[0].row.id) };
	room_do(r, &VERB_BUNDLE_REMOVE, &rm, &ret);
	assert_int_equal(meets(r).count, 1); /* sticky: moved_slot of the engine's rules */
	room_free(r);
}

/* The slot's authority is an intermediate, the bundle has its root; and the other way of coming. */
static void test_above_the_slots_authority(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/root", NULL);
	room_authority(r, "/prod/mid", "/prod/root");
	room_bundle(r, "/prod/trust", "/prod/root");
	store_only(r, "app", "/prod/trust");
	slot_only(r, "one", "/prod/mid");
	assert_int_equal(meets(r).count, 1);
	store_only(r, "app2", "/prod/trust");
	assert_int_equal(meets(r).count, 2);
	room_free(r);
}

static void test_a_single_certificate_is_its_authority(void **state)
{
	struct room *r = room_new();
	struct bundle_ret ret;
	struct credential_view ca = room_authority(r, "/prod/ca", NULL);
	struct bundle_view b = room_bundle(r, "/prod/trust", NULL);
	store_only(r, "app", "/prod/trust");
	slot_only(r, "one", "/prod/ca");
	struct bundle_add_cmd add = { .id = b.row.uuid, .certificate = { .alias = "x", .pem = cert_pem(r->a, ca.versions[0].cert.der) } };
	room_do(r, &VERB_BUNDLE_ADD, &add, &ret);
	assert_int_equal(meets(r).count, 1);
	slot_only(r, "two", "/prod/ca");
	assert_int_equal(meets(r).count, 2);
	room_free(r);
}

static void test_by_hand(void **state)
{
	struct room *r = room_new();
	struct meet_ret ret;
	struct meet_removed_ret removed;
	room_authority(r, "/prod/ca", NULL);
	struct bundle_view b = room_bundle(r, "/prod/trust", NULL);
	struct deployment_view slot = slot_only(r, "one", "/prod/ca"), store = store_only(r, "app", "/prod/trust");
	struct meet_cmd cmd = { slot.templates[0].row.uuid, store.templates[0].row.uuid };
	room_do(r, &VERB_MEET_ADD, &cmd, &ret);
	assert_string_equal(ret.meet.row.source, "admin");
	room_refused(r, &r->admin, &VERB_MEET_ADD, &cmd, TROTH_CONFLICT, "already");
	room_do(r, &VERB_MEET_REMOVE, &cmd, &removed);
	assert_int_equal(meets(r).count, 0);
	assert_true(removed.slots == 0 && removed.stores == 0 && removed.frees.count == 0); /* nobody is there yet */
	assert_string_equal(removed.meet.store.template, store.templates[0].row.name);
	room_refused(r, &r->admin, &VERB_MEET_REMOVE, &cmd, TROTH_NOT_FOUND, "do not meet");
	struct bundle_ret added; /* a pair that an operator took out is not made again by itself */
	room_do(r, &VERB_BUNDLE_ADD, &(struct bundle_add_cmd){ .id = b.row.uuid, .authority = "/prod/ca" }, &added);
	assert_int_equal(meets(r).count, 0);
	room_do(r, &VERB_MEET_ADD, &cmd, &ret);
	assert_int_equal(meets(r).count, 1);
	assert_string_equal(room_last_audit(r), "meet.add");
	struct meet_cmd swapped = { cmd.store, cmd.slot };
	room_refused(r, &r->admin, &VERB_MEET_ADD, &swapped, TROTH_INVALID, "is not a slot");
	struct meet_cmd unknown = { "x", cmd.store };
	room_refused(r, &r->admin, &VERB_MEET_ADD, &unknown, TROTH_NOT_FOUND, "not an id");
	room_refused(r, &r->admin, &VERB_MEET_ADD, &unknown, TROTH_NOT_FOUND, "write DEPLOYMENT/NAME");
	struct meet_cmd named = { "one/none", "app/x" };
	room_refused(r, &r->admin, &VERB_MEET_ADD, &named, TROTH_NOT_FOUND, "one/none");
	named.slot = "nowhere/x";
	room_refused(r, &r->admin, &VERB_MEET_ADD, &named, TROTH_NOT_FOUND, "troth deployment show");
	room_refused(r, &r->narrow, &VERB_MEET_ADD, &named, TROTH_NOT_FOUND, "nowhere/x");
	room_refused(r, &r->narrow, &VERB_MEET_ADD, &cmd, TROTH_NOT_FOUND, "no such template");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_after_slot_and_before), cmocka_unit_test(test_member_added_later_and_removed),
		cmocka_unit_test(test_above_the_slots_authority),   cmocka_unit_test(test_a_single_certificate_is_its_authority),
		cmocka_unit_test(test_by_hand),
	};
	return cmocka_run_group_tests_name("meet", tests, NULL, NULL);
}
