/* The signature of one message to a webhook. */
#include "keeper/webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

enum { MESSAGE_BYTES = KEEPER_WEBHOOK_ID_BYTES + 24 + LIMIT_WEBHOOK_BODY_BYTES };

static bool id_good(const char *id)
{
	size_t len = strlen(id);
	return len > 0 && len <= KEEPER_WEBHOOK_ID_BYTES &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

troth_rc keeper_webhook_mac(struct bytes secret, const char *id, int64_t timestamp, struct bytes body, uint8_t out[SHA256_LEN],
			    struct troth_err *e)
{
	CLEANUP(buf_release) struct buf message = buf_make(MESSAGE_BYTES);
	unsigned len = 0;
	ENSURE(id_good(id), e, TROTH_INVALID, "\"%.70s\" is not the id of a message", id);
	buf_printf(&message, "%s.%lld.", id, (long long)timestamp);
	buf_add_bytes(&message, body);
	ENSURE(buf_ok(&message), e, TROTH_TOO_LARGE, "a message to a webhook has at most %d bytes", LIMIT_WEBHOOK_BODY_BYTES);
	bool ok = HMAC(EVP_sha256(), secret.data, (int)secret.len, message.data, message.len, out, &len) != NULL && len == SHA256_LEN;
	ENSURE(ok, e, TROTH_INTERNAL, "OpenSSL could not sign the message");
	return RC_OK;
}
