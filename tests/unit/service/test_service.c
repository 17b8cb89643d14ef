/* What the writer keeps: epoch, view, topics. */
#include "fleet.h"

static void view_is_rebuilt_when_dropped(void **state)
{
	struct fleet *f = fleet_demo();
	FLEET_CHECK(f, service_view(f->svc) != NULL && service_store(f->svc) == f->store);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), f->nodes[0].epoch));
	service_drop(f->svc);
	FLEET_CHECK(f, service_view(f->svc) == NULL);
	struct tx *tx;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(store_write_begin(f->store, &tx, &e)) && rc_ok(service_begin(f->svc, tx, &e)));
	FLEET_CHECK(f, service_view(f->svc) != NULL);
	store_write_rollback(tx);
	fleet_free(f);
}

static void topics_are_given_once(void **state)
{
	struct fleet *f = fleet_demo();
	struct verb_ctx ctx;
	struct rotate_ret ret = { 0 }; /* as the writer hands it over */
	struct troth_err e = { 0 };
	struct service_committed out;
	struct rotate_cmd cmd = { .name = "/demo/ca" };
	size_t stores = 0;
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	FLEET_CHECK(f, rc_ok(verb_run(f->svc, &VERB_ROTATE, &ctx, &f->line, &cmd, &ret, &e)));
	service_committed(f->svc, f->a, &out);
	for (size_t i = 0; i < out.topic_count; i++) {
		stores += text_starts(out.topics[i], "instance/");
		FLEET_CHECK(f, i == 0 || strcmp(out.topics[i - 1], out.topics[i]) < 0);
	}
	FLEET_CHECK(f, stores == 3);
	service_committed(f->svc, f->a, &out);
	FLEET_CHECK(f, out.topic_count == 0 && !out.effects);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_is_rebuilt_when_dropped),
		cmocka_unit_test(topics_are_given_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
