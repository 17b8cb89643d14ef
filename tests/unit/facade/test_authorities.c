/* /api/v0/certificate_authorities: bodies of every kind, answers and refusals. */
#include "opsman.h"

#include <string.h>

#include "facade/facade.h"
#include "../service/elsewhere.h"

#define CAS "/api/v0/certificate_authorities"

static const char *guid(struct call *c, const char *active)
{
	call_expect(c, 200, HTTP_GET, CAS, NULL);
	for (int i = 0; i < 3; i++)
		if (text_equal(call_at(c, arena_printf(c->room->a, "certificate_authorities.%d.active", i)), active))
			return call_at(c, arena_printf(c->room->a, "certificate_authorities.%d.guid", i));
	fail_msg("no such authority: %s", c->text);
	return NULL;
}

static void generate_activate_regenerate_delete(void **state)
{
	struct call *c = opsman_new();
	struct arena *a = c->room->a;
	const char *old = guid(c, "true");
	call_expect(c, 200, HTTP_POST, CAS "/generate", "null");
	call_is(c, "active", "false");
	assert_int_equal(call_count(c, "warnings"), 0);
	assert_int_equal(call_count(c, "certificates.regenerate_failed"), 0);
	const char *new = call_at(c, "guid");
	call_expect(c, 422, HTTP_POST, CAS "/generate", "");
	call_is(c, "errors.0", "failed to create new inactive certificate authorities");
	call_is(c, "safety_violations.0.violation", "certificate authorities can not have a transitional version");
	call_is(c, "safety_violations.0.certificate_names.0", "/prod/pg/ca");
	call_is(c, "retry_after", NULL);
	call_expect(c, 422, HTTP_DELETE, arena_printf(a, CAS "/%s", new), NULL);
	call_is(c, "safety_violations.0.violation", "latest certificate authority version is not active yet");
	call_expect(c, 200, HTTP_POST, arena_printf(a, CAS "/%s/activate", new), "{}");
	call_is(c, "certificates.updated.0.variable_path", "/prod/pg/ca");
	call_is(c, "certificates.updated.0.location", "ops_manager");
	assert_string_equal(guid(c, "true"), new);
	call_expect(c, 200, HTTP_GET, "/api/v0/security/root_ca_certificate", NULL);
	call_has(c, "root_ca_certificate_pem", "-----BEGIN CERTIFICATE-----");
	call_expect(c, 200, HTTP_DELETE, arena_printf(a, CAS "/%s", old), NULL); /* nobody uses it here */
	call_is(c, "certificates.updated.0.reason", NULL);
	call_free(c);
}

static void a_regenerate_says_what_it_leaves_alone(void **state)
{
	struct call *c = opsman_new();
	room_enroll(c->room, "pg", "pg-1");
	call_expect(c, 200, HTTP_POST, CAS "/generate", NULL);
	const char *new = call_at(c, "guid");
	c->wait = MSEC_MIN;
	assert_int_equal(call(c, HTTP_POST, CAS "/active/regenerate", NULL), 200); /* what it goes on as is the writer's */
	assert_false(c->held);
	call_expect(c, 200, HTTP_POST, arena_printf(c->room->a, CAS "/%s/activate?skip_safety_check=true", new), "{\"skip_safety_check\":true}");
	call_free(c);
}

static const char *source_body(struct call *c, const struct elsewhere *root, const char *key, const char *more)
{
	struct buf b = buf_make(LIMIT_PEM_BYTES);
	struct json_writer w = json_writer_make(&b);
	jw_object(&w);
	jw_kv_text(&w, "cert_pem", root->pem);
	jw_kv_text(&w, "private_key_pem", key);
	jw_object_end(&w);
	const char *body = arena_text(c->room->a, buf_text(&b));
	buf_release(&b);
	return arena_printf(c->room->a, "%.*s%s}", (int)strlen(body) - 1, body, more);
}

