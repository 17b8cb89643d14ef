/* Listening, connecting and the keeper's kind of socket pair. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "port/port.h"

static troth_rc address_split(const char *address, char host[256], char port[8], struct troth_err *e)
{
	struct address a;
	ENSURE(address_parse(address, &a), e, TROTH_INVALID, "\"%s\" is not an address: write " ADDRESS_FORM, address);
	snprintf(host, 256, "%.*s", (int)a.host_len, a.host);
	snprintf(port, 8, "%d", a.port);
	return RC_OK;
}

static troth_rc resolve(const char *host, const char *port, int flags, struct addrinfo **ret, struct troth_err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	int why = getaddrinfo(host, port, &hints, ret);
	ENSURE(why == 0, e, TROTH_INVALID, "could not resolve \"%s\": %s", host, gai_strerror(why));
	return RC_OK;
}

static int bound_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return 0;
	return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
					      : ((struct sockaddr_in *)&ss)->sin_port);
}

/* SO_REUSEPORT would let a second server of the same user bind beside the first and take half of its
 * connections; so the port is bound once here and the loops share the descriptor. */
troth_rc socket_listen(const char *address, int *ret_fd, int *ret_port, struct troth_err *e)
{
	char host[256], port[8];
	struct addrinfo *ai;
	TRY(address_split(address, host, port, e));
	TRY(resolve(host, port, AI_PASSIVE | AI_NUMERICSERV, &ai, e));
	int one = 1, err_no = 0;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
		err_no = errno;
	freeaddrinfo(ai);
	if (err_no) {
		if (fd >= 0)
			close(fd);
		troth_rc rc = err_errno(e, err_no, "could not listen on %s", address);
		err_hint(e, "choose another address with --listen, or port 0 for a free one");
		return rc;
	}
	*ret_fd = fd;
	*ret_port = bound_port(fd);
	return RC_OK;
}

static int connect_within(int fd, const struct addrinfo *ai, msec_t timeout)
{
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int n = poll(&p, 1, (int)timeout);
	if (n <= 0)
		return n == 0 ? ETIMEDOUT : errno;
	int err_no = 0;
	socklen_t len = sizeof err_no;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err_no, &len) != 0 ? errno : err_no;
}

troth_rc socket_connect(const char *host, int port, msec_t timeout, int *ret_fd, struct troth_err *e)
{
	char service[8];
	struct addrinfo *list;
	snprintf(service, sizeof service, "%d", port);
	TRY(resolve(host, service, AI_NUMERICSERV, &list, e));
	int err_no = ECONNREFUSED, fd = -1;
	for (struct addrinfo *ai = list; ai && err_no; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		err_no = fd < 0 ? errno : connect_within(fd, ai, timeout);
		if (err_no && fd >= 0)
			close(fd);
	}
	freeaddrinfo(list);
	if (err_no)
		return err_errno(e, err_no, "could not connect to %s:%d", host, port);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	*ret_fd = fd;
	return RC_OK;
}

troth_rc socket_pair(size_t message_bytes, int ret_fds[2], struct troth_err *e)
{
	int fds[2], size = (int)message_bytes * 2;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return err_errno(e, errno, "could not make a socket pair");
	for (int i = 0; i < 2; i++) /* best effort: the default holds LIMIT_KEEPER_MESSAGE_BYTES */
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return RC_OK;
}
