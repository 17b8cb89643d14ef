/* Rows into facts: the incremental view equals the rebuilt one. */
#include "fleet.h"

/* fleet_do compares after each verb; here the nouns that it does not touch otherwise. */
static void every_noun(void **state)
{
	struct fleet *f = fleet_demo();
	struct bundle_ret bundle;
	struct bundle_list_ret bundles;
	struct credential_ret ca;
	struct no_ret gone;
	struct meet_removed_ret removed;
	int before = f->checks;
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = "/demo/other", .path_len = AUTHORITY_PATH_LEN_DEFAULT }, &ca);
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/demo/trust" }, &bundles);
	fleet_must(f, &VERB_BUNDLE_ADD,
		   &(struct bundle_add_cmd){ .id = bundles.items[0].row.uuid, .authority = "/demo/other" }, &bundle);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	const char *member = arena_printf(f->a, "%lld", (long long)bundle.bundle.members[1].row.id);
	fleet_must(f, &VERB_BUNDLE_REMOVE, &(struct bundle_remove_cmd){ bundles.items[0].row.uuid, member }, &bundle);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ fleet_node(f, "svc-2")->uuid, true }, &gone);
	fleet_node(f, "svc-2")->off = true;
	struct meet_list_ret meets;
	fleet_must(f, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &meets);
	FLEET_CHECK(f, meets.count > 0);
	fleet_must(f, &VERB_MEET_REMOVE, &(struct meet_cmd){ meets.items[0].slot.id, meets.items[0].store.id }, &removed);
	FLEET_CHECK(f, f->checks > before + 5);
	fleet_free(f);
}

/* A removal of an authority that slots still need is held back by the engine, not by the bundle. */
static void needed_stays(void **state)
{
	struct fleet *f = fleet_demo();
	struct bundle_ret bundle;
	struct bundle_list_ret bundles;
	struct credential_ret ca;
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = "/demo/other", .path_len = AUTHORITY_PATH_LEN_DEFAULT }, &ca);
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/demo/trust" }, &bundles);
	fleet_must(f, &VERB_BUNDLE_ADD,
		   &(struct bundle_add_cmd){ .id = bundles.items[0].row.uuid, .authority = "/demo/other" }, &bundle);
	fleet_settle(f, 20);
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_noun),
		cmocka_unit_test(needed_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
