/* The listener's certificate and its trust, followed through the store. */
#include "app/server_tls.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "service/nouns.h"

enum { RENEW_RETRY_MS = 60 * 1000 };

struct server_tls {
	const struct datadir *d;
	struct pipeline *pipeline;
	struct edge_server *edge;
	struct arena *a;            /* of what is shown now; replaced as a whole */
	struct buf key;
	const char *server_pem;
	char *agents_ca, *server_ca; /* malloc'ed: what was last seen in the store */
	msec_t renew_at;            /* half of the certificate's life; wall clock */
	bool renewing;
};

/* -- reading --------------------------------------------------------------------------------------------------- */
static troth_rc read_files(struct server_tls *t, struct troth_err *e)
{
	struct bytes pem;
	const struct cert *const *certs;
	size_t n;
	TRY(file_read(t->a, t->d->server_pem, LIMIT_PEM_BYTES, &pem, e));
	TRY(certs_parse_pem(t->a, pem, &certs, &n, e));
	t->server_pem = (const char *)pem.data;
	t->renew_at = certs[0]->not_before + (certs[0]->not_after - certs[0]->not_before) / 2;
	return RC_OK;
}

/* true: something changed since last time. */
static troth_rc read_trust(struct server_tls *t, struct tx *tx, struct arena *a, bool *ret_changed, struct troth_err *e)
{
	struct server_trust_ret trust = { 0 };
	struct no_cmd none = { 0 };
	TRY(pipeline_read(t->pipeline, tx, a, &VERB_SERVER_TRUST, &none, &trust, e));
	*ret_changed = !t->agents_ca || strcmp(t->agents_ca, trust.agents_ca) != 0 || strcmp(t->server_ca, trust.server_ca) != 0;
	if (!*ret_changed)
		return RC_OK;
	free(t->agents_ca);
	free(t->server_ca);
	t->agents_ca = strdup(trust.agents_ca);
	t->server_ca = strdup(trust.server_ca);
	CHECK(t->agents_ca && t->server_ca);
	return RC_OK;
}

troth_rc server_tls_new(struct arena *a, const struct datadir *d, struct store *store, struct pipeline *p, struct server_tls **ret,
			struct troth_err *e)
{
	struct server_tls *t = ARENA_NEW(a, struct server_tls);
	CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
	struct tx *tx;
	bool changed;
	t->d = d;
	t->pipeline = p;
	t->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	*ret = t; /* the caller frees it either way */
	TRY(file_read_secret(d->server_key, LIMIT_PEM_BYTES, &t->key, e));
	TRY(read_files(t, e));
	TRY(store_reader_open(store, &reader, e));
	TRY(store_read_begin(reader, &tx, e));
	troth_rc rc = read_trust(t, tx, t->a, &changed, e);
	store_read_end(tx);
	return rc;
}

void server_tls_free(struct server_tls *t)
{
	if (!t)
		return;
	buf_release(&t->key);
	free(t->agents_ca);
	free(t->server_ca);
	arena_free(t->a);
}

troth_rc server_tls_context(struct server_tls *t, struct edge_tls *ret, struct troth_err *e)
{
	const struct cert *const *cas;
	size_t n = 0;
	TRY(certs_parse_pem(t->a, bytes_of_text(t->agents_ca), &cas, &n, e));
	struct bytes *ders = ARENA_ARRAY(t->a, struct bytes, n);
	for (size_t i = 0; i < n; i++)
		ders[i] = cas[i]->der;
	*ret = (struct edge_tls){ bytes_of_text(t->server_pem), &t->key, ders, n };
	return RC_OK;
}

void server_tls_serve(struct server_tls *t, struct edge_server *edge) { t->edge = edge; }

/* -- changes ------------------------------------------------------------------------------------------------------ */
/* Files and store as they are now, into the listener. */
static troth_rc reload(struct server_tls *t, struct troth_err *e)
{
	struct edge_tls tls;
	arena_reset(t->a);
	TRY(read_files(t, e));
	TRY(server_tls_context(t, &tls, e));
	TRY(edge_server_set_tls(t->edge, &tls, e));
	return file_write(t->d->ca_pem, bytes_of_text(t->server_ca), 0644, e);
}

static void reload_and_say(struct server_tls *t, const char *event)
{
	struct troth_err e = { 0 };
	if (rc_failed(reload(t, &e)))
		log_err(LOG_LEVEL_ERROR, "tls.not_reloaded", &e);
	else
		LOG(LOG_LEVEL_INFO, event, LOG_S("file", t->d->server_pem));
}

static troth_rc keep_certificate(struct server_tls *t, const struct server_certificate_ret *made, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const char *pem;
	TRY(server_pem_make(a, made->certificate, made->chain, made->server_ca, &pem, e));
	return file_write(t->d->server_pem, bytes_of_text(pem), 0644, e);
}

static void renew_failed(struct server_tls *t, const struct troth_err *e)
{
	log_err(LOG_LEVEL_ERROR, "tls.not_renewed", e);
	t->renew_at = port_now(&PORT_CLOCK_REAL) + RENEW_RETRY_MS;
	t->renewing = false;
}

static void on_renewed(void *self, troth_rc rc, const void *ret, const struct troth_err *why)
{
	struct server_tls *t = self;
	struct troth_err e = *why;
	if (rc_ok(rc))
		rc = keep_certificate(t, ret, &e);
	if (rc_ok(rc)) {
		t->renewing = false;
		reload_and_say(t, "tls.certificate_renewed");
		return;
	}
	renew_failed(t, &e);
}

/* The same key, so that one file's rename replaces the certificate; its names are those of the last one. */
static void on_recertified(void *self, troth_rc rc, const void *ret, const struct troth_err *why)
{
	struct server_tls *t = self;
	const struct recertify_ret *done = ret;
	struct server_certificate_cmd cmd = { 0 };
	struct troth_err e = *why;
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	if (rc_ok(rc))
		rc = server_csr(a, t->d, &cmd.csr, &e);
	if (rc_failed(rc)) {
		renew_failed(t, &e);
		arena_free(a);
		return;
	}
	if (done->count)
		LOG(LOG_LEVEL_WARN, "tls.ca_recertified", LOG_I("count", done->count),
		    LOG_S("text", "troth's own CAs had expired or were about to: the same keys have new dates"));
	pipeline_submit(t->pipeline, &VERB_SERVER_CERTIFICATE, a, &cmd, on_renewed, t);
}

/* First the CAs: a server that was down for long finds them expired, and nothing could be signed. */
static void renew(struct server_tls *t)
{
	struct no_cmd none = { 0 };
	t->renewing = true;
	pipeline_submit(t->pipeline, &VERB_SERVER_RECERTIFY, NULL, &none, on_recertified, t);
}

void server_tls_refresh(struct server_tls *t, struct tx *snapshot, msec_t now)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct troth_err e = { 0 };
	bool changed = false;
	if (rc_failed(read_trust(t, snapshot, a, &changed, &e)))
		log_err(LOG_LEVEL_WARN, "tls.trust_unreadable", &e);
	else if (changed)
		reload_and_say(t, "tls.trust_changed");
	if (now >= t->renew_at && !t->renewing)
		renew(t);
}
