/* What a fetch says, and what it does not say. */
#include "outside.h"

#include "service/policy/policy.h"

/* Section 12: a binding fetches {1,2} and loads at its restart. */
static void fetched_is_not_loaded(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	outside_loads(f, &b, shop);
	fleet_all_hands(f);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	struct binding_fetch_ret got = outside_fetch(f, &b, NULL); /* it runs the old one on */
	FLEET_CHECK(f, outside_show(f, &b).target.row.level == LEVEL_SENT);
	(void)outside_fetch(f, &b, NULL); /* and once more, for nothing */
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/shop", "not-loaded"));
	for (size_t i = 0; i < f->node_count; i++)
		FLEET_CHECK(f, strncmp(f->nodes[i].name, "svc", 3) != 0 || !fleet_signed_by(f, &f->nodes[i], r.new_version));
	fleet_loads(f, shop, got.pem); /* its restart */
	FLEET_CHECK(f, outside_fetch(f, &b, got.tag).not_modified);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	outside_loads(f, &b, shop);
	fleet_settle(f, 30);
	FLEET_CHECK(f, outside_done(f, &r));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	fleet_free(f);
}

/* What is offered changes between its fetch and its word: the word is about what it fetched. */
static void a_tag_confirms_its_own_generation_only(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	struct binding_fetch_ret first = outside_fetch(f, &b, NULL);
	fleet_loads(f, shop, first.pem);
	(void)outside_fetch(f, &b, first.tag);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct binding_fetch_ret second = outside_fetch(f, &b, first.tag);
	FLEET_CHECK(f, !second.not_modified && second.pem && !text_equal(first.tag, second.tag));
	FLEET_CHECK(f, outside_show(f, &b).row.acked_generation == 1);
	fleet_settle(f, 10);
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_free(f);
}

static void a_tag_of_somebody_else_says_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	static const char *const wrong[] = { "", "g", "gx", "g1", "g1-00000000", "g2-00000000", "g99999999999999999999-1", "W/g1", "1" };
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	(void)outside_fetch(f, &b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct binding_fetch_ret got = outside_fetch(f, &b, wrong[i]);
		FLEET_CHECK(f, !got.not_modified && got.pem);
	}
	FLEET_CHECK(f, outside_show(f, &b).row.acked_at == 0);
	fleet_free(f);
}

/* Found by the simulator: a freeze held every node, and applications went on being given what was new. */
static void frozen_it_is_given_what_it_was_given(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	struct freeze_ret frozen;
	struct binding_fetch_ret first = outside_fetch(f, &b, NULL);
	fleet_loads(f, shop, first.pem);
	(void)outside_fetch(f, &b, first.tag);
	(void)fleet_rotate(f, "/demo/ca"); /* something new is decided for it, and not fetched */
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "incident 7" }, &frozen);
	FLEET_CHECK(f, outside_fetch(f, &b, first.tag).not_modified);
	FLEET_CHECK(f, text_equal(outside_fetch(f, &b, NULL).pem, first.pem));
	fleet_must(f, &VERB_THAW, &(struct no_cmd){ 0 }, &frozen);
	FLEET_CHECK(f, !outside_fetch(f, &b, first.tag).not_modified);
	fleet_free(f);
}

/* Nor is it given once more what was distrusted meanwhile. */
static void what_is_distrusted_is_not_given_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	struct freeze_ret frozen;
	struct rotate_ret r;
	struct binding_fetch_ret first = outside_fetch(f, &b, NULL);
	fleet_loads(f, shop, first.pem);
	(void)outside_fetch(f, &b, first.tag);
	struct rotate_ret made = fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, !text_equal(outside_fetch(f, &b, first.tag).pem, first.pem)); /* fetched, and perhaps lost */
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "incident 7" }, &frozen);
	struct rotate_cmd cmd = { .name = "/demo/ca", .compromised = true, .version = made.new_version };
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	FLEET_CHECK(f, text_equal(outside_fetch(f, &b, NULL).pem, first.pem));
	fleet_free(f);
}

