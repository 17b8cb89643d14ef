/* Told before its end: authorities that nobody here can renew alone (of leaves: test_upload.c). */
#include "corp.h"

#include "service/ca/notice.h"

static size_t events(struct fleet *f, const char *kind, const char *part)
{
	struct event_list_ret all;
	size_t n = 0;
	for (int64_t after = 0;; after = all.next) {
		fleet_must(f, &VERB_EVENT_LIST, &(struct event_list_cmd){ .page = { after, 0 } }, &all);
		for (size_t i = 0; i < all.count; i++)
			n += text_equal(all.items[i].kind, kind) && strstr(all.items[i].body, part);
		if (!all.count)
			return n;
	}
}

static void at(struct fleet *f, msec_t end, int days)
{
	f->now = end - days * MSEC_DAY;
	fleet_effects(f);
}

static void of_a_ca_and_of_its_root(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	static const int days[] = { 60, 30, 14, 7, 1 };
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	(void)corp_sign(f, &root);
	msec_t end = corp_authority(f, "/corp/issuing").versions[0].cert.not_after;
	at(f, end, 61);
	FLEET_CHECK(f, events(f, "authority.expires", "") == 0);
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		at(f, end, days[i]);
		FLEET_CHECK(f, events(f, "authority.expires", "it is signed elsewhere") == i + 1);
		FLEET_CHECK(f, events(f, "authority.expires", arena_printf(f->a, "\"days\":%d,", days[i])) == 1);
	}
	at(f, root.cert->not_after, 30);
	FLEET_CHECK(f, events(f, "authority.expires", "its key is not here") == 2);
	key_release(root.key);
	fleet_free(f);
}

/* The next one came: the old one's end is nobody's news. */
static void not_of_what_was_replaced(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	(void)corp_sign_under(f, "/corp/issuing", &root, root.pem, (struct elsewhere_wish){ .until = 100 * MSEC_DAY });
	msec_t end = corp_authority(f, "/corp/issuing").versions[0].cert.not_after;
	(void)fleet_rotate(f, "/corp/issuing");
	at(f, end, 60);
	FLEET_CHECK(f, events(f, "authority.expires", "") == 1); /* it is asked for, and has not come */
	(void)corp_sign_under(f, "/corp/issuing", &root, NULL, (struct elsewhere_wish){ 0 });
	at(f, end, 1);
	FLEET_CHECK(f, events(f, "authority.expires", "") == 1);
	key_release(root.key);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_ca_and_of_its_root),
		cmocka_unit_test(not_of_what_was_replaced),
	};
	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
