/* The listener's certificate and its trust, followed through the store. */
#include "app/server_tls.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "model/name.h"
#include "service/intake/brought.h"

enum { RENEW_RETRY_MS = 60 * 1000 };

struct server_tls {
	const struct datadir *d;
	struct pipeline *pipeline;
	struct edge_server *edge;
	struct arena *a;            /* of what is shown now; replaced as a whole */
	struct buf key;
	const char *server_pem;
	char *agents_ca, *server_ca, *signer; /* malloc'ed: what was last seen in the store */
	msec_t renew_at;            /* half of the certificate's life; wall clock */
	msec_t retry_at;            /* not before this, when it could not be had */
	bool renewing;
	const struct option_values *names; /* that the certificate shall hold; or NULL */
	bool named;                 /* it was asked for them */
	bool stale;                 /* the listener has not what is in files and store */
	/* What the listener was seen with is told to the store (VERB_SERVER_SEEN), if that asks for it. */
	bool observed, telling, started; /* it asks; it is being told; it was told since this process began */
	int64_t generation;         /* of agents_ca */
	int64_t serial, told, under_way; /* counts what there is to tell */
	/* What somebody brought beside it (brought.h): its number in the store, what is shown of it ("": nothing), and its CA. */
	int64_t brought;
	char *brought_pem, *brought_anchor; /* malloc'ed */
	char *anchor_shown;         /* of what the listener shows; malloc'ed */
	struct buf brought_key;
};

/* -- reading --------------------------------------------------------------------------------------------------- */
/* Another version of the server's CA signs by now: it is time for a certificate of that one. */
static troth_rc judge_signer(struct server_tls *t, const struct cert *leaf, struct troth_err *e)
{
	const struct cert *ca;
	if (!t->signer)
		return RC_OK;
	TRY(cert_parse_any(t->a, bytes_of_text(t->signer), &ca, e));
	if (!cert_issued_by(leaf, ca))
		t->renew_at = t->retry_at;
	return RC_OK;
}

static void judge_names(struct server_tls *t, const struct cert *leaf)
{
	for (size_t i = 0; t->names && !t->named && i < t->names->count; i++)
		if (!cert_host_matches(leaf, t->names->items[i]))
			t->renew_at = t->retry_at;
}

static troth_rc read_files(struct server_tls *t, struct troth_err *e)
{
	struct bytes pem;
	const struct cert *const *certs;
	size_t n;
	TRY(file_read(t->a, t->d->server_pem, LIMIT_PEM_BYTES, &pem, e));
	troth_rc rc = certs_parse_pem(t->a, pem, &certs, &n, e);
	if (rc_failed(rc)) {
		err_prefix(e, "%s", t->d->server_pem);
		err_hint(e, "put it back from a backup: the server's certificate with its chain");
		return rc;
	}
	t->server_pem = (const char *)pem.data;
	t->renew_at = certs[0]->not_before + (certs[0]->not_after - certs[0]->not_before) / 2;
	judge_names(t, certs[0]);
	return judge_signer(t, certs[0], e);
}

/* true: another text than before. */
static bool keep(char **kept, const char *text)
{
	if (*kept && strcmp(*kept, text) == 0)
		return false;
	free(*kept);
	*kept = strdup(text);
	CHECK(*kept);
	return true;
}

/* -- what was brought ------------------------------------------------------------------------------------------- */
/* Sealed to the key of our own certificate; as PEM. */
static troth_rc open_brought_key(struct server_tls *t, struct bytes sealed, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES), pem = buf_make_secret(LIMIT_PEM_BYTES);
	CLEANUP(key_releasep) struct key *own = NULL, *brought = NULL;
	TRY(key_parse(buf_bytes(&t->key), &own, e));
	TRY(cms_open_large(own, sealed, &der, e));
	TRY(key_parse(buf_bytes(&der), &brought, e));
	TRY(key_write(brought, KEY_PKCS8_PEM, &pem, e));
	buf_release(&t->brought_key);
	t->brought_key = pem;
	pem = buf_make_secret(0);
	return RC_OK;
}

