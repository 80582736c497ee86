// SPDX-License-Identifier: GPL-2.0-only
/*
 * testmap.c - an address map with a memory, for tests, fuzzers and explain.
 *
 * What a single message can see is as in the kernel: a mapping
 * once made is given again, another host's is never given away, memories
 * answer only for the host that wrote them. Time does not pass here.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "testmap.h"

/* So many leave a full table at once, for moving the others takes its time. */
#define TESTMAP_LEAVE 16u

/**
 * testmap_init() - an empty gateway
 * @map: the map
 */
void testmap_init(struct testmap *map)
{
	memset(map, 0, sizeof(*map));
}

/**
 * testmap_flow() - the path of the next message
 * @map: the map
 * @transport: of the packet
 * @snd: the sender's end
 * @rcv: the receiver's end
 */
void testmap_flow(struct testmap *map, enum sip_transport transport, const struct sip_end *snd,
		  const struct sip_end *rcv)
{
	map->ctx.transport = transport;
	map->ctx.snd = *snd;
	map->ctx.rcv = *rcv;
	map->ctx.ops = &testmap_ops;
	map->ctx.priv = map;
}

/* ---- mappings ----------------------------------------------------------- */

/* TLS runs over TCP. */
static enum sip_transport testmap_wire(enum sip_transport transport)
{
	return transport == SIP_T_TLS ? SIP_T_TCP : transport;
}

static struct testmap_map *testmap_find_in(struct testmap *map, const struct sip_ap *in,
					   const struct sip_ip *out, bool media,
					   enum sip_transport transport)
{
	u32 i;

	for (i = 0; i < map->n_maps; i++) {
		struct testmap_map *one = &map->map[i];

		if (one->media == media && sip_ap_equal(&one->in, in) &&
		    sip_ip_equal(&one->out.ip, out) &&
		    (!one->transport || one->transport == testmap_wire(transport)))
			return one;
	}
	return NULL;
}

static struct testmap_map *testmap_find_out(struct testmap *map, const struct sip_ap *out)
{
	u32 i;

	for (i = 0; i < map->n_maps; i++)
		if (sip_ap_equal(&map->map[i].out, out))
			return &map->map[i];
	return NULL;
}

static bool testmap_put(struct testmap *map, bool media, const struct sip_ap *in,
			const struct sip_ap *out, enum sip_transport transport)
{
	struct testmap_map *old = testmap_find_out(map, out);

	if (old && !sip_ap_equal(&old->in, in))
		return false;
	if (old && (!old->transport || old->transport == testmap_wire(transport)))
		return true;
	if (map->n_maps == TESTMAP_MAPS) {
		memmove(map->map, map->map + TESTMAP_LEAVE, (TESTMAP_MAPS - TESTMAP_LEAVE) *
			sizeof(map->map[0]));
		map->n_maps -= TESTMAP_LEAVE;
	}
	map->map[map->n_maps].media = media;
	map->map[map->n_maps].transport = testmap_wire(transport);
	map->map[map->n_maps].in = *in;
	map->map[map->n_maps].out = *out;
	map->n_maps++;
	return true;
}

/**
 * testmap_add() - a mapping that was there before
 * @map: the map
 * @media: of media, else of signalling
 * @in: inside pair
 * @out: outside pair
 *
 * Return: false if the outside pair is somebody else's.
 */
bool testmap_add(struct testmap *map, bool media, const struct sip_ap *in,
		 const struct sip_ap *out)
{
	return testmap_put(map, media, in, out, SIP_T_NONE);
}

/* The outside pair of an inside one; made if need be, even shifts keep parity. */
static enum sip_reason testmap_map(struct testmap *map, const struct sip_ap *in,
				   const struct sip_ip *ip, enum sip_transport transport,
				   struct sip_ap *out)
{
	bool media = transport == SIP_T_NONE;
	struct testmap_map *old = testmap_find_in(map, in, ip, media, transport);
	u32 tries;

	if (old) {
		*out = old->out;
		return SIP_R_OK;
	}
	out->ip = *ip;
	out->port = (u16)(in->port + map->shift);
	if (sip_ap_equal(in, &map->ctx.snd.real))
		out->port = map->ctx.snd.seen.port;
	for (tries = 0; tries < 1000; tries++, out->port = (u16)(out->port + 2))
		if (out->port >= 1024 && testmap_put(map, media, in, out, transport))
			return SIP_R_OK;
	return SIP_R_NO_PORT;
}

