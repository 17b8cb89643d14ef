/* Packets in, packets out. */
#include "agent/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/wire.h"

enum { QUEUED_MAX = 8 * WIRE_MESSAGE_BYTES, MORE = 1 };

struct channel_packet {
	struct channel_packet *next;
	size_t len;
	uint8_t data[];
};

void channel_open(struct channel *c, int fd)
{
	*c = (struct channel){ .fd = fd, .in = buf_make_secret(WIRE_MESSAGE_BYTES) };
}

static void packet_drop(struct channel *c)
{
	struct channel_packet *p = c->first;
	c->first = p->next;
	if (!c->first)
		c->last = NULL;
	c->queued -= p->len;
	secret_wipe(p->data, p->len);
	free(p);
}

void channel_close(struct channel *c)
{
	while (c->first)
		packet_drop(c);
	buf_release(&c->in);
}

static troth_rc packet_add(struct channel *c, bool more, struct bytes part, struct troth_err *e)
{
	struct channel_packet *p = malloc(sizeof *p + part.len + 1);
	ENSURE(p, e, TROTH_UNAVAILABLE, "out of memory");
	p->next = NULL;
	p->len = part.len + 1;
	p->data[0] = more ? MORE : 0;
	if (part.len)
		memcpy(p->data + 1, part.data, part.len);
	*(c->last ? &c->last->next : &c->first) = p;
	c->last = p;
	c->queued += p->len;
	return RC_OK;
}

troth_rc channel_queue(struct channel *c, struct bytes message, struct troth_err *e)
{
	ENSURE(message.len <= WIRE_MESSAGE_BYTES, e, TROTH_TOO_LARGE, "a message of %zu bytes is too large for the hand", message.len);
	ENSURE(c->queued + message.len <= QUEUED_MAX, e, TROTH_BUSY, "too much waits for the other half of the agent");
	do {
		size_t n = message.len < WIRE_PACKET_BYTES ? message.len : WIRE_PACKET_BYTES;
		TRY(packet_add(c, n < message.len, bytes_of(message.data, n), e));
		message.data += n;
		message.len -= n;
	} while (message.len > 0);
	return RC_OK;
}

troth_rc channel_flush(struct channel *c, bool *ret_waiting, struct troth_err *e)
{
	while (c->first) {
		ssize_t n = send(c->fd, c->first->data, c->first->len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0)
			return err_errno(e, errno, "the other half of the agent is gone");
		packet_drop(c);
	}
	*ret_waiting = c->first != NULL;
	return RC_OK;
}

troth_rc channel_receive(struct channel *c, struct bytes *ret_message, bool *ret_found, struct troth_err *e)
{
	uint8_t packet[WIRE_PACKET_BYTES + 1];
	*ret_found = false;
	for (;;) {
		ssize_t n = recv(c->fd, packet, sizeof packet, MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return RC_OK;
		if (n < 0)
			return err_errno(e, errno, "the other half of the agent is gone");
		ENSURE(n > 0, e, TROTH_IO, "the other half of the agent is gone");
		ENSURE((size_t)n <= sizeof packet && packet[0] <= MORE, e, TROTH_INVALID, "a broken packet came from the other half");
		if (c->whole)
			buf_clear(&c->in);
		c->whole = packet[0] == 0;
		buf_add(&c->in, packet + 1, (size_t)n - 1);
		secret_wipe(packet, (size_t)n);
		ENSURE(buf_ok(&c->in), e, TROTH_TOO_LARGE, "a message from the other half is too large");
		if (c->whole)
			break;
	}
	*ret_message = buf_bytes(&c->in);
	*ret_found = true;
	return RC_OK;
}