static void brought_unusable(struct server_tls *t, struct troth_err *e)
{
	err_hint(e, "bring it again, or another one: troth server-certificate set");
	log_err(LOG_LEVEL_ERROR, "tls.brought-unusable", e);
	(void)keep(&t->brought_pem, "");
	(void)keep(&t->brought_anchor, "");
}

/* Without its key nothing of it is shown: everybody gets our own. */
static void take_brought(struct server_tls *t, const struct brought_load_ret *now)
{
	struct troth_err e = { 0 };
	buf_release(&t->brought_key);
	t->brought = now->number;
	t->stale = true;
	(void)keep(&t->brought_pem, now->number ? now->pem : "");
	(void)keep(&t->brought_anchor, now->number ? now->anchor : "");
	if (!now->number || rc_ok(open_brought_key(t, now->sealed, &e)))
		return;
	err_prefix(&e, "the key of the certificate that was brought");
	brought_unusable(t, &e);
}

static troth_rc read_brought(struct server_tls *t, struct tx *tx, struct arena *a, struct troth_err *e)
{
	struct brought_load_ret now = { 0 };
	struct no_cmd none = { 0 };
	TRY(pipeline_read(t->pipeline, tx, a, &VERB_BROUGHT_LOAD, &none, &now, e));
	take_brought(t, &now);
	return RC_OK;
}

static troth_rc read_trust(struct server_tls *t, struct tx *tx, struct arena *a, struct troth_err *e)
{
	struct server_trust_ret trust = { 0 };
	struct no_cmd none = { 0 };
	TRY(pipeline_read(t->pipeline, tx, a, &VERB_SERVER_TRUST, &none, &trust, e));
	bool agents = keep(&t->agents_ca, trust.agents_ca), server = keep(&t->server_ca, trust.server_ca);
	bool signer = keep(&t->signer, trust.signer);
	t->stale = t->stale || agents || server || signer || t->generation != trust.generation;
	t->serial += t->observed != trust.observed;
	t->generation = trust.generation;
	t->observed = trust.observed;
	return trust.brought == t->brought ? RC_OK : read_brought(t, tx, a, e);
}

/* What a client of this machine needs to verify either certificate; `more`: and what is shown until now. */
static troth_rc write_ca_pem(struct server_tls *t, const char *more, struct troth_err *e)
{
	struct bytes now = { 0 }, want = bytes_of_text(arena_printf(t->a, "%s%s%s", t->server_ca, t->brought_anchor, more));
	if (rc_ok(file_read(t->a, t->d->ca_pem, LIMIT_PEM_BYTES, &now, NULL)) && bytes_equal(now, want))
		return RC_OK;
	return file_write(t->d->ca_pem, want, 0644, e);
}

/* Told apart from what OpenSSL would say of it later. */
static troth_rc read_own_key(struct server_tls *t, struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *key = NULL;
	TRY(file_read_secret(t->d->server_key, LIMIT_PEM_BYTES, &t->key, e));
	troth_rc rc = key_parse(buf_bytes(&t->key), &key, e);
	if (rc_failed(rc)) {
		err_prefix(e, "%s", t->d->server_key);
		err_hint(e, "put it back from a backup: the key of the certificate in %s", t->d->server_pem);
	}
	return rc;
}