/* A CA of somebody's own, with its key: answered as one that was generated. */
static void a_brought_one(void **state)
{
	struct call *c = opsman_new();
	struct arena *a = c->room->a;
	struct elsewhere root = elsewhere_root(a, c->room->now, "Corporate"), other = elsewhere_root(a, c->room->now, "other");
	const char *key = elsewhere_key_pem(a, &root);
	size_t audit = room_audit_count(c->room);
	static const char *const BODIES[] = { "", "null", "{}", "7", "{\"cert_pem\":\"x\"}", "{\"cert_pem\":\"\",\"private_key_pem\":\"\"}",
					      "{\"cert_pem\":\"x\",\"private_key_pem\":\"y\"}" };
	for (size_t i = 0; i < ARRAY_LEN(BODIES); i++)
		call_expect(c, 400, HTTP_POST, CAS, BODIES[i]);
	call_has(c, "errors.errors.0", "$.cert_pem");
	call_expect(c, 400, HTTP_POST, CAS, source_body(c, &root, elsewhere_key_pem(a, &other), ""));
	call_has(c, "errors.errors.0", "is not that of CN=Corporate");
	call_expect(c, 400, HTTP_POST, CAS, source_body(c, &root, "no key", ""));
	call_expect(c, 400, HTTP_POST, CAS, source_body(c, &root, key, ",\"domains\":[]"));
	call_expect(c, 422, HTTP_POST, CAS, source_body(c, &root, key, ",\"exclude_from_rotation\":[\"/prod/pg/ca\"]"));
	assert_int_equal(room_audit_count(c->room), audit);
	call_expect(c, 200, HTTP_POST, CAS, source_body(c, &root, key, ",\"skip_safety_check\":false"));
	call_is(c, "active", "false");
	call_is(c, "issuer", "CN=Corporate");
	call_is(c, "cert_pem", root.pem);
	assert_int_equal(call_count(c, "warnings"), 0);
	assert_null(strstr(c->text, "PRIVATE"));
	call_expect(c, 422, HTTP_POST, CAS, source_body(c, &other, elsewhere_key_pem(a, &other), ""));
	call_is(c, "safety_violations.0.violation", "certificate authorities can not have a transitional version");
	call_expect(c, 422, HTTP_POST, CAS "?skip_safety_check=true", source_body(c, &root, key, "")); /* the same again */
	call_has(c, "errors.0", "already");
	key_release(root.key);
	key_release(other.key);
	call_free(c);
}

/* It is taken, and said that it is waited for. */
static void one_that_has_just_begun_is_warned_of(void **state)
{
	struct call *c = opsman_new();
	struct elsewhere root = elsewhere_root(c->room->a, c->room->now + MSEC_DAY, "Corporate");
	call_expect(c, 200, HTTP_POST, CAS, source_body(c, &root, elsewhere_key_pem(c->room->a, &root), ""));
	assert_int_equal(call_count(c, "warnings"), 1);
	call_has(c, "warnings.0", "is served from");
	key_release(root.key);
	call_free(c);
}

static void what_is_wrong(void **state)
{
	struct call *c = opsman_new();
	size_t audit = room_audit_count(c->room);
	call_expect(c, 400, HTTP_POST, CAS "/generate", "{\"exclude_from_rotation\":\"/prod/pg/ca\"}");
	call_has(c, "errors.errors.0", "exclude_from_rotation");
	call_expect(c, 400, HTTP_POST, CAS "/generate", "{\"exclude_from_rotation\":[\"/none\"],\"more\":1}");
	call_expect(c, 400, HTTP_POST, CAS "/generate", "7");
	call_expect(c, 400, HTTP_POST, CAS "/generate?skip_safety_check=perhaps", NULL);
	call_expect(c, 422, HTTP_POST, CAS "/generate", "{\"exclude_from_rotation\":[\"/prod/pg/ca\"]}");
	call_has(c, "errors.0", "no root authority is left");
	call_expect(c, 404, HTTP_POST, CAS "/6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11/activate", NULL);
	call_has(c, "errors.0", "there is no certificate authority");
	call_expect(c, 404, HTTP_DELETE, CAS "/pg", NULL);
	call_is(c, "errors.0", "there is no certificate authority pg: the list of certificate authorities has their ids; an old one that nobody holds "
			       "any more is put away by itself");
	call_expect(c, 422, HTTP_DELETE, arena_printf(c->room->a, CAS "/%s", guid(c, "true")), NULL);
	assert_int_equal(room_audit_count(c->room), audit);
	call_free(c);
}

