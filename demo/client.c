/* The demo's client: an application as they are in real life, and the witness of the demo.
 *
 * It opens new TLS connections to every service named on the command line, one after the other at a
 * steady rate, verifies chain and name with OpenSSL, and counts.  It reads its trust file at the start
 * and on SIGHUP, never in between, as real programs do; after reading it, it writes the SHA-256 of what
 * it now trusts to the attest file.  It shares no code with troth, so its count is independent.
 *
 *   troth-demo-client --trust FILE --pid FILE --attest FILE --stats FILE --failures FILE --start FILE
 *                     --rate PER_SECOND SERVICE=HOST:PORT[/postgresql] ...
 *
 * Handshakes begin when the --start file exists.  The stats file holds "HANDSHAKES FAILED" and is
 * replaced atomically a few times a second and at SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SERVICES_MAX = 16, TIMEOUT_S = 5, TRUST_MAX = 1 << 20 };

struct service {
	char name[64], host[64];
	int port;
	bool postgresql;
};

static struct {
	const char *trust, *pid, *attest, *stats, *failures, *start;
	double rate;
	struct service services[SERVICES_MAX];
	int service_count;
	SSL_CTX *ctx;
	long handshakes, failed;
} me = { .rate = 70 };

static volatile sig_atomic_t want_reload, want_end;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		want_reload = 1;
	else
		want_end = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "troth-demo-client: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* -- small files ------------------------------------------------------------------------------ */
static void file_replace(const char *path, const char *text)
{
	char tmp[4096];
	snprintf(tmp, sizeof tmp, "%s.tmp", path);
	FILE *f = fopen(tmp, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || rename(tmp, path) != 0)
		die(path);
}

static void stats_write(void)
{
	char text[64];
	snprintf(text, sizeof text, "%ld %ld\n", me.handshakes, me.failed);
	file_replace(me.stats, text);
}

static void failure_write(const struct service *s, const char *why)
{
	char when[32];
	struct timeval tv;
	gettimeofday(&tv, NULL);
	struct tm tm;
	gmtime_r(&tv.tv_sec, &tm);
	strftime(when, sizeof when, "%H:%M:%S", &tm);
	FILE *f = fopen(me.failures, "a");
	if (!f)
		die(me.failures);
	fprintf(f, "%s.%03ld %s: %s\n", when, (long)tv.tv_usec / 1000, s->name, why);
	fclose(f);
}

/* -- trust ------------------------------------------------------------------------------------ */
static size_t trust_read(char *text)
{
	FILE *f = fopen(me.trust, "r");
	if (!f)
		return 0; /* not there yet: nothing is trusted */
	size_t n = fread(text, 1, TRUST_MAX, f);
	fclose(f);
	return n;
}

static void trust_add(X509_STORE *store, const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	for (X509 *x; (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; X509_free(x))
		X509_STORE_add_cert(store, x);
	ERR_clear_error();
	BIO_free(bio);
}

static void attest_write(const char *text, size_t len)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	EVP_Digest(text, len, md, &n, EVP_sha256(), NULL);
	char hex[2 * EVP_MAX_MD_SIZE + 2];
	for (unsigned int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
	hex[2 * n] = '\n';
	hex[2 * n + 1] = 0;
	file_replace(me.attest, hex);
}

static void trust_load(void)
{
	static char text[TRUST_MAX];
	size_t len = trust_read(text);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	trust_add(SSL_CTX_get_cert_store(ctx), text, len);
	SSL_CTX_free(me.ctx);
	me.ctx = ctx;
	attest_write(text, len);
}

/* -- one handshake: NULL, or why it failed ----------------------------------------------------- */
static int tcp_connect(const struct service *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port) };
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	inet_pton(AF_INET, s->host, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

/* PostgreSQL protocol 3, SSLRequest: the server answers S when it speaks TLS. */
static bool postgresql_starttls(int fd)
{
	static const unsigned char request[8] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	char answer = 0;
	return write(fd, request, sizeof request) == sizeof request && read(fd, &answer, 1) == 1 && answer == 'S';
}

static const char *tls_reason(SSL *ssl, char *text, size_t size)
{
	long verify = SSL_get_verify_result(ssl);
	if (verify != X509_V_OK)
		snprintf(text, size, "certificate verify failed: %s", X509_verify_cert_error_string(verify));
	else if (ERR_peek_error())
		snprintf(text, size, "%s", ERR_reason_error_string(ERR_peek_error()));
	else
		snprintf(text, size, "connection ended in the handshake");
	ERR_clear_error();
	return text;
}

static const char *handshake(const struct service *s, char *text, size_t size)
{
	int fd = tcp_connect(s);
	if (fd < 0) {
		snprintf(text, size, "could not connect: %s", strerror(errno));
		return text;
	}
	if (s->postgresql && !postgresql_starttls(fd)) {
		close(fd);
		return "the server refused SSLRequest";
	}
	SSL *ssl = SSL_new(me.ctx);
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, "localhost");
	SSL_set1_host(ssl, "localhost");
	const char *why = SSL_connect(ssl) == 1 ? NULL : tls_reason(ssl, text, size);
	if (!why)
		SSL_shutdown(ssl);
	ERR_clear_error();
	SSL_free(ssl);
	close(fd);
	return why;
}

