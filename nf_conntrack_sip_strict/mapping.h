/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mapping.h - what the parts of the mapping table offer each other.
 *
 * mapping.c has the tables and the users, ports.c the ports, entry.c the
 * connections made from a mapping and their end, admit.c who may send,
 * attach.c ties a new connection to its mapping, hooks.c calls that for
 * packets, expect.c shows mappings as expectations. What the rest of the
 * module sees of them is in sip_strict.h.
 */
#ifndef SIP_STRICT_MAPPING_H
#define SIP_STRICT_MAPPING_H

#include "sip_strict.h"

/**
 * struct sip_strict_kill - a connection or an expectation that has to end
 * @node: in a struct sip_strict_reap, then in sn->reaped
 * @late: in sn->reaped_late
 * @due: when it is ended for the last time
 * @tuple, @zone: original tuple of the connection, and its zone
 * @in, @out: pairs of its mapping: what the entry must be like to be ours
 * @inside_first: opened from inside
 * @exp: an expectation of which this owns a reference; NULL: a connection
 *
 * First member of what is allocated, so that it can be freed as that.
 */
struct sip_strict_kill {
	struct llist_node node;
	struct list_head late;
	unsigned long due;
	struct nf_conntrack_tuple tuple;
	struct nf_conntrack_zone zone;
	struct sip_strict_end in;
	struct sip_strict_end out;
	bool inside_first;
	struct nf_conntrack_expect *exp;
};

enum sip_strict_by {
	SIP_STRICT_BY_PEER, /* admitted, or addressed, by its address */
	SIP_STRICT_BY_HAIRPIN, /* an inside host */
	SIP_STRICT_BY_EARLY, /* one that no mapping names, so far */
	SIP_STRICT_BY_ICE, /* from outside, by a connectivity check */
};

/**
 * struct sip_strict_entry - a conntrack made from a mapping
 * @kill: its tuple; handed to the reap when it has to end
 * @early: in sn->early, as long as @way is SIP_STRICT_BY_EARLY
 * @remote: the far end of the connection
 * @seen: counters at the last look
 * @way: who is at the far end, and why that may
 */
struct sip_strict_entry {
	struct sip_strict_kill kill;
	struct hlist_node node;
	struct hlist_node early;
	struct sip_strict_end remote;
	struct sip_strict_tally seen;
	enum sip_strict_by way;
};

/**
 * struct sip_strict_guest - who asks to be let in, and with what first packet
 * @ip: its address, as the far side knows it
 * @inside: it is an inside host
 * @genuine: the packet is RTP, RTCP or STUN
 * @ufrag: hash of the username fragment that an ICE check is for, 0: none
 * @by_ice: filled in: that is why it is let in
 */
struct sip_strict_guest {
	struct sip_ip ip;
	bool inside;
	bool genuine;
	bool by_ice;
	u64 ufrag;
};

/* An expectation lives for a day unless it is renewed. */
#define SIP_STRICT_PUB_LIFE (24 * 3600) /* seconds */
#define SIP_STRICT_PUB_RENEW (6UL * 3600 * HZ)

/**
 * struct sip_strict_pub - a published expectation
 * @kill: withdraws it
 * @stamp: when its lifetime was last set
 */
struct sip_strict_pub {
	struct sip_strict_kill kill;
	unsigned long stamp;
};

/**
 * struct sip_strict_traffic - what has happened at a mapping
 * @map: the mapping
 * @list: in sn->traffic_list
 * @queue: in sn->expect_queue or expect_waits, or none
 * @entries: struct sip_strict_entry, the conntracks made from it, newest first
 * @n_entries: how many
 * @done: counters of entries that are no more
 * @moved: jiffies of a new connection, or the look that last found new packets; 0: none
 * @pub: the published expectation (expect.c), NULL: none
 * @latched: source that media_peer latched; family 0: none
 * @offloaded: an entry was seen in a flowtable
 * @refused: packets from sources that were not admitted
 *
 * Apart from the mapping, for most of the ports that calls reserve never see any.
 */
struct sip_strict_traffic {
	struct sip_strict_map *map;
	struct list_head list;
	struct list_head queue;
	struct hlist_head entries;
	struct sip_strict_tally done;
	unsigned long moved;
	struct sip_strict_pub *pub;
	struct sip_ip latched;
	bool offloaded;
	u32 refused;
	u32 n_entries;
};

/**
 * struct sip_strict_loose - a use that only time ends
 * @use: the use
 * @until: when it goes
 * @peer: whom the message went to
 */
struct sip_strict_loose {
	struct sip_strict_use use;
	unsigned long until;
	struct sip_ip peer;
};

static inline struct sip_strict_loose *sip_strict_use_loose_of(const struct sip_strict_use *use)
{
	return container_of(use, struct sip_strict_loose, use);
}

/* Is the far end an inside host? */
static inline bool sip_strict_entry_is_hairpin(const struct sip_strict_entry *entry)
{
	return entry->way == SIP_STRICT_BY_HAIRPIN || entry->way == SIP_STRICT_BY_EARLY;
}

static_assert(!offsetof(struct sip_strict_entry, kill));
static_assert(!offsetof(struct sip_strict_pub, kill));
static_assert(!offsetof(struct sip_strict_loose, use));

