/* Messages between link and hand over a SOCK_SEQPACKET pair, longer ones in several packets.
 *
 * A packet is one byte (1: more follows, 0: the last) and up to WIRE_PACKET_BYTES.  A message is at
 * most WIRE_MESSAGE_BYTES; more ends the channel.  Writing: channel_queue keeps what the socket does
 * not take at once, channel_flush goes on when it can be written again. */
#ifndef TROTH_AGENT_CHANNEL_H
#define TROTH_AGENT_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"

struct channel_packet;

struct channel {
	int fd;             /* non-blocking; the owner closes */
	struct buf in;      /* the message that is coming, or came */
	bool whole;         /* it came: the next packet begins another */
	struct channel_packet *first, *last;
	size_t queued;      /* bytes */
};

void channel_open(struct channel *c, int fd);
void channel_close(struct channel *c); /* frees, wipes; leaves fd to its owner */
/* Takes a copy.  TOO_LARGE, or BUSY when too much waits already. */
troth_rc channel_queue(struct channel *c, struct bytes message, struct troth_err *e);
/* Sends what waits; *ret_waiting: something is left, wait for writability.  IO: the other side is gone. */
troth_rc channel_flush(struct channel *c, bool *ret_waiting, struct troth_err *e);
/* The next whole message: *ret_message points into c->in until the next call.  *ret_found false: none
 * yet.  IO: the other side is gone. */
troth_rc channel_receive(struct channel *c, struct bytes *ret_message, bool *ret_found, struct troth_err *e);

#endif
