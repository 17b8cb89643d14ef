/* A CA is compromised: distrust first.
 *
 * The verb says how many pairs break, and is then told that number.  From its commit on no document that leaves the
 * server for the first time puts the distrusted certificates into a store, and when all is settled no process
 * trusts them.  The pairs that meet through that root may break until each is good again. */
#include <stdio.h>
#include <string.h>

#include "pki/pki.h"
#include "side_server.h"

/* What the authority has now (or what of it is distrusted), as it will be looked for. */
static size_t remember(struct sim *s, const char *name, bool distrusted, const char *pem[8], const char *hex[8])
{
	struct credential_row c;
	struct version_row *versions;
	struct troth_err e = { 0 };
	size_t n = 0, kept = 0;
	struct tx *tx = server_read(s);
	if (!tx)
		return 0;
	if (rc_ok(credential_row_by_name(tx, s->ask_a, name, &c, &e)) &&
	    rc_ok(version_row_list_credential(tx, s->ask_a, c.id, PAGE_ALL, &versions, &n, &e)))
		for (size_t i = 0; i < n && kept < 8; i++) {
			struct cert_row cert;
			char text[SHA256_HEX_LEN];
			if (versions[i].retired_at || (distrusted && !versions[i].distrusted) || rc_failed(cert_row_get(tx, s->ask_a, versions[i].cert_id, &cert, &e)))
				continue;
			hex_encode(cert.fingerprint.data, cert.fingerprint.len, text);
			pem[kept] = cert_pem(s->life_a, cert.der);
			hex[kept++] = arena_text(s->life_a, text);
		}
	server_read_end(tx);
	return kept;
}

static troth_rc say(struct sim *s, const char *name, int64_t breaks, bool dry, struct rotate_ret *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { .options.dry_run = dry };
	struct rotate_cmd cmd = { .name = name, .compromised = true, .yes_break = breaks };
	troth_rc rc = server_do(s, s->ask_a, &s->server->admin, &VERB_ROTATE, &cmd, ret, &ctx, &e);
	if (rc_failed(rc))
		tell(s, "rotate --compromised: %s", e.primary);
	return rc;
}

static void excuse_all(struct sim *s, int root)
{
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			struct place_state *p = &s->nodes[i]->places[k];
			bool meets = p->t->kind == MSG_SLOT ? ROOT_OF[p->t->authority] == root : (p->t->bundle >> root & 1);
			if (!meets || p->excuse == EXCUSE_RESTORED)
				continue;
			p->excuse = EXCUSE_EMERGENCY;
			p->excuse_content = oracle_count(s->oracle);
		}
}

static void are_distrusted(struct sim *s, size_t n, const char *pem[8], const char *hex[8])
{
	for (size_t i = 0; i < n; i++) {
		s->distrusted[s->distrusted_count] = pem[i];
		s->distrusted_hex[s->distrusted_count++] = hex[i];
	}
}

void emergency(struct sim *s, const char *name, int root)
{
	struct rotate_ret ret;
	const char *pem[8], *hex[8];
	if (!s->server->up || s->distrusted_count + 8 > SIM_DISTRUSTED)
		return;
	arena_reset(s->ask_a);
	size_t n = remember(s, name, false, pem, hex);
	if (n == 0 || rc_failed(say(s, name, 0, true, &ret)))
		return;
	int64_t breaks = ret.breaks;
	tell(s, "%s is compromised; %lld pairs break", name, (long long)breaks);
	excuse_all(s, root); /* also if the answer is lost */
	bool done = rc_ok(say(s, name, breaks, false, &ret));
	s->count.rotations += done;
	if (done)
		are_distrusted(s, n, pem, hex);
	s->distrusting = s->server->up ? NULL : name;
}

void emergency_up(struct sim *s)
{
	const char *pem[8], *hex[8];
	if (!s->distrusting)
		return;
	arena_reset(s->ask_a);
	are_distrusted(s, remember(s, s->distrusting, true, pem, hex), pem, hex);
	s->distrusting = NULL;
}

static bool is_distrusted(const struct sim *s, const char *hex)
{
	for (size_t i = 0; i < s->distrusted_count; i++)
		if (strcmp(s->distrusted_hex[i], hex) == 0)
			return true;
	return false;
}

void emergency_sent(struct sim *s, const struct node *n, const struct msg_target *t)
{
	for (size_t i = 0; t->kind == MSG_STORE && i < t->certificates.count; i++)
		for (size_t k = 0; k < s->distrusted_count; k++)
			if (strcmp(s->distrusted[k], t->certificates.items[i]) == 0)
				violation(s, "%s/%s is told to trust %.8s, which is distrusted", n->name, t->name, s->distrusted_hex[k]);
}

/* A store in the promise that trusts what is distrusted, or NULL. */
static const struct place_state *trusting(const struct sim *s, const struct node **ret_node)
{
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			const struct place_state *p = &s->nodes[i]->places[k];
			const char *hex;
			*ret_node = s->nodes[i];
			for (size_t w = 0; p->t->kind == MSG_STORE && p->counted && s->nodes[i]->there && w < p->worker_count; w++)
				for (size_t c = 0; (hex = oracle_fingerprint(s->oracle, p->workers[w].content, c)); c++)
					if (is_distrusted(s, hex))
						return p;
		}
	return NULL;
}

bool emergency_is_over(const struct sim *s)
{
	const struct node *n;
	return !trusting(s, &n);
}

void emergency_settled(struct sim *s)
{
	const struct node *n;
	const struct place_state *p = trusting(s, &n);
	if (p)
		violation(s, "%s/%s trusts what is distrusted", n->name, p->t->name);
}
