/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * testmap.h - an address map with a memory, for tests, fuzzers and explain.
 *
 * It plays the gateway's state without a kernel: signalling and media
 * mappings, and what was written, ranked by the core's own sip_unmap_rank().
 * No allocation: tables of fixed size, the oldest entries leave.
 */
#ifndef TESTMAP_H
#define TESTMAP_H

#include "../../nf_conntrack_sip_strict/core/match.h"

#ifndef TESTMAP_MEMS
#define TESTMAP_MEMS 128u
#define TESTMAP_MAPS 128u
#endif
#define TESTMAP_TEXT 128u

/**
 * struct testmap_mem - what an inside host wrote, and what became of it
 * @kind: @field: @mapped: as struct sip_mem
 * @inside: the host that wrote it
 * @key: what stands outside
 * @peer: the other end when it was written
 * @call: Call-ID, @branch: of the message it stood in
 */
struct testmap_mem {
	enum sip_mem_kind kind;
	enum sip_field field;
	bool mapped;
	struct sip_ip inside;
	struct sip_ap key;
	struct sip_ip peer;
	struct sip_written written;
	u32 user_len;
	u32 call_len;
	u32 branch_len;
	u8 user[TESTMAP_TEXT];
	u8 call[TESTMAP_TEXT];
	u8 branch[TESTMAP_TEXT];
};

/* A pinhole: inside pair, outside pair; SIP_T_NONE: for any transport. */
struct testmap_map {
	bool media;
	enum sip_transport transport;
	struct sip_ap in;
	struct sip_ap out;
};

/**
 * struct testmap - one gateway
 * @shift: an outside port of a mapping of its own is the inside one plus this
 * @media_host: as the sysctl: other private hosts' media maps too
 * @fail: every question is answered with this reason, if set
 * @asked: number of questions so far
 * @ctx: the message under way
 */
struct testmap {
	u16 shift;
	bool media_host;
	enum sip_reason fail;
	u32 asked;
	u32 n_mems;
	u32 n_maps;
	struct sip_ctx ctx;
	const struct sip_msg *msg;
	struct testmap_mem mem[TESTMAP_MEMS]; /* newest last */
	struct testmap_map map[TESTMAP_MAPS];
};

extern const struct sip_map_ops testmap_ops;

void testmap_init(struct testmap *map);

/*
 * The ends of the next message. real and seen may be equal (no NAT); an end
 * that is not inside has no values of its own.
 */
void testmap_flow(struct testmap *map, enum sip_transport transport, const struct sip_end *snd,
		  const struct sip_end *rcv);

/* Plan a message on that flow, and remember its facts if the plan holds. */
enum sip_reason testmap_plan(struct testmap *map, const struct sip_msg *msg,
			     struct sip_plan *plan);
void testmap_learn(struct testmap *map, const struct sip_msg *msg, const struct sip_plan *plan);

/* A mapping that was there before: the outside pair is given. */
bool testmap_add(struct testmap *map, bool media, const struct sip_ap *in,
		 const struct sip_ap *out);
/* A live registration: user, host and port as written, outside pair, registrar. */
void testmap_register(struct testmap *map, const char *user, const char *host, const char *port,
		      const struct sip_ap *out, const struct sip_ap *peer);

/* "192.0.2.1:5060" or "[2001:db8::1]:5060", without port 5060; for tests. */
bool testmap_ap(const char *text, struct sip_ap *ap);

#endif /* TESTMAP_H */