/* Source or destination of a tuple as a table key. */
static inline void sip_strict_end_of(struct sip_strict_end *end, const struct nf_conn *ct,
				     enum ip_conntrack_dir dir, bool dst)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[dir].tuple;

	memset(end, 0, sizeof(*end));
	end->addr = dst ? tuple->dst.u3 : tuple->src.u3;
	end->port = dst ? tuple->dst.u.all : tuple->src.u.all;
	end->l3num = tuple->src.l3num;
	end->proto = tuple->dst.protonum;
	end->zone = nf_ct_zone_id(nf_ct_zone(ct), dir);
}

static inline bool sip_strict_end_equal(const struct sip_strict_end *a,
					const struct sip_strict_end *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* mapping.c: look-ups under RCU alone; what they find may be closed just now. */
struct rhlist_head *sip_strict_map_list_in(struct sip_strict_net *sn,
					   const struct sip_strict_end *in);
struct sip_strict_map *sip_strict_map_live_out(struct sip_strict_net *sn,
					       const struct sip_strict_end *out);
struct sip_strict_map *sip_strict_map_live_in(struct sip_strict_net *sn,
					      const struct sip_strict_end *in);
bool sip_strict_use_is_open(const struct sip_strict_use *use);
struct sip_strict_traffic *sip_strict_traffic_get(struct sip_strict_net *sn,
						  struct sip_strict_map *map);

/* ports.c */
bool sip_strict_port_arm(struct sip_strict_net *sn, __be16 port);
void sip_strict_port_disarm(struct sip_strict_net *sn, __be16 port);
bool sip_strict_port_take(struct sip_strict_net *sn, const struct sip_strict_end *out);
void sip_strict_port_give(struct sip_strict_net *sn, const struct sip_strict_end *out);
void sip_strict_ports_exit(struct sip_strict_net *sn);

/* Is some mapping's pair at this port? The first test of the packet hooks. */
static inline bool sip_strict_port_is_armed(const struct sip_strict_net *sn, __be16 port)
{
	u16 p = ntohs(port);
	const u16 *page = rcu_dereference(sn->armed[p >> 8]);

	return page && READ_ONCE(page[p & 0xff]);
}

/* entry.c */
void sip_strict_reap_init(struct sip_strict_net *sn);
void sip_strict_reap_exit(struct sip_strict_net *sn);
struct sip_strict_entry *sip_strict_entry_find(struct sip_strict_map *map,
					       const struct nf_conntrack_tuple *tuple);
bool sip_strict_entry_add(struct sip_strict_net *sn, struct sip_strict_map *map,
			  const struct nf_conn *ct, bool inside_first,
			  enum sip_strict_by way, struct sip_strict_reap *reap);
void sip_strict_entry_end(struct sip_strict_net *sn, struct sip_strict_map *map,
			  struct sip_strict_entry *entry, struct sip_strict_reap *reap);
void sip_strict_entry_end_from(struct sip_strict_net *sn, struct sip_strict_map *map,
			       const struct sip_ip *ip, struct sip_strict_reap *reap);
void sip_strict_entries_end(struct sip_strict_net *sn, struct sip_strict_map *map,
			    struct sip_strict_reap *reap);
bool sip_strict_entries_look(struct sip_strict_net *sn, struct sip_strict_map *map);

/* admit.c: all under sn->lock */
bool sip_strict_map_has_peer(const struct sip_strict_net *sn, const struct sip_strict_map *map,
			     const struct sip_ip *ip);
bool sip_strict_map_admits(struct sip_strict_net *sn, struct sip_strict_map *map,
			   struct sip_strict_guest *guest, struct sip_strict_reap *reap);
void sip_strict_map_prune(struct sip_strict_net *sn, struct sip_strict_map *map,
			  struct sip_strict_reap *reap);

/* flow.c */

/* Flows without our helper, by the port of their server; see sn->lost. */
static inline u32 sip_strict_lost_bit(const struct nf_conn *ct)
{
	return ntohs(ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u.all) % SIP_STRICT_LOST_BITS;
}

struct nf_conn *sip_strict_map_master(const struct sip_strict_map *map);
bool sip_strict_flow_is_known(struct sip_strict_net *sn, const struct nf_conn *ct);
int sip_strict_flow_net_init(struct sip_strict_net *sn);
void sip_strict_flow_net_exit(struct sip_strict_net *sn);

/* hooks.c */
int sip_strict_protoff(const struct sk_buff *skb, u8 l3num, u8 proto);

/* attach.c: verdicts */
unsigned int sip_strict_attach(struct sip_strict_net *sn, struct sk_buff *skb,
			       const struct nf_hook_state *state, struct nf_conn *ct);
unsigned int sip_strict_attach_older(struct sip_strict_net *sn, struct sk_buff *skb,
				     const struct nf_hook_state *state, struct nf_conn *ct,
				     bool reply);
unsigned int sip_strict_attach_source(struct sip_strict_net *sn, struct sk_buff *skb,
				      const struct nf_hook_state *state, struct nf_conn *ct,
				      enum ip_conntrack_info ctinfo);

/* expect.c */
void sip_strict_expect_queue(struct sip_strict_net *sn, struct sip_strict_map *map);
void sip_strict_expect_unqueue(struct sip_strict_net *sn, struct sip_strict_map *map,
			       struct sip_strict_reap *reap);
void sip_strict_expect_kick(struct sip_strict_net *sn);
void sip_strict_expect_net_init(struct sip_strict_net *sn);
void sip_strict_expect_end(struct sip_strict_kill *kill);

#endif /* SIP_STRICT_MAPPING_H */
