/* What is deployed: certificates, flat (v0) and as a tree (v1), and the products that use them.
 *
 * One answer has all of it, as these routes know no pages; above LIMIT_DEPLOYED_CERTS the caller is told to look elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "facade/opsmanager/errors.h"
#include "facade/opsmanager/opsmanager.h"
#include "model/name.h"
#include "service/fleet/topology.h"

/* -- what is asked for ---------------------------------------------------------------------------------------------- */
/* "3m": so many days, weeks, months or years from now on. */
static bool within_parse(const char *text, msec_t *ret)
{
	static const struct { char unit; int days; } UNITS[] = { { 'd', 1 }, { 'w', 7 }, { 'm', 30 }, { 'y', 365 } };
	char *end;
	size_t digits = strspn(text, "0123456789");
	long n = digits && digits <= 4 ? strtol(text, &end, 10) : 0;
	if (n <= 0 || strlen(text) != digits + 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(UNITS); i++)
		if (text[digits] == UNITS[i].unit) {
			*ret = (msec_t)n * UNITS[i].days * MSEC_DAY;
			return true;
		}
	return false;
}

struct filter { msec_t until; bool excluded_only; }; /* until 0: any */

static troth_rc filter_read(const struct http_request *r, struct filter *ret, struct troth_err *e)
{
	const char *within = http_query(r, "expires_within");
	msec_t length = 0;
	bool no_cache; /* there is none */
	TRY(http_query_bool(r, "no_cache", false, &no_cache, e));
	ENSURE(!within || within_parse(within, &length), e, TROTH_INVALID,
	       "expires_within must be a number of at most 4 digits with d, w, m or y behind it: 3m");
	*ret = (struct filter){ within ? r->now + length : 0, false };
	return http_query_bool(r, "show_excluded_from_rotation_only", false, &ret->excluded_only, e);
}

static troth_rc deployed_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct filter f;
	((struct topology_cmd *)cmd)->page.limit = LIMIT_DEPLOYED_CERTS;
	return filter_read(r, &f, e);
}

/* -- one of them -------------------------------------------------------------------------------------------------------- */
static bool is_ca(const struct topology_item *x) { return x->credential.row.kind == CREDENTIAL_AUTHORITY; }

static bool is_configurable(const struct topology_version *v) { return v->view.row.source == VERSION_UPLOADED; }

static bool is_used(const struct topology_version *v)
{
	for (size_t i = 0; i < v->use_count; i++)
		if (v->uses[i].members)
			return true;
	return false;
}

static bool is_deployed(const struct topology_item *x, const struct topology_version *v)
{
	return !name_is_reserved(x->credential.row.name) && (is_used(v) || (is_ca(x) && v->view.row.signing));
}

static bool passes(const struct filter *f, const struct topology_version *v)
{
	return (!f->until || v->view.cert.not_after <= f->until) && (!f->excluded_only || is_configurable(v));
}

static const struct topology_use *slot_of(const struct topology_version *v)
{
	for (size_t i = 0; i < v->use_count; i++)
		if (v->uses[i].members && v->uses[i].kind == TARGET_SLOT && v->uses[i].target)
			return &v->uses[i];
	return NULL;
}

static void write_common(struct json_writer *w, const struct topology_item *x, const struct topology_version *v)
{
	const struct topology_use *slot = slot_of(v);
	jw_kv_text(w, "issuer", v->view.cert.issuer);
	jw_kv_time(w, "valid_from", v->view.cert.not_before);
	jw_kv_time(w, "valid_until", v->view.cert.not_after);
	jw_kv_bool(w, "is_ca", is_ca(x));
	jw_kv_bool(w, "configurable", is_configurable(v));
	jw_kv_text(w, "location", is_ca(x) && !x->credential.issuer ? "ops_manager" : "credhub");
	jw_kv_text(w, "product_guid", slot && !is_ca(x) ? slot->deployment : NULL);
	jw_kv_text(w, "property_type", NULL);
	jw_kv_text(w, "rotation_procedure_name", NULL);
	jw_kv_text(w, "rotation_procedure_url", NULL);
}

/* -- v0: flat ---------------------------------------------------------------------------------------------------------------- */
static void write_flat(struct arena *a, struct json_writer *w, const struct topology_item *x, const struct topology_version *v)
{
	const struct topology_use *slot = slot_of(v);
	jw_object(w);
	write_common(w, x, v);
	jw_kv_text(w, "property_reference", slot && !is_ca(x) ? arena_printf(a, ".%s.%s", slot->deployment, slot->target) : NULL);
	jw_kv_text(w, "variable_path", x->credential.row.name);
	jw_object_end(w);
}

static bool too_many(const struct topology_ret *x, struct http_reply *reply)
{
	if (x->next)
		opsman_error(reply, 413, "more certificates than one answer holds: GET /v1/credentials and /v1/topology have pages");
	return x->next;
}

static void flat_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct topology_ret *x = ret;
	struct filter f = { 0 };
	struct troth_err e = { 0 };
	if (rc_failed(filter_read(r, &f, &e)) || too_many(x, reply))
		return;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "certificates");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++)
		for (size_t k = 0; k < x->items[i].version_count; k++)
			if (is_deployed(&x->items[i], &x->items[i].versions[k]) && passes(&f, &x->items[i].versions[k]))
				write_flat(a, &w, &x->items[i], &x->items[i].versions[k]);
	jw_array_end(&w);
	jw_object_end(&w);
}