static enum sip_reason testmap_public(struct testmap *map, const struct sip_map_query *q,
				      struct sip_ap *seen)
{
	struct testmap_map *old = testmap_find_out(map, &q->ap);
	struct sip_ap in = map->ctx.snd.real;

	*seen = q->ap;
	if (old)
		return sip_ip_equal(&old->in.ip, &in.ip) ? SIP_R_OK : SIP_R_TAKEN;
	if (!sip_ap_equal(&q->ap, &map->ctx.snd.seen))
		in.port = q->ap.port;
	return testmap_put(map, false, &in, &q->ap, q->transport) ? SIP_R_OK : SIP_R_NO_PORT;
}

static enum sip_reason testmap_op_map(void *priv, const struct sip_map_query *q,
				      struct sip_ap *seen)
{
	struct testmap *map = priv;
	const struct testmap_map *old;

	map->asked++;
	if (map->fail)
		return map->fail;
	if (q->ap.port < 1024)
		return SIP_R_LOW_PORT;
	if (q->public)
		return testmap_public(map, q, seen);
	if (!sip_ip_equal(&q->ap.ip, &map->ctx.snd.real.ip))
		return SIP_R_FOREIGN_ADDR;
	if (!q->own_only)
		return testmap_map(map, &q->ap, &map->ctx.snd.seen.ip, q->transport, seen);
	old = testmap_find_in(map, &q->ap, &map->ctx.snd.seen.ip, false, q->transport);
	if (!old)
		return SIP_R_FOREIGN_ADDR;
	*seen = old->out;
	return SIP_R_OK;
}

static enum sip_reason testmap_op_map_media(void *priv, const struct sip_media_query *q,
					    struct sip_media_answer *a)
{
	struct testmap *map = priv;
	const struct sip_ip *out = &map->ctx.snd.seen.ip;
	struct sip_ap rtcp = q->rtcp;
	struct sip_ap rtp = q->rtp;
	enum sip_reason reason;
	u16 i;

	map->asked++;
	memset(a, 0, sizeof(*a));
	if (map->fail)
		return map->fail;
	if (q->public) {
		a->rtp = q->rtp;
		a->rtcp = q->rtcp;
		rtp.ip = map->ctx.snd.real.ip;
		return testmap_add(map, true, &rtp, &q->rtp) ? SIP_R_OK : SIP_R_TAKEN;
	}
	if (!q->self && !sip_ip_is_private(&q->rtp.ip))
		return SIP_R_FOREIGN_ADDR;
	if (!q->self && !map->media_host)
		return SIP_R_OTHER_HOST;
	if (rtp.ip.family != out->family) {
		a->rtp = q->rtp;
		a->rtcp = q->rtcp;
		return SIP_R_OK;
	}
	if (q->existing_only && !testmap_find_in(map, &q->rtp, out, true, SIP_T_NONE))
		return SIP_R_FOREIGN_ADDR;
	for (i = 0; i < q->count; i++, rtp.port = (u16)(rtp.port + 2)) {
		struct sip_ap seen;

		reason = testmap_map(map, &rtp, out, SIP_T_NONE, &seen);
		if (reason)
			return reason;
		if (!i)
			a->rtp = seen;
	}
	if (!rtcp.port || (q->existing_only && !testmap_find_in(map, &rtcp, out, true,
								    SIP_T_NONE)))
		return SIP_R_OK;
	return testmap_map(map, &rtcp, out, SIP_T_NONE, &a->rtcp);
}

static enum sip_reason testmap_op_unmap_media(void *priv, const struct sip_ap *seen,
					      struct sip_ap *real)
{
	struct testmap *map = priv;
	const struct testmap_map *old = testmap_find_out(map, seen);

	map->asked++;
	if (map->fail)
		return map->fail;
	if (!old || !old->media || !sip_ip_equal(&old->in.ip, &map->ctx.rcv.real.ip))
		return SIP_R_FOREIGN_ADDR;
	*real = old->in;
	return SIP_R_OK;
}

/* ---- memory ------------------------------------------------------------- */

static void testmap_text(u8 *to, u32 *to_len, const u8 *text, u32 len)
{
	*to_len = len < TESTMAP_TEXT ? len : TESTMAP_TEXT;
	if (*to_len)
		memcpy(to, text, *to_len);
}

