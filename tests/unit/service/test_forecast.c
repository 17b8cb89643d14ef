/* The engine run ahead over a real store, in names. */
#include "fleet.h"

#include "service/forecast.h"

static struct forecast_ret ahead(struct fleet *f, const char *name, msec_t by)
{
	struct forecast_ret ret;
	fleet_must(f, &VERB_FORECAST, &(struct forecast_cmd){ .name = name, .length = by }, &ret);
	return ret;
}

static const struct foreseen *first_of(const struct forecast_ret *r, const char *kind)
{
	for (size_t i = 0; i < r->count; i++)
		if (text_equal(r->items[i].kind, kind))
			return &r->items[i];
	return NULL;
}

static const struct foreseen *first_about(const struct forecast_ret *r, const char *kind, const char *authority)
{
	for (size_t i = 0; i < r->count; i++)
		if (text_equal(r->items[i].kind, kind) && text_equal(r->items[i].x.authority, authority))
			return &r->items[i];
	return NULL;
}

static void renewals_and_rotations(void **state)
{
	struct fleet *f = fleet_demo();
	struct forecast_ret r = ahead(f, "/demo/ca", 0);
	FLEET_CHECK(f, r.until == f->now + 90 * MSEC_DAY && r.reached == r.until && !r.cut && r.assumption_count > 0);
	const struct foreseen *x = first_of(&r, "renewal");
	FLEET_CHECK(f, x && x->at > f->now + 50 * MSEC_DAY && text_equal(x->x.authority, "/demo/ca"));
	FLEET_CHECK(f, strstr(x->sentence, "next certificate of /demo/ca"));
	FLEET_CHECK(f, !first_of(&r, "rotation") && !first_of(&r, "breaks"));
	r = ahead(f, NULL, 7 * 366 * MSEC_DAY);
	x = first_about(&r, "rotation", "/demo/ca");
	FLEET_CHECK(f, x && text_equal(x->sentence, "a rotation of /demo/ca begins by itself"));
	FLEET_CHECK(f, first_of(&r, "rotated") && !first_of(&r, "breaks"));
	fleet_free(f);
}

static void a_silent_node_is_named(void **state)
{
	struct fleet *f = fleet_demo();
	fleet_node(f, "svc-1")->off = true;
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 4);
	struct forecast_ret r = ahead(f, NULL, 100 * MSEC_DAY);
	const struct foreseen *x = first_of(&r, "breaks");
	FLEET_CHECK(f, x && text_equal(x->x.instance, "svc-1") && text_equal(x->x.reason, "offline"));
	FLEET_CHECK(f, strstr(x->sentence, "svc-1/tls breaks on ") && strstr(x->sentence, "agent is not heard of"));
	FLEET_CHECK(f, first_of(&r, "ending") && first_of(&r, "ending")->at < x->at && first_of(&r, "ending")->x.breaks == x->at);
	FLEET_CHECK(f, ahead(f, "svc-1", 100 * MSEC_DAY).count >= 2 && ahead(f, "svc-1/tls", 100 * MSEC_DAY).count >= 2);
	FLEET_CHECK(f, ahead(f, "/demo/svc-1/server", 100 * MSEC_DAY).count >= 2);
	FLEET_CHECK(f, ahead(f, "app-0", 100 * MSEC_DAY).count == 0);
	fleet_free(f);
}

/* The store that would be left out is named. */
static void the_late_are_named(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_list_ret list;
	struct credential_ret out;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/demo/ca" }, &list);
	fleet_must(f, &VERB_RENEWAL_SET, &(struct renewal_set_cmd){ .id = list.items[0].row.uuid, .renew = { .at = "51%" } }, &out);
	fleet_node(f, "app-1")->off = true;
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 4);
	struct forecast_ret r = ahead(f, "/demo/ca", 10 * 366 * MSEC_DAY);
	const struct foreseen *x = first_of(&r, "shed");
	FLEET_CHECK(f, r.cut || x); /* ten years of it may be more than is looked at */
	FLEET_CHECK(f, !x || strstr(x->sentence, "app-1/trust"));
	x = first_of(&r, "wait");
	FLEET_CHECK(f, x && x->at > f->now + 5 * 365 * MSEC_DAY);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "n", .roles = ROLE_OPERATOR, .scope = "/other/*" };
	struct forecast_ret ret;
	struct troth_err e = { 0 };
	fleet_refused(f, &f->admin, &VERB_FORECAST, &(struct forecast_cmd){ .until = f->now }, TROTH_INVALID, "past");
	fleet_refused(f, &f->admin, &VERB_FORECAST, &(struct forecast_cmd){ .length = 40 * 366 * MSEC_DAY }, TROTH_INVALID, "days ahead");
	fleet_refused(f, &f->admin, &VERB_FORECAST, &(struct forecast_cmd){ .name = "/none" }, TROTH_NOT_FOUND, "");
	fleet_refused(f, &f->nodes[0].who, &VERB_FORECAST, &(struct forecast_cmd){ 0 }, TROTH_FORBIDDEN, "");
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_FORECAST, &(struct forecast_cmd){ 0 }, &ret, &e)) && ret.count == 0);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renewals_and_rotations),
		cmocka_unit_test(a_silent_node_is_named),
		cmocka_unit_test(the_late_are_named),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
