/* A certificate for some domains: what it is called, and who signs it.  That its holder is waited for is in test_steps.c. */
#include "room.h"

#include <string.h>

#include "service/handout/generate_domains.h"

#define PATH64 "/a234567890123456789012345678901234567890123456789012345678901234"

static struct json_texts list(struct arena *a, const char *text) /* with blanks between */
{
	struct json_texts all = { ARENA_ARRAY(a, const char *, 200), 0 };
	for (char *p = strtok(arena_text(a, text), " "); p; p = strtok(NULL, " "))
		all.items[all.count++] = p;
	return all;
}

static void it_is_named_after_its_domains(void **state)
{
	static const struct { const char *root, *domains, *name; } CASES[] = {
		{ "/prod/ca", "www.example.org", "/prod/ca/generated/www.example.org" },
		{ "/prod/ca", "*.b.example *.a.example", "/prod/ca/generated/_wildcard.a.example/_wildcard.b.example" },
		{ "/prod/ca", "*.A.example *.b.EXAMPLE *.a.example", "/prod/ca/generated/_wildcard.a.example/_wildcard.b.example" },
		{ "/prod/ca", "wildcard.a.example", "/prod/ca/generated/wildcard.a.example" },
		{ "/prod/ca", "2001:DB8:0::1 10.0.0.1", "/prod/ca/generated/10.0.0.1/2001_db8__1" },
		{ "/prod/ca", "::1", "/prod/ca/generated/__1" },
	};
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const char *name = generate_domains_name(a, CASES[i].root, list(a, CASES[i].domains));
		assert_string_equal(name, CASES[i].name);
	}
	assert_null(generate_domains_name(a, PATH64 PATH64 PATH64, list(a, "a.example")));
	arena_free(a);
}

static void too_long_a_name_is_a_digest(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *many = "", *turned = "";
	for (int i = 0; i < 40; i++) {
		many = arena_printf(a, "%s host-%02d.example", many, i);
		turned = arena_printf(a, "host-%02d.example %s", i, turned);
	}
	const char *name = generate_domains_name(a, "/prod/ca", list(a, many));
	assert_true(text_starts(name, "/prod/ca/generated/host-00.example/_and-39-more-") && strlen(name) <= LIMIT_NAME_BYTES);
	assert_string_equal(generate_domains_name(a, "/prod/ca", list(a, turned)), name);
	assert_string_not_equal(generate_domains_name(a, "/prod/ca", list(a, arena_printf(a, "%s x.example", many))), name);
	const char *other = generate_domains_name(a, "/prod/ca", list(a, arena_printf(a, "%s z", arena_printf(a, "%.*s", (int)strlen(many) - 1, many))));
	assert_string_not_equal(other, name); /* as many, and the first the same */
	assert_true(text_starts(generate_domains_name(a, PATH64 PATH64, list(a, PATH64 + 1)), PATH64 PATH64 "/generated/_1-domains-"));
	arena_free(a);
}

static struct generate_ret asks(struct room *r, const char *domains)
{
	struct generate_ret ret;
	room_do(r, &VERB_CREDENTIAL_GENERATE_DOMAINS, &(struct generate_domains_cmd){ list(r->a, domains) }, &ret);
	return ret;
}

static void refused(struct room *r, const struct principal *who, const char *domains, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, who, &VERB_CREDENTIAL_GENERATE_DOMAINS, &(struct generate_domains_cmd){ list(r->a, domains) }, kind, words);
	assert_int_equal(room_audit_count(r), before);
}

static void the_same_domains_again_are_its_next_version(void **state)
{
	struct room *r = room_new();
	struct lookup_ret now;
	const struct cert *cert;
	room_authority(r, "/prod/pg/ca", NULL);
	struct generate_ret first = asks(r, "www.example.org *.API.example.org www.Example.org"), next = asks(r, "*.api.example.org www.example.org");
	const char *name = "/prod/pg/ca/generated/_wildcard.api.example.org/www.example.org";
	assert_string_equal(first.of.credential.row.name, name);
	assert_true(first.made && next.made && first.of.credential.row.id == next.of.credential.row.id);
	assert_true(text_starts(first.of.items[0].private_key, "-----BEGIN RSA PRIVATE KEY-----"));
	assert_string_not_equal(first.of.items[0].private_key, next.of.items[0].private_key);
	assert_true(rc_ok(cert_parse(r->a, first.of.items[0].version->cert.der, &cert, NULL)));
	assert_true(cert->san_count == 2 && (cert->eku & (EKU_SERVER | EKU_CLIENT)) == (EKU_SERVER | EKU_CLIENT));
	assert_string_equal(cert->subject, "CN=www.example.org");
	assert_int_equal((cert->not_after - cert->not_before) / MSEC_DAY, 730);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name, .keys = true }, &now);
	assert_true(now.count == 2 && !now.items[0].private_key && !now.items[1].private_key); /* given once */
	assert_string_equal(room_last_audit(r), "credential.generate");
	room_free(r);
}

