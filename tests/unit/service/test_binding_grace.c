/* A switch that rests on a binding can be undone for a grace. */
#include "outside.h"

struct scene { struct fleet *f; struct fleet_node *shop; struct binding_view b; struct rotate_ret r; };

/* The rotation is over but for the withdrawal, and the application runs what it was handed. */
static struct scene switched(msec_t grace)
{
	struct scene s = { .f = fleet_demo() };
	s.shop = fleet_stranger(s.f, "shop", MSG_STORE);
	s.b = outside_bind(s.f, "/demo/shop", (struct binding_create_cmd){ .grace = grace });
	outside_loads(s.f, &s.b, s.shop);
	fleet_settle(s.f, 10);
	s.r = fleet_rotate(s.f, "/demo/ca");
	fleet_settle(s.f, 30);
	outside_loads(s.f, &s.b, s.shop);
	fleet_settle(s.f, 60);
	return s;
}

static void the_withdrawal_waits_and_says_so(void **state)
{
	struct scene s = switched(MSEC_HOUR);
	struct fleet *f = s.f;
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), s.r.new_version));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && !outside_done(f, &s.r));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/shop", "grace"));
	struct explain_ret x = fleet_explain(f, "/demo/shop");
	bool said = false;
	for (size_t i = 0; i < x.count; i++) {
		if (!text_equal(x.items[i].reason, "grace"))
			continue;
		said = true;
		FLEET_CHECK(f, x.items[i].earliest > f->now && text_equal(x.items[i].speaker, "policy"));
		FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[i]), "the binding /demo/shop is vouched"));
		FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[i]), "/demo/shop fails now"));
	}
	FLEET_CHECK(f, said);
	f->now += MSEC_HOUR;
	fleet_settle(f, 30);
	outside_loads(f, &s.b, s.shop);
	fleet_settle(f, 30);
	FLEET_CHECK(f, outside_done(f, &s.r));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

/* It had not loaded it after all: going back needs no store to load anything. */
static void undone_in_time(void **state)
{
	struct scene s = switched(MSEC_HOUR);
	struct fleet *f = s.f;
	struct rotation_ret back;
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ s.r.rotation }, &back);
	for (size_t i = 0; i < f->node_count; i++) /* the nodes' stores sleep: the slots go back without them */
		f->nodes[i].mute = strncmp(f->nodes[i].name, "app", 3) == 0;
	fleet_settle(f, 5);
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), s.r.new_version));
	fleet_free(f);
}

/* Without a binding there is nothing to wait for; nor where it asked for none. */
static void no_grace_without_a_binding(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_free(f);
}

/* A renewal under the same CA rests on nobody. */
static void a_renewal_begins_no_grace(void **state)
{
	struct scene s = { .f = fleet_demo() };
	struct fleet *f = s.f;
	s.shop = fleet_stranger(f, "shop", MSG_STORE);
	s.b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	outside_loads(f, &s.b, s.shop);
	fleet_settle(f, 10);
	s.r = fleet_rotate(f, "/demo/svc-0/server");
	fleet_settle(f, 30);
	FLEET_CHECK(f, outside_done(f, &s.r));
	struct credential_list_ret list;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/demo/ca" }, &list);
	FLEET_CHECK(f, list.items[0].row.grace_until == 0);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_withdrawal_waits_and_says_so),
		cmocka_unit_test(undone_in_time),
		cmocka_unit_test(no_grace_without_a_binding),
		cmocka_unit_test(a_renewal_begins_no_grace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
