/* The server as a whole: the port, the loops, the TLS context they share. */
#include "edge/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "edge/internal.h"

static msec_t or_default(msec_t given, msec_t otherwise) { return given > 0 ? given : otherwise; }

void edge_server_set_limits(struct edge_server *s, unsigned connections, msec_t request_time, msec_t idle_time)
{
	s->connections_most = connections ? connections : LIMIT_CONNECTIONS;
	s->request_time = or_default(request_time, LIMIT_CONNECTION_REQUEST_S * MSEC_S);
	s->idle_time = or_default(idle_time, LIMIT_CONNECTION_IDLE_S * MSEC_S);
}

static void fill_config(struct edge_server *s, const struct edge_config *config)
{
	s->config = *config;
	edge_server_set_limits(s, config->connections, config->request_time, config->idle_time);
	s->config.hold_time = or_default(config->hold_time, LIMIT_HOLD_S * MSEC_S);
	text_copy(s->listen, sizeof s->listen, config->listen);
	s->config.listen = s->listen;
	if (config->plain_listen) {
		text_copy(s->plain_listen, sizeof s->plain_listen, config->plain_listen);
		s->config.plain_listen = s->plain_listen;
	}
}

static bool is_loopback(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof ss;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return false;
	if (ss.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&ss)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return ss.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&ss)->sin6_addr);
}

static troth_rc listen_all(struct edge_server *s, struct troth_err *e)
{
	const char *plain = s->config.plain_listen;
	TRY(socket_listen(s->config.listen, &s->fds[EDGE_LISTEN_TLS], &s->ports[EDGE_LISTEN_TLS], e));
	if (!plain)
		return RC_OK;
	TRY(socket_listen(plain, &s->fds[EDGE_LISTEN_PLAIN], &s->ports[EDGE_LISTEN_PLAIN], e));
	if (is_loopback(s->fds[EDGE_LISTEN_PLAIN]))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s is not a loopback address: HTTP without TLS is for this machine alone", plain);
	err_hint(e, "listen on 127.0.0.1");
	return rc;
}

static troth_rc server_fill(struct edge_server *s, const struct edge_config *config, const struct edge_tls *tls,
			    struct troth_err *e)
{
	ENSURE(config->loops >= 1 && config->loops <= EDGE_LOOPS, e, TROTH_INVALID, "between 1 and %d loops", EDGE_LOOPS);
	fill_config(s, config);
	TRY(router_new(s->a, config->tables, config->table_count, &s->router, e));
	TRY(tls_server_context(tls, &s->tls, e));
	TRY(listen_all(s, e));
	s->loops = ARENA_ARRAY(s->a, struct edge_loop, config->loops);
	for (unsigned i = 0; i < config->loops; i++)
		TRY(loop_init(&s->loops[i], s, i, e));
	return RC_OK;
}

troth_rc edge_server_new(const struct edge_config *config, const struct edge_tls *tls, struct edge_server **ret,
			 struct troth_err *e)
{
	struct edge_server *s = calloc(1, sizeof *s);
	ENSURE(s, e, TROTH_UNAVAILABLE, "out of memory");
	s->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	for (int i = 0; i < EDGE_LISTENERS; i++)
		s->fds[i] = -1;
	pthread_mutex_init(&s->tls_lock, NULL);
	troth_rc rc = server_fill(s, config, tls, e);
	if (rc_failed(rc)) {
		edge_server_free(s);
		return rc;
	}
	*ret = s;
	return RC_OK;
}

void edge_server_free(struct edge_server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; s->loops && i < s->config.loops; i++)
		loop_release(&s->loops[i]);
	for (int i = 0; i < EDGE_LISTENERS; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	SSL_CTX_free(s->tls);
	pthread_mutex_destroy(&s->tls_lock);
	arena_free(s->a);
	free(s);
}

int edge_server_port(const struct edge_server *s) { return s->ports[EDGE_LISTEN_TLS]; }
int edge_server_plain_port(const struct edge_server *s) { return s->ports[EDGE_LISTEN_PLAIN]; }
unsigned edge_server_connections(const struct edge_server *s) { return atomic_load(&s->connections); }

troth_rc edge_server_start(struct edge_server *s, struct troth_err *e)
{
	for (unsigned i = 0; i < s->config.loops; i++) {
		int why = pthread_create(&s->loops[i].thread, NULL, loop_main, &s->loops[i]);
		if (why) {
			edge_server_stop(s, 0);
			edge_server_join(s);
			return err_errno(e, why, "could not start a thread");
		}
		s->loops[i].started = true;
	}
	return RC_OK;
}

void edge_server_stop(struct edge_server *s, msec_t grace)
{
	atomic_store(&s->grace, grace);
	for (unsigned i = 0; i < s->config.loops; i++) {
		struct edge_loop *loop = &s->loops[i];
		pthread_mutex_lock(&loop->lock);
		loop->stop = true;
		pthread_mutex_unlock(&loop->lock);
		loop_signal(loop);
	}
}

void edge_server_join(struct edge_server *s)
{
	for (unsigned i = 0; i < s->config.loops; i++) {
		if (s->loops[i].started)
			pthread_join(s->loops[i].thread, NULL);
		s->loops[i].started = false;
	}
}

troth_rc edge_tls_check(const struct edge_tls *tls, struct troth_err *e)
{
	SSL_CTX *ctx = NULL;
	TRY(tls_server_context(tls, &ctx, e));
	SSL_CTX_free(ctx);
	return RC_OK;
}

troth_rc edge_server_set_tls(struct edge_server *s, const struct edge_tls *tls, struct troth_err *e)
{
	SSL_CTX *fresh;
	TRY(tls_server_context(tls, &fresh, e));
	pthread_mutex_lock(&s->tls_lock);
	SSL_CTX *old = s->tls;
	s->tls = fresh;
	pthread_mutex_unlock(&s->tls_lock);
	SSL_CTX_free(old); /* connections of the old context hold it as long as they live */
	return RC_OK;
}

SSL_CTX *server_tls(struct edge_server *s)
{
	pthread_mutex_lock(&s->tls_lock);
	SSL_CTX *ctx = s->tls;
	SSL_CTX_up_ref(ctx);
	pthread_mutex_unlock(&s->tls_lock);
	return ctx;
}
