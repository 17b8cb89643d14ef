/* /api/v1/certificates of CredHub's API: what the words become. */
#include "foreign.h"

#include "facade/credhub/credhub.h"
#include "service/handout/forget.h"
#include "service/handout/generate.h"
#include "service/rotation/beside.h"

static struct foreign row(enum http_method method, const char *rest)
{
	struct foreign f = foreign_make(&CREDHUB_CERTIFICATE_ROUTES, method, rest);
	return f;
}

static void lists(void **state)
{
	struct foreign f = row(HTTP_GET, "/api/v1/certificates");
	struct lookup_cmd *c = foreign_parse(&f, "null");
	assert_true(c && c->list && !c->list->name && !c->keys);
	foreign_query(&f, "name", "ca");
	c = foreign_parse(&f, NULL);
	assert_string_equal(c->list->name, "/ca");
	arena_free(f.a);
	f = row(HTTP_GET, "/api/v1/certificates/{id}/versions");
	foreign_query(&f, "current", "true");
	c = foreign_parse(&f, NULL);
	assert_true(c && c->current && c->keys && c->id);
	arena_free(f.a);
}

static void regenerate(void **state)
{
	struct foreign f = row(HTTP_POST, "/api/v1/certificates/{id}/regenerate");
	struct generate_cmd *c = foreign_parse(&f, " null \n");
	assert_true(c && c->again && c->id && !c->beside && !c->ttl && !c->key_type);
	c = foreign_parse(&f, "{\"set_as_transitional\":true,\"allow_transitional_parent_to_sign\":true,\"key_length\":4096,\"duration\":30}");
	assert_true(c && c->beside && c->ttl == 30 * MSEC_DAY);
	assert_string_equal(c->key_type, "rsa-4096");
	foreign_refuses(&f, "{\"duration\":0}", 400, "Invalid duration");
	foreign_refuses(&f, "{\"set_as_transitional\":1}", 400, "set_as_transitional");
	assert_null(c->metadata);
	c = foreign_parse(&f, "{\"metadata\":{\"a\": 1}}");
	assert_string_equal(c->metadata, "{\"a\":1}");
	foreign_refuses(&f, "{\"metadata\":\"a\"}", 400, "metadata is a JSON object");
	foreign_refuses(&f, "{\"transitional\":true}", 422, "'transitional'");
	f.q.dry_run = true;
	foreign_refuses(&f, NULL, 400, "dry_run");
	arena_free(f.a);
}

static void beside(void **state)
{
	struct foreign f = row(HTTP_PUT, "/api/v1/certificates/{id}/update_transitional_version");
	struct beside_cmd *c = foreign_parse(&f, "{\"version\":null}");
	assert_true(c && c->id && !c->version && !c->force);
	c = foreign_parse(&f, NULL);
	assert_true(c && !c->version);
	c = foreign_parse(&f, "{\"version\":\"latest\"}");
	assert_string_equal(c->version, "latest");
	foreign_refuses(&f, "{\"version\":1}", 400, "version");
	foreign_header(&f, "X-Troth-Force", "true");
	c = foreign_parse(&f, NULL);
	assert_true(c && c->force);
	arena_free(f.a);
}

static void forgetting(void **state)
{
	struct foreign f = row(HTTP_DELETE, "/api/v1/certificates/{id}/versions/{version}");
	struct forget_cmd *c = foreign_parse(&f, NULL);
	assert_true(c && c->id && !c->force);
	foreign_header(&f, "X-Troth-Force", "yes");
	c = foreign_parse(&f, NULL);
	assert_true(c && !c->force);
	f.headers[0].value = "true";
	c = foreign_parse(&f, NULL);
	assert_true(c && c->force);
	arena_free(f.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists), cmocka_unit_test(regenerate), cmocka_unit_test(beside), cmocka_unit_test(forgetting) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
