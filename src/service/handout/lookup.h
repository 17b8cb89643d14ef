/* One credential or authority as somebody outside sees it: its versions, whom each is trusted by, and its private key if it
 * was made to be given out.
 *
 *     version of an authority   who signed it, does it sign now, is it trusted beside the one that signs
 *     version of a leaf         who signed it, and which CAs its holder should trust: the signer first
 *
 * Looking is a READ; a key that is in what was asked for makes it a WRITE of its own (credential.disclose, authority.disclose),
 * audited by name.
 * For the APIs of others; the native one shows rows. */
#ifndef TROTH_SERVICE_LOOKUP_H
#define TROTH_SERVICE_LOOKUP_H

#include "service/nouns.h"

struct catalog_cmd;
struct catalog_ret;
struct lookup_cmd {
	const struct catalog_cmd *list; /* of those that fit; what follows counts for NULL only */
	const char *name;           /* of the credential or authority; or */
	const char *id;             /* its uuid; or */
	const char *version;        /* the uuid of one version, which alone is shown */
	int64_t newest;             /* so many of its newest versions; 0: as many as are shown, LIMIT_VERSIONS_SHOWN */
	bool current;               /* the one in use now, then those trusted beside it */
	bool keys;                  /* with the private keys that may be given out */
};
struct lookup_version {
	const struct version_view *version;
	bool active;                /* authority: it signs now; leaf: its newest */
	bool beside;                /* authority: trusted in addition, and nobody has said yet that it goes */
	bool generated;             /* made here: its certificate is not somebody's upload */
	const char *metadata;       /* JSON, as its owner said it (metadata.h); NULL: none */
	const char *ca;             /* PEM: the CA that signed it, then those that are trusted beside that one; NULL: not known here */
	const char *private_key;    /* PEM, SECRET; NULL: not here, not asked for, or nobody may have it */
};
struct lookup_ret {
	struct credential_view credential;
	struct lookup_version *items; /* newest first */
	size_t count;
	struct catalog_ret *list;   /* if a list was asked for: then nothing else is set */
};
/* NOT_FOUND also outside the scope.  Keys are left out for who may only read, keys of authorities for a developer too. */
extern const struct verb VERB_CREDENTIAL_LOOKUP;   /* READ; goes on as one of these if a key is asked for and there: */
extern const struct verb VERB_CREDENTIAL_DISCLOSE; /* WRITE, the same cmd and ret: keys of a leaf */
extern const struct verb VERB_AUTHORITY_DISCLOSE;  /* the same, of an authority */

/* -- every one of them ------------------------------------------------------------------------------- */
struct catalog_cmd {
	const char *name;           /* only this one, and NOT_FOUND without it; or NULL */
	const char *path;           /* in this folder; NULL: anywhere */
	const char *part;           /* with this in its name, in any case; or NULL */
	msec_t ends_before;         /* one of its versions in use, or trusted beside it, ends before; 0: whenever */
};
struct catalog_item {
	struct lookup_ret of;       /* without PEM of CAs, and without keys */
	const char **signs;         /* names of what it signs, in the order of names */
	size_t sign_count;
};
struct catalog_ret {
	struct catalog_item *items; /* by name */
	size_t count;
};
/* Those in scope that have a version, troth's own apart.  TOO_LARGE above LIMIT_CATALOG: then ask for one by name. */
extern const struct verb VERB_CREDENTIAL_CATALOG;

/* -- for the room's own verbs ------------------------------------------------------------------------------ */
/* The open rotation that leads this authority: its own, or that of a CA above, which brought it a version; id 0: none. */
troth_rc lookup_leading(struct verb_ctx *ctx, int64_t authority_id, struct rotation_row *ret, struct troth_err *e);
/* The credential with its versions (version_row_list_recent) and their flags; ca, metadata and keys are NULL. */
troth_rc lookup_load(struct verb_ctx *ctx, const struct credential_row *row, struct lookup_ret *ret, struct troth_err *e);
/* Adds this version, if it is one of that credential, to be shown, and older than those: once after lookup_load. */
troth_rc lookup_older(struct verb_ctx *ctx, const char *version, struct lookup_ret *ret, struct troth_err *e);
/* Fills items[i].ca and .metadata for all of them. */
troth_rc lookup_trust(struct verb_ctx *ctx, struct lookup_ret *ret, struct troth_err *e);
/* Only this version stays (uuid). */
void lookup_only(struct lookup_ret *ret, const char *version);
/* By name or uuid, in scope: NOT_FOUND. */
troth_rc lookup_find(struct verb_ctx *ctx, const char *name, const char *id, struct credential_row *ret, struct troth_err *e);

#endif