/* -- v1: a tree ----------------------------------------------------------------------------------------------------------------- */
struct tree { struct json_writer *w; const struct topology_ret *all; struct filter filter; };

/* The deployments that use this version, each once. */
static void add_deployments(const struct topology_version *v, const char **names, size_t *count, size_t max)
{
	for (size_t i = 0; i < v->use_count; i++) {
		bool seen = !v->uses[i].members || !v->uses[i].deployment;
		for (size_t k = 0; k < *count && !seen; k++)
			seen = text_equal(names[k], v->uses[i].deployment);
		if (!seen && *count < max)
			names[(*count)++] = v->uses[i].deployment;
	}
}

static void write_names(struct json_writer *w, const char *key, const char **names, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_text(w, names[i]);
	jw_array_end(w);
}

enum { NAMES = 200 }; /* deployments named at one certificate */

/* Who uses an older version than this one, which is wanted. */
static size_t outdated(const struct topology_item *x, size_t version, const char **names)
{
	size_t n = 0;
	for (size_t k = version + 1; x->versions[version].view.row.wanted && k < x->version_count; k++)
		add_deployments(&x->versions[k], names, &n, NAMES);
	return n;
}

static const char *status_of(const struct topology_version *v, size_t outdated_count)
{
	if (!v->view.row.wanted)
		return "replaced"; /* and still used */
	return outdated_count ? "rotating" : "current";
}

static void write_signed(struct tree *t, const char *version, int depth);

static void write_node(struct tree *t, const struct topology_item *x, size_t k, int depth)
{
	const struct topology_version *v = &x->versions[k];
	const char *names[NAMES];
	size_t n = 0;
	jw_object(t->w);
	jw_kv_text(t->w, "name", x->credential.row.name);
	write_common(t->w, x, v);
	jw_kv_bool(t->w, "auto_rotated", !is_configurable(v) && !text_equal(x->credential.row.renew, "never"));
	add_deployments(v, names, &n, NAMES);
	write_names(t->w, "deployments", names, n);
	n = outdated(x, k, names);
	write_names(t->w, "outdated_deployments", names, n);
	jw_kv_text(t->w, "rotation_status", status_of(v, n));
	jw_key(t->w, "signs");
	jw_array(t->w);
	if (is_ca(x) && depth < LIMIT_CHAIN_CERTS)
		write_signed(t, v->view.row.uuid, depth + 1);
	jw_array_end(t->w);
	jw_object_end(t->w);
}

/* What this version signed; at the top (NULL) what nobody here did.  A CA stands there also when only what is below passes. */
static void write_signed(struct tree *t, const char *version, int depth)
{
	for (size_t i = 0; i < t->all->count; i++)
		for (size_t k = 0; k < t->all->items[i].version_count; k++) {
			const struct topology_item *x = &t->all->items[i];
			const struct topology_version *v = &x->versions[k];
			if (text_equal(v->view.signed_by, version) && is_deployed(x, v) && (is_ca(x) || passes(&t->filter, v)))
				write_node(t, x, k, depth);
		}
}

static void tree_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct troth_err e = { 0 };
	struct tree t = { .all = ret };
	if (rc_failed(filter_read(r, &t.filter, &e)) || too_many(ret, reply))
		return;
	struct json_writer w = http_reply_json(reply, 200);
	t.w = &w;
	jw_object(&w);
	jw_key(&w, "certificates");
	jw_array(&w);
	write_signed(&t, NULL, 0);
	jw_array_end(&w);
	jw_object_end(&w);
}

/* -- products -------------------------------------------------------------------------------------------------------------------- */
static troth_rc products_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct list_cmd *)cmd)->page.limit = LIMIT_DEPLOYED_CERTS;
	return RC_OK;
}

static void products_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct deployment_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++) {
		const struct deployment_row *d = &x->items[i].row;
		jw_object(&w);
		jw_kv_text(&w, "installation_name", d->name);
		jw_kv_text(&w, "guid", d->name);
		jw_kv_text(&w, "type", d->name);
		jw_kv_text(&w, "product_version", arena_printf(a, "%lld", (long long)d->rev));
		jw_object_end(&w);
	}
	jw_array_end(&w);
}

#define OWN .problem = opsman_problem
static const struct route ROWS[] = {
	{ HTTP_GET, "/api/v0/deployed/certificates", &VERB_TOPOLOGY, deployed_parse, flat_render, ROUTE_ANY_BODY, OWN,
	  .summary = "List deployed certificates", .query = "expires_within show_excluded_from_rotation_only" },
	{ HTTP_GET, "/api/v1/deployed/certificates", &VERB_TOPOLOGY, deployed_parse, tree_render, ROUTE_ANY_BODY, OWN,
	  .summary = "Show deployed certificates as a tree", .query = "expires_within show_excluded_from_rotation_only no_cache" },
	{ HTTP_GET, "/api/v0/deployed/products", &VERB_DEPLOYMENT_LIST, products_parse, products_render, ROUTE_ANY_BODY, OWN,
	  .summary = "List deployed products" },
	{ HTTP_GET, "/api/v0/staged/products", &VERB_DEPLOYMENT_LIST, products_parse, products_render, ROUTE_ANY_BODY, OWN,
	  .summary = "List staged products" },
};
const struct route_table OPSMANAGER_DEPLOYED_ROUTES = { ROWS, ARRAY_LEN(ROWS), OPSMANAGER_API };
