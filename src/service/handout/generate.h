/* Generated: a named certificate with a key that is made here, for whoever asks for it.
 *
 * One verb for the APIs that know only that word.  What it comes to is decided by what is there:
 *
 *     nothing of that name       an authority (authority.c), exportable if the server is set so (disclose.h); or a leaf whose key
 *                                the keeper makes and may give out (KEY_MAKE)
 *     a leaf                     a new key and certificate, signed by whom the engine lets sign; its holder outside the fleet
 *                                may show it from then on (holder.h).  If slots serve it, they are asked for new keys instead
 *     an authority               a rotation: by itself, or led by hand (`beside`, rotation/beside.h)
 *
 * Nothing that is generated so is renewed by itself: who asked for it asks again. */
#ifndef TROTH_SERVICE_GENERATE_H
#define TROTH_SERVICE_GENERATE_H

#include "service/handout/lookup.h"

enum generate_mode {
	GENERATE_OVERWRITE, /* always a new version */
	GENERATE_KEEP,      /* only if there is none */
	GENERATE_CONVERGE,  /* also if it is not as asked for, or its CA signs with another version now */
};
struct generate_cmd {
	const char *name;           /* or */
	const char *id;             /* uuid; again only */
	bool again;                 /* one more version of what is there, as it is; what follows is then said only to change it */
	enum generate_mode mode;
	bool authority;
	bool beside;                /* an authority's new version is trusted in addition until somebody says that it signs */
	bool exportable;            /* a new authority's key may be given out again, where disclose_may allows it (disclose.h) */
	const char *issuer;         /* an authority's name; NULL: a root */
	const char *common_name, *organization, *organizational_unit;
	struct cert_place place;
	const char *role;           /* of a leaf: server, client, both */
	bool once;                  /* a leaf's key is given now and not kept: whoever loses it asks for the next version */
	const char *key_type;       /* NULL: rsa-2048, or as it was */
	unsigned key_usage;         /* of a leaf: CERT_LEAF_USAGES that its key can do; 0: what it needs */
	struct json_texts sans;
	const char *metadata;       /* as metadata_read gives it; NULL: none, or (again) what the newest version has */
	msec_t ttl;                 /* 0: a year, or as it was; cut to what its issuer has left */
};
struct generate_ret {
	struct lookup_ret of;       /* one version: the new one, or the one that was kept */
	bool made;                  /* it is new */
};
void generate_check(struct arena *a, const struct generate_cmd *cmd, struct troth_err *e);
/* CONFLICT with these clauses, beside CLAUSE_ONE_BESIDE. */
#define CLAUSE_STATIC "type:static"       /* it was brought from elsewhere: nothing here can make the next one */
#define CLAUSE_NO_ISSUER "type:no-issuer" /* NOT_FOUND: the authority that shall sign it; also one of troth's own */
#define CLAUSE_KEYLESS "type:keyless"     /* CONFLICT: the authority that shall sign it has its key elsewhere */
extern const struct verb VERB_CREDENTIAL_GENERATE; /* generate_cmd -> generate_ret; not as a dry run: keys would be made */

#endif