static bool testmap_text_is(const u8 *a, u32 a_len, const u8 *text, u32 len)
{
	len = len < TESTMAP_TEXT ? len : TESTMAP_TEXT;
	return a_len == len && !memcmp(a, text, len);
}

static struct testmap_mem *testmap_mem_new(struct testmap *map)
{
	if (map->n_mems == TESTMAP_MEMS) {
		memmove(map->mem, map->mem + TESTMAP_LEAVE, (TESTMAP_MEMS - TESTMAP_LEAVE) *
			sizeof(map->mem[0]));
		map->n_mems -= TESTMAP_LEAVE;
	}
	memset(&map->mem[map->n_mems], 0, sizeof(map->mem[0]));
	return &map->mem[map->n_mems++];
}

static const struct testmap_mem *testmap_mem_find(struct testmap *map,
						  const struct sip_unmap_query *q)
{
	const struct testmap_mem *best = NULL;
	u32 best_rank = 0;
	u32 i;

	for (i = 0; i < map->n_mems; i++) {
		const struct testmap_mem *mem = &map->mem[i];
		const struct sip_msg *msg = map->msg;
		struct sip_mem view = {
			.kind = mem->kind,
			.field = mem->field,
			.mapped = mem->mapped,
			.user = mem->user,
			.user_len = mem->user_len,
		};
		u32 rank;

		if (!sip_ap_equal(&mem->key, &q->ap) ||
		    !sip_ip_equal(&mem->inside, &map->ctx.rcv.real.ip))
			continue;
		view.this_dialog = mem->call_len && msg &&
				   testmap_text_is(mem->call, mem->call_len,
						   msg->buf + msg->call_id.off, msg->call_id.len);
		view.same_branch = mem->branch_len &&
				   testmap_text_is(mem->branch, mem->branch_len, q->branch,
						   q->branch_len);
		view.sender_is_peer = sip_ip_equal(&mem->peer, &map->ctx.snd.seen.ip);
		rank = sip_unmap_rank(q, &view);
		if (rank && rank >= best_rank) {
			best = mem;
			best_rank = rank;
		}
	}
	return best;
}

/* RFC 3261 9.1, 17.1.1.3: CANCEL and ACK to an error get what the INVITE got. */
static void testmap_remember_ruri(struct testmap *map, const struct sip_unmap_query *q,
				  const struct testmap_mem *from)
{
	struct testmap_mem *mem;
	struct testmap_mem copy = { .kind = SIP_MEM_TRANSACTION };

	if (q->method != SIP_M_INVITE || !q->branch_len)
		return;
	if (from)
		copy.written = from->written;
	mem = testmap_mem_new(map);
	mem->kind = SIP_MEM_TRANSACTION;
	mem->field = SIP_F_RURI;
	mem->mapped = from && from->mapped;
	mem->inside = map->ctx.rcv.real.ip;
	mem->key = q->ap;
	mem->written = copy.written;
	testmap_text(mem->user, &mem->user_len, q->user, q->user_len);
	testmap_text(mem->branch, &mem->branch_len, q->branch, q->branch_len);
}

static enum sip_reason testmap_op_unmap(void *priv, const struct sip_unmap_query *q,
					struct sip_written *written)
{
	struct testmap *map = priv;
	const struct testmap_mem *mem;
	bool mapped;

	map->asked++;
	if (map->fail)
		return map->fail;
	mem = testmap_mem_find(map, q);
	mapped = mem && mem->mapped;
	if (mapped)
		*written = mem->written;
	if (q->field == SIP_F_RURI && (!mem || mem->kind != SIP_MEM_TRANSACTION))
		testmap_remember_ruri(map, q, mem);
	return mapped ? SIP_R_OK : SIP_R_FOREIGN_ADDR;
}

static enum sip_mem_kind testmap_kind(const struct sip_msg *msg, enum sip_field field)
{
	if (field == SIP_F_VIA_SENT_BY || field == SIP_F_VIA_MADDR)
		return SIP_MEM_SENT_BY;
	if (msg->method == SIP_M_REGISTER)
		return SIP_MEM_REGISTRATION;
	return msg->method == SIP_M_SUBSCRIBE ? SIP_MEM_SUBSCRIPTION : SIP_MEM_DIALOG;
}

/**
 * testmap_learn() - remember the facts of a plan
 * @map: the map, with the ends of the message
 * @msg: the message
 * @plan: its plan, not refused
 */