static void two_roots_are_told_apart(void **state)
{
	struct call *c = opsman_new();
	room_authority(c->room, "/other/ca", NULL);
	call_expect(c, 422, HTTP_POST, CAS "/generate", NULL);
	call_has(c, "errors.0", "/prod/pg/ca, /other/ca");
	call_has(c, "errors.0", "om curl"); /* om has no option for it */
	call_expect(c, 200, HTTP_POST, CAS "/generate", "{\"exclude_from_rotation\":[\"/prod/pg/ca\"]}");
	call_is(c, "certificates.excluded.0.variable_path", "/prod/pg/ca");
	call_is(c, "issuer", "CN=/other/ca");
	call_free(c);
}

static void who_may(void **state)
{
	struct call *c = opsman_new();
	c->bearer = opsman_caller(c, "op", "operator");
	call_expect(c, 403, HTTP_POST, CAS "/generate?skip_safety_check=true", NULL);
	call_has(c, "errors.errors.0", "only an administrator");
	c->bearer = opsman_caller(c, "aud", "auditor");
	call_expect(c, 403, HTTP_POST, CAS "/generate", NULL);
	call_expect(c, 200, HTTP_GET, CAS, NULL);
	c->bearer = "troth-admin-nobody";
	call_expect(c, 401, HTTP_GET, CAS, NULL);
	assert_int_equal(call_count(c, "errors.errors"), 1);
	call_free(c);
}

/* Whatever is sent to whichever row: an answer in its shape, and never a failure of the server's. */
static void odd_requests(void **state)
{
	static const char *const BODIES[] = {
		"", "null", "{}", "[]", "\"x\"", "7", "{", "{\"\":1}", "\xff\xfe", "{\"skip_safety_check\":null}", "{\"skip_safety_check\":\"\\u0000\"}",
		"{\"exclude_from_rotation\":[[]]}", "{\"exclude_from_rotation\":[\"\",\"/\",\"/prod/pg/ca\"]}", "{\"deploy_products\":{}}",
		"{\"certificate\":\"-----BEGIN CERTIFICATE-----\\n-----END CERTIFICATE-----\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\"}",
	};
	static const char *const PATHS[] = { "%s", "%s?wait=0", "%s?skip_safety_check", "%s?expires_within=%%", "%s?dry_run=true", "%s?x=1&x=2" };
	struct call *c = opsman_new();
	struct arena *a = c->room->a;
	struct route_table tables[FACADE_TABLES_MAX];
	for (size_t t = 0, n = facade_tables(tables); t < n; t++)
		for (size_t i = 0; text_equal(tables[t].facade, "opsmanager") && i < tables[t].count; i++) {
			const struct route *row = &tables[t].rows[i];
			if (!row->verb)
				continue; /* answered without a look */
			for (size_t k = 0; k < ARRAY_LEN(BODIES) * ARRAY_LEN(PATHS); k++) {
				const char *end = strchr(row->pattern, '{'), *rest = end ? strchr(end, '}') + 1 : "";
				const char *plain = arena_printf(a, "%.*s%s%s", (int)(end ? (size_t)(end - row->pattern) : strlen(row->pattern)), row->pattern,
								 end ? "x\"'<" : "", rest);
				const char *mark = strchr(PATHS[k % ARRAY_LEN(PATHS)], '?');
				int status = call(c, row->method, arena_printf(a, "%s%s", plain, mark ? mark : ""), BODIES[k / ARRAY_LEN(PATHS)]);
				if (status < 200 || status >= 500)
					fail_msg("%s %s answered %d to %s: %s", http_method_name(row->method), plain, status, BODIES[k / ARRAY_LEN(PATHS)], c->text);
			}
		}
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generate_activate_regenerate_delete), cmocka_unit_test(a_regenerate_says_what_it_leaves_alone),
		cmocka_unit_test(a_brought_one), cmocka_unit_test(one_that_has_just_begun_is_warned_of),
		cmocka_unit_test(what_is_wrong), cmocka_unit_test(two_roots_are_told_apart), cmocka_unit_test(who_may), cmocka_unit_test(odd_requests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
