/* Logging in: a password becomes an access token that ends soon (LIMIT_ACCESS_TOKEN_S), and for a person also a refresh token.
 *
 * Whose password it was, wrong, locked out or nobody's: the caller hears the same, after the same work.  So a refused login
 * is a verb that succeeds: what it counts must stay.  A refresh token that is not good is an error like others. */
#ifndef TROTH_SERVICE_LOGIN_H
#define TROTH_SERVICE_LOGIN_H

#include "service/verb.h"

enum login_grant {
	LOGIN_PASSWORD, /* a person by name and password, through a program that is known (client: credhub_cli, opsman, troth) */
	LOGIN_CLIENT,   /* a program by its own name and password: client, client_secret */
	LOGIN_REFRESH,  /* refresh_token, by the same client */
};
#define REFRESH_TOKEN_INVALID "type:invalid_token" /* clause of that error */
struct login_cmd {
	enum login_grant grant;
	const char *client, *client_secret;
	const char *name, *password;
	const char *refresh_token;
	const char *peer;           /* for the audit of a lock-out */
};
struct login_ret {
	bool refused;               /* and nothing else is said */
	const char *access_token, *jti, *scope;
	const char *refresh_token;  /* or NULL */
	int64_t expires_in;         /* seconds */
};
extern const struct verb VERB_LOGIN;  /* login_cmd -> login_ret; anybody */
/* Ends everything that came of the same password as this access token (its jti), of the caller's own only. */
extern const struct verb VERB_LOGOUT; /* id_cmd -> no_ret */

#endif