troth_rc server_tls_new(struct arena *a, const struct datadir *d, struct store *store, struct pipeline *p, struct server_tls **ret,
			struct troth_err *e)
{
	struct server_tls *t = ARENA_NEW(a, struct server_tls);
	CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
	struct tx *tx;
	struct troth_err late = { 0 };
	t->d = d;
	t->pipeline = p;
	(void)keep(&t->brought_pem, "");
	(void)keep(&t->brought_anchor, "");
	(void)keep(&t->anchor_shown, "");
	t->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	*ret = t; /* the caller frees it either way */
	TRY(read_own_key(t, e));
	TRY(store_reader_open(store, &reader, e));
	TRY(store_read_begin(reader, &tx, e));
	troth_rc rc = read_trust(t, tx, t->a, e);
	store_read_end(tx);
	TRY(rc);
	/* The listener is made of this; the file may be older, if power failed between a commit and it. */
	t->stale = rc_failed(write_ca_pem(t, "", &late));
	(void)keep(&t->anchor_shown, t->brought_anchor);
	if (t->stale)
		log_err(LOG_LEVEL_WARN, "tls.ca-file-unwritten", &late); /* the next commit tries again */
	t->serial++;
	return read_files(t, e);
}

void server_tls_free(struct server_tls *t)
{
	if (!t)
		return;
	buf_release(&t->key);
	buf_release(&t->brought_key);
	free(t->brought_pem);
	free(t->brought_anchor);
	free(t->anchor_shown);
	free(t->agents_ca);
	free(t->server_ca);
	free(t->signer);
	arena_free(t->a);
}

/* Whatever is wrong with it must not keep the listener from its own one, by which agents know it. */
static void add_brought(struct server_tls *t, struct edge_tls *tls)
{
	struct edge_tls both = *tls;
	struct troth_err e = { 0 };
	both.brought_pem = bytes_of_text(t->brought_pem);
	both.brought_key = &t->brought_key;
	if (!both.brought_pem.len)
		return;
	if (rc_ok(edge_tls_check(&both, &e)))
		*tls = both;
	else if (rc_ok(edge_tls_check(tls, NULL))) /* else it is not the brought one's fault */
		brought_unusable(t, &e);
}

troth_rc server_tls_context(struct server_tls *t, struct edge_tls *ret, struct troth_err *e)
{
	const struct cert *const *cas;
	size_t n = 0;
	TRY(certs_parse_pem(t->a, bytes_of_text(t->agents_ca), &cas, &n, e));
	struct bytes *ders = ARENA_ARRAY(t->a, struct bytes, n);
	for (size_t i = 0; i < n; i++)
		ders[i] = cas[i]->der;
	struct edge_tls tls = { .cert_pem = bytes_of_text(t->server_pem), .key_pem = &t->key, .client_cas = ders, .client_ca_count = n };
	add_brought(t, &tls); /* may find that nothing can be shown of it */
	*ret = tls;
	return RC_OK;
}

void server_tls_serve(struct server_tls *t, struct edge_server *edge) { t->edge = edge; }

troth_rc server_tls_names(struct server_tls *t, const struct option_values *names, struct troth_err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i], *fault = name_san_fault(name);
		bool typed = text_starts(name, "dns:") || text_starts(name, "ip:") || text_starts(name, "uri:") || text_starts(name, "email:");
		if (!fault && !typed && !strchr(name, '*'))
			continue;
		troth_rc rc = err_set(e, TROTH_INVALID, "--public-name \"%.200s\" %s", name,
				      fault ? fault : typed ? "has a type before it" : "is a pattern");
		err_hint(e, "a DNS name or an IP address as clients write it: troth.example.org");
		return rc;
	}
	t->names = names;
	return read_files(t, e);
}

/* -- changes ------------------------------------------------------------------------------------------------------ */
/* Files and store as they are now, into the listener. */
static troth_rc reload(struct server_tls *t, struct troth_err *e)
{
	struct edge_tls tls;
	arena_reset(t->a);
	TRY(read_files(t, e));
	TRY(server_tls_context(t, &tls, e));
	if (strcmp(t->anchor_shown, t->brought_anchor) != 0)
		TRY(write_ca_pem(t, t->anchor_shown, e)); /* so that the file verifies what is shown, before and after */
	TRY(edge_server_set_tls(t->edge, &tls, e));
	(void)keep(&t->anchor_shown, t->brought_anchor);
	return write_ca_pem(t, "", e);
}