void testmap_learn(struct testmap *map, const struct sip_msg *msg, const struct sip_plan *plan)
{
	u32 i;

	for (i = 0; i < plan->n_addrs; i++) {
		const struct sip_addr_fact *fact = &plan->addr[i];
		struct testmap_mem *mem;

		if (fact->star || !map->ctx.snd.inside)
			continue;
		mem = testmap_mem_new(map);
		mem->kind = testmap_kind(msg, (enum sip_field)fact->field);
		mem->field = (enum sip_field)fact->field;
		mem->mapped = fact->mapped;
		mem->inside = map->ctx.snd.real.ip;
		mem->key = fact->seen;
		mem->peer = map->ctx.rcv.real.ip;
		mem->written = fact->written;
		testmap_text(mem->user, &mem->user_len, msg->buf + fact->user.off,
			     fact->user.len);
		testmap_text(mem->call, &mem->call_len, msg->buf + msg->call_id.off,
			     msg->call_id.len);
		testmap_text(mem->branch, &mem->branch_len, msg->buf + msg->via.branch.off,
			     msg->via.branch.len);
		if (fact->field == SIP_F_CONTACT && fact->ours)
			testmap_put(map, false, &fact->real, &fact->seen, fact->transport);
	}
}

/**
 * testmap_plan() - plan a message, and remember its facts
 * @map: the map, with the ends of the message
 * @msg: the message
 * @plan: filled in
 *
 * Return: as sip_plan_make().
 */
enum sip_reason testmap_plan(struct testmap *map, const struct sip_msg *msg,
			     struct sip_plan *plan)
{
	enum sip_reason reason;

	map->msg = msg;
	reason = sip_plan_make(plan, msg, &map->ctx);
	if (!reason)
		testmap_learn(map, msg, plan);
	return reason;
}

/**
 * testmap_register() - a live registration
 * @map: the map, with the inside host as the receiver of what comes
 * @user: user part of the Contact
 * @host: its host as written
 * @port: its port as written, "" for none
 * @out: the outside pair it was mapped to
 * @peer: the registrar
 */
void testmap_register(struct testmap *map, const char *user, const char *host, const char *port,
		      const struct sip_ap *out, const struct sip_ap *peer)
{
	struct testmap_mem *mem = testmap_mem_new(map);
	struct sip_ap in;

	mem->kind = SIP_MEM_REGISTRATION;
	mem->field = SIP_F_CONTACT;
	mem->mapped = true;
	mem->key = *out;
	mem->peer = peer->ip;
	mem->written.host_len = (u8)strlen(host);
	mem->written.port_len = (u8)strlen(port);
	memcpy(mem->written.text, host, strlen(host));
	memcpy(mem->written.text + strlen(host), port, strlen(port));
	testmap_text(mem->user, &mem->user_len, (const u8 *)user, (u32)strlen(user));
	if (!sip_ip_parse((const u8 *)host, (u32)strlen(host), &mem->inside))
		abort();
	in.ip = mem->inside;
	in.port = *port ? (u16)atoi(port) : 5060;
	testmap_add(map, false, &in, out);
}

/**
 * testmap_ap() - read an address and port of a test
 * @text: "192.0.2.1:5060", "2001:db8::1", "[2001:db8::1]:5060"
 * @ap: filled in; without a port 5060
 *
 * Return: false if it is none.
 */
bool testmap_ap(const char *text, struct sip_ap *ap)
{
	char host[64];
	const char *end = text + strlen(text);
	const char *port = NULL;

	memset(ap, 0, sizeof(*ap));
	if (*text == '[') {
		text++;
		end = strchr(text, ']');
		if (!end)
			return false;
		port = end[1] == ':' ? end + 2 : NULL;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		end = strchr(text, ':');
		port = end + 1;
	}
	if ((size_t)(end - text) >= sizeof(host))
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = 0;
	ap->port = port ? (u16)atoi(port) : 5060;
	/* Not the core's own reader: a test must not agree with itself. */
	if (inet_pton(AF_INET, host, ap->ip.b) == 1)
		ap->ip.family = SIP_AF_IP4;
	else if (inet_pton(AF_INET6, host, ap->ip.b) == 1)
		ap->ip.family = SIP_AF_IP6;
	return ap->ip.family != SIP_AF_NONE;
}

const struct sip_map_ops testmap_ops = {
	.map = testmap_op_map,
	.unmap = testmap_op_unmap,
	.map_media = testmap_op_map_media,
	.unmap_media = testmap_op_unmap_media,
};