/* A newcomer has nothing that it was given before. */
static void frozen_a_newcomer_waits(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	struct freeze_ret frozen;
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "incident 7" }, &frozen);
	fleet_refused(f, &f->admin, &VERB_BINDING_FETCH, &(struct binding_fetch_cmd){ b.row.uuid, NULL }, TROTH_UNAVAILABLE, "nothing");
	fleet_must(f, &VERB_THAW, &(struct no_cmd){ 0 }, &frozen);
	FLEET_CHECK(f, outside_fetch(f, &b, NULL).pem != NULL);
	fleet_free(f);
}

/* The same answer again writes nothing: an application may ask each second. */
static void asking_again_writes_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	struct binding_fetch_ret got = outside_fetch(f, &b, NULL);
	(void)outside_fetch(f, &b, got.tag);
	FLEET_CHECK(f, f->last.then != NULL || outside_show(f, &b).row.acked_generation == 1);
	(void)outside_fetch(f, &b, got.tag);
	FLEET_CHECK(f, f->last.then == NULL);
	(void)outside_fetch(f, &b, NULL);
	FLEET_CHECK(f, f->last.then == NULL);
	fleet_free(f);
}

/* ack fetch: its owner says that it is in use ten minutes after. */
static void a_fetch_counts_after_its_delay(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop",
		(struct binding_create_cmd){ .ack = "fetch", .delay = 10 * MSEC_MIN, .no_grace = true });
	fleet_loads(f, shop, outside_fetch(f, &b, NULL).pem);
	fleet_effects(f);
	FLEET_CHECK(f, outside_show(f, &b).row.acked_at == 0);
	f->now += 10 * MSEC_MIN;
	fleet_effects(f);
	FLEET_CHECK(f, outside_show(f, &b).row.acked_how == ACK_FETCH && outside_show(f, &b).row.acked_generation == 1);
	fleet_settle(f, 10);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	struct binding_fetch_ret got = outside_fetch(f, &b, NULL);
	(void)outside_fetch(f, &b, got.tag); /* under this ack a tag says nothing */
	fleet_settle(f, 30);
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_loads(f, shop, got.pem);
	f->now += 10 * MSEC_MIN;
	fleet_effects(f);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_free(f);
}

/* One of its processes was not restarted and comes with the old tag: the old one counts again. */
static void an_older_tag_takes_the_word_back(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE), *other = fleet_stranger(f, "other", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	struct binding_fetch_ret first = outside_fetch(f, &b, NULL);
	fleet_loads(f, shop, first.pem);
	fleet_loads(f, other, first.pem);
	(void)outside_fetch(f, &b, first.tag);
	fleet_node(f, "app-2")->off = true; /* so that nothing switches yet */
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	outside_loads(f, &b, shop);
	FLEET_CHECK(f, outside_show(f, &b).row.acked_generation == 2);
	FLEET_CHECK(f, !outside_fetch(f, &b, first.tag).not_modified); /* the other process */
	FLEET_CHECK(f, outside_events(f, "binding.behind") == 1);
	FLEET_CHECK(f, outside_show(f, &b).target.document_count == 1);
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 30); /* every pair is tried: the other one has the old CA alone */
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/shop", "not-loaded"));
	outside_loads(f, &b, other);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_free(f);
}

/* It holds what it was handed also when the server is started again. */
static void it_survives_a_restart(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	outside_loads(f, &b, shop);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	f->restarts = true;
	for (int i = 0; i < 4; i++) {
		fleet_settle(f, 20);
		fleet_restart(f);
		outside_loads(f, &b, shop);
	}
	fleet_settle(f, 20);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetched_is_not_loaded),
		cmocka_unit_test(a_tag_confirms_its_own_generation_only),
		cmocka_unit_test(a_tag_of_somebody_else_says_nothing),
		cmocka_unit_test(frozen_it_is_given_what_it_was_given),
		cmocka_unit_test(what_is_distrusted_is_not_given_again),
		cmocka_unit_test(frozen_a_newcomer_waits),
		cmocka_unit_test(asking_again_writes_nothing),
		cmocka_unit_test(a_fetch_counts_after_its_delay),
		cmocka_unit_test(an_older_tag_takes_the_word_back),
		cmocka_unit_test(it_survives_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
