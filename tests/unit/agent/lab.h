/* A node to try the hand on: a directory of its own, a CA, keys, a profile, and services that are
 * only counters.  Shared by the tests of this folder. */
#ifndef TROTH_TEST_AGENT_LAB_H
#define TROTH_TEST_AGENT_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/hand.h"
#include "pki/pki.h"

#define LAB_SLOT "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e01"
#define LAB_STORE "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e03"
#define LAB_REQUEST "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5ef0"

struct lab {
	struct arena *a;
	char dir[64];                     /* everything is below */
	const struct profile *profiles[2];
	struct settings settings;
	struct key *ca_key;
	const struct cert *ca;
	struct hand_port port;
	struct hand hand;
	bool open;
	uint8_t serial;
	/* services */
	struct json_texts distrusted; /* said with the next documents */
	int signals, runs;
	pid_t signalled;
	bool process_gone;
	struct process_result run_result;
	const char *ran[PROFILE_WORDS + 1];
	/* crashes: after so many calls of the file system all fail; -1: never */
	long crash_after, calls;
	ino_t synced[256]; /* the first files and directories synced */
	size_t synced_count;
};

int lab_setup(void **state);
int lab_teardown(void **state);
const char *lab_path(struct lab *l, const char *name); /* dir/name */
void lab_open(struct lab *l);                          /* opens the hand anew (a restart); no crash from here */
void lab_crash_after(struct lab *l, long calls);
struct hand_reply lab_do(struct lab *l, struct hand_request r);
struct hand_reply lab_op(struct lab *l, enum hand_op op, const char *id, int64_t generation);
/* LOOK with the spec of the lab's slot or store. */
struct hand_reply lab_look(struct lab *l, const char *id);
/* A leaf for the key of the CSR that the hand made for `request`. */
const char *lab_leaf(struct lab *l, const char *request);
const char *lab_leaf_for(struct lab *l, struct bytes spki);
const char *lab_ca_pem(struct lab *l, const char *name); /* another CA */
/* CSR, leaf and STAGE of a generation. */
struct hand_reply lab_stage(struct lab *l, const char *id, int64_t generation);
void lab_settled(struct lab *l, const char *id, int64_t generation); /* ... to SETTLE */
bool lab_exists(struct lab *l, const char *name);
char *lab_read(struct lab *l, const char *name); /* in the arena; NULL: no such file */
void lab_write(struct lab *l, const char *name, const char *text);
char *lab_readlink(struct lab *l, const char *name);
/* SWAP and SETTLE, or SWAP, PUT_BACK and BACK_DONE; false: one failed. */
bool lab_change(struct lab *l, int64_t generation, bool back);
/* A restart: sees through what was begun, then applies `next`. */
void lab_recover(struct lab *l, int64_t next);
/* Other settings for all targets: "\"pid_file\":\"/x\"". */
void lab_set(struct lab *l, const char *settings);
/* Do cert.pem and key.pem behind web/current fit each other? */
bool lab_pair_fits(struct lab *l);

#endif