static void what_is_no_domain(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/pg/ca", NULL);
	refused(r, &r->admin, "", TROTH_INVALID, "at least one domain");
	refused(r, &r->admin, "a.example *.example b..example https://x.example dns:x.example \xc3\xbc.example ../x a_b.example 10.0.0.1:443", TROTH_INVALID,
		"directly below a top-level name");
	assert_int_equal(room_findings(r), 8);
	room_finding(r, "$.domains[2]", "empty DNS label");
	room_finding(r, "$.domains[5]", "no DNS name may have");
	room_free(r);
}

static void the_one_root_in_scope_signs(void **state)
{
	struct room *r = room_new();
	struct principal other = { .name = "o", .roles = ROLE_OPERATOR, .scope = "/other/*" };
	struct generate_ret ret;
	refused(r, &r->admin, "a.example", TROTH_CONFLICT, "no root authority whose key is here");
	room_authority(r, "/prod/pg/ca", NULL);
	room_authority(r, "/prod/pg/below", "/prod/pg/ca");
	refused(r, &other, "a.example", TROTH_CONFLICT, "your scope is /other/*");
	refused(r, &r->auditor, "a.example", TROTH_FORBIDDEN, "");
	room_authority(r, "/prod/web/ca", NULL);
	refused(r, &r->admin, "a.example", TROTH_CONFLICT, "/prod/pg/ca, /prod/web/ca");
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_CREDENTIAL_GENERATE_DOMAINS, &(struct generate_domains_cmd){ list(r->a, "a.example") }, &ret)));
	assert_string_equal(ret.of.credential.row.name, "/prod/pg/ca/generated/a.example");
	r->dry_run = true;
	refused(r, &r->narrow, "a.example", TROTH_INVALID, "cannot be tried");
	room_free(r);
}

static void another_root(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	room_authority(r, "/prod/web/ca", NULL);
	r->ctx = mine;
}

static void a_second_root_meanwhile(void **state)
{
	struct room *r = room_new();
	struct generate_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	r->before_keeper = another_root;
	assert_true(rc_failed(room_try(r, &r->admin, &VERB_CREDENTIAL_GENERATE_DOMAINS, &(struct generate_domains_cmd){ list(r->a, "a.example") }, &ret)));
	assert_true(r->e.kind == TROTH_CONFLICT && text_starts(r->e.primary, "more than one root"));
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/prod/pg/ca/generated/a.example" }, TROTH_NOT_FOUND, "");
	room_free(r);
}

/* Somebody gave a deployment's slots that name: their keys are the agents'. */
static void what_slots_serve_is_refused(void **state)
{
	struct room *r = room_new();
	struct deployment_ret made;
	const char *san = "dns:pg.example";
	room_authority(r, "/prod/pg/ca", NULL);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "both", .authority = "/prod/pg/ca",
				      .credential = "/prod/pg/ca/generated/pg.example", .sans = { &san, 1 } };
	room_do(r, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "pg", .slots = &slot, .slot_count = 1 }, &made);
	room_enroll(r, "pg", "pg-1");
	refused(r, &r->admin, "pg.example", TROTH_CONFLICT, "pg.example");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_named_after_its_domains),
		cmocka_unit_test(too_long_a_name_is_a_digest),
		cmocka_unit_test(the_same_domains_again_are_its_next_version),
		cmocka_unit_test(what_is_no_domain),
		cmocka_unit_test(the_one_root_in_scope_signs),
		cmocka_unit_test(a_second_root_meanwhile),
		cmocka_unit_test(what_slots_serve_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