static void reload_and_say(struct server_tls *t, const char *event)
{
	struct troth_err e = { 0 };
	t->stale = rc_failed(reload(t, &e)); /* then the next commit tries again */
	if (t->stale) {
		log_err(LOG_LEVEL_ERROR, "tls.not-reloaded", &e);
		return;
	}
	t->serial++;
	LOG(LOG_LEVEL_INFO, event, LOG_S("file", t->d->server_pem));
}

/* -- what the listener was seen with ---------------------------------------------------------------------------- */
static void on_told(void *self, troth_rc rc, const void *ret, const struct troth_err *why)
{
	struct server_tls *t = self;
	t->telling = false;
	if (rc_failed(rc)) { /* the next commit tries again */
		log_err(LOG_LEVEL_WARN, "tls.not-told", why);
		return;
	}
	t->started = true;
	t->told = t->under_way;
}

/* Not while a certificate is on its way: then it is not known which one will be shown.  (One that is ordered after this was
 * said comes after it: the keeper must sign it first.) */
static void tell(struct server_tls *t)
{
	struct troth_err e = { 0 };
	const struct cert *const *certs;
	size_t n;
	if (!t->observed || t->stale || t->renewing || t->telling || t->told == t->serial)
		return;
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	if (rc_failed(certs_parse_pem(a, bytes_of_text(t->server_pem), &certs, &n, &e))) {
		log_err(LOG_LEVEL_ERROR, "tls.not-told", &e);
		arena_free(a);
		return;
	}
	struct server_seen_cmd cmd = { cert_pem(a, certs[0]->der), t->generation, !t->started };
	t->telling = true;
	t->under_way = t->serial;
	pipeline_submit(t->pipeline, &VERB_SERVER_SEEN, a, &cmd, on_told, t);
}

/* -- a new certificate --------------------------------------------------------------------------------------------- */
static troth_rc keep_certificate(struct server_tls *t, const struct server_certificate_ret *made, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const char *pem;
	TRY(server_pem_make(a, made->certificate, made->chain, made->bridge, made->server_ca, &pem, e));
	return file_write(t->d->server_pem, bytes_of_text(pem), 0644, e);
}

static void renew_failed(struct server_tls *t, const struct troth_err *e)
{
	log_err(LOG_LEVEL_ERROR, "tls.not-renewed", e);
	t->renew_at = t->retry_at = port_now(&PORT_CLOCK_REAL) + RENEW_RETRY_MS;
	t->renewing = false;
}

static void on_renewed(void *self, troth_rc rc, const void *ret, const struct troth_err *why)
{
	struct server_tls *t = self;
	struct troth_err e = *why;
	if (rc_ok(rc))
		rc = keep_certificate(t, ret, &e);
	if (rc_ok(rc)) {
		t->named = true;
		t->renewing = false;
		reload_and_say(t, "tls.certificate-renewed");
		tell(t);
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
	if (t->names)
		cmd.more = (struct json_texts){ arena_copy(a, t->names->items, t->names->count * sizeof *t->names->items), t->names->count };
	if (rc_ok(rc))
		rc = server_csr(a, t->d, &cmd.csr, &e);
	if (rc_failed(rc)) {
		renew_failed(t, &e);
		arena_free(a);
		return;
	}
	if (done->count)
		LOG(LOG_LEVEL_WARN, "tls.ca-recertified", LOG_I("count", done->count),
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
	if (rc_failed(read_trust(t, snapshot, a, &e)))
		log_err(LOG_LEVEL_WARN, "tls.trust-unreadable", &e);
	else if (t->stale)
		reload_and_say(t, "tls.trust-changed");
	tell(t);
	if (now >= t->renew_at && !t->renewing)
		renew(t);
}