/* -- the loop ---------------------------------------------------------------------------------- */
static double mono_s(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void sleep_until(double when)
{
	double left = when - mono_s();
	if (left <= 0)
		return;
	struct timespec ts = { .tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(time_t)left) * 1e9) };
	nanosleep(&ts, NULL); /* a signal ends it early, which is right */
}

/* Signals wait for the end of a handshake: they would interrupt its reads. */
static const char *handshake_undisturbed(const struct service *s, char *text, size_t size)
{
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	const char *why = handshake(s, text, size);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return why;
}

static void one_turn(int turn)
{
	const struct service *s = &me.services[turn % me.service_count];
	char text[256];
	const char *why = handshake_undisturbed(s, text, sizeof text);
	if (why && want_end)
		return; /* the service was told to stop as we were */
	me.handshakes++;
	if (why) {
		me.failed++;
		failure_write(s, why);
	}
}

static void run(void)
{
	double next = mono_s(), stats_at = 0;
	bool started = false;
	for (int turn = 0; !want_end;) {
		if (want_reload) {
			want_reload = 0;
			trust_load();
		}
		if (!started && access(me.start, F_OK) != 0) {
			sleep_until(mono_s() + 0.02);
			next = mono_s();
			continue;
		}
		started = true;
		one_turn(turn++);
		if (mono_s() >= stats_at) {
			stats_write();
			stats_at = mono_s() + 0.2;
		}
		next += 1 / me.rate;
		if (next < mono_s() - 1) /* far behind: do not make up for it in a burst */
			next = mono_s();
		sleep_until(next);
	}
	stats_write();
}

/* -- arguments ----------------------------------------------------------------------------------- */
static void service_add(const char *arg)
{
	struct service *s = &me.services[me.service_count];
	char starttls[16] = "";
	int n = me.service_count < SERVICES_MAX
			? sscanf(arg, "%63[^=]=%63[^:]:%d/%15s", s->name, s->host, &s->port, starttls)
			: 0;
	struct in_addr ip;
	if (n < 3 || inet_pton(AF_INET, s->host, &ip) != 1) {
		fprintf(stderr, "troth-demo-client: \"%s\" is not SERVICE=IPV4:PORT[/postgresql]\n", arg);
		exit(2);
	}
	s->postgresql = strcmp(starttls, "postgresql") == 0;
	me.service_count++;
}

static void arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "trust", 1, NULL, 't' },    { "pid", 1, NULL, 'p' },   { "attest", 1, NULL, 'a' }, { "stats", 1, NULL, 's' },
		{ "failures", 1, NULL, 'f' }, { "start", 1, NULL, 'g' }, { "rate", 1, NULL, 'r' },   { NULL, 0, NULL, 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 't': me.trust = optarg; break;
		case 'p': me.pid = optarg; break;
		case 'a': me.attest = optarg; break;
		case 's': me.stats = optarg; break;
		case 'f': me.failures = optarg; break;
		case 'g': me.start = optarg; break;
		case 'r': me.rate = strtod(optarg, NULL); break;
		default: exit(2);
		}
	}
	for (; optind < argc; optind++)
		service_add(argv[optind]);
	if (!me.trust || !me.pid || !me.attest || !me.stats || !me.failures || !me.start || !me.service_count ||
	    !(me.rate > 0)) {
		fprintf(stderr, "troth-demo-client: an option is missing; the head of demo/client.c lists them\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	arguments(argc, argv);
	struct sigaction sa = { .sa_handler = on_signal };
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	trust_load();
	stats_write();
	char pid[32];
	snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	file_replace(me.pid, pid); /* last: from here on a SIGHUP is heard */
	run();
	SSL_CTX_free(me.ctx);
	return me.failed ? 1 : 0;
}
