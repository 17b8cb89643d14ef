/* What a change makes the engine do at once: said by the verbs that loosen something. */
#include "fleet.h"

/* A store that is away is taken out of its pair: the slots may be asked, and that is said before it is done. */
static void a_removed_link_frees_what_it_held(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct meet_list_ret meets;
	struct meet_removed_ret dry, removed;
	n->off = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	fleet_must(f, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &meets);
	struct meet_cmd by_name = { "svc/tls", "app/trust" };
	f->dry_run = true;
	fleet_must(f, &VERB_MEET_REMOVE, &by_name, &dry);
	f->dry_run = false;
	FLEET_CHECK(f, dry.slots == 3 && dry.stores == 3 && text_equal(dry.meet.slot.id, meets.items[0].slot.id));
	FLEET_CHECK(f, dry.frees.count >= 1 && strstr(dry.frees.items[0], "stores can be sent other trusted CAs"));
	fleet_must(f, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &meets);
	FLEET_CHECK(f, meets.count == 1);
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].excused = true; /* nobody meets anybody any more */
	fleet_must(f, &VERB_MEET_REMOVE, &by_name, &removed);
	FLEET_CHECK(f, removed.frees.count == dry.frees.count);
	fleet_free(f);
}

static void nothing_is_free_of_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct waive_ret ret;
	f->dry_run = true;
	fleet_must(f, &VERB_WAIVE, &(struct waive_cmd){ fleet_node(f, "app-1")->uuid, "for a look" }, &ret);
	FLEET_CHECK(f, ret.frees.count == 0 && ret.pair_count == 1);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_removed_link_frees_what_it_held), cmocka_unit_test(nothing_is_free_of_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
