/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sip_strict.h - the objects of the glue and who owns them.
 *
 * One message, end to end:
 *
 *   hooks.c (POST_ROUTING/LOCAL_IN 300) -> work.c (datagram -> message)
 *     -> core: parse -> dialog.c/registration.c: whose is it?
 *     -> core: plan, asking addrmap.c, which asks mapping.c and memory.c
 *     -> dialog.c/registration.c learn from the plan -> edit_skb.c applies it
 *
 * of a stream: hooks.c -> tcp.c -> core/stream.c, which holds segments until a
 * message is whole -> work.c, as above -> segment.c sends it on
 *
 * and one media packet: hooks.c (PRE_ROUTING/LOCAL_OUT -199) -> attach.c.
 *
 * Locking. sip_strict_net.lock (spin_lock_bh) serialises every change of the
 * tables of a namespace, and all reading and learning of a message. Look-ups
 * of mappings by the packet hooks run under RCU and recheck under the lock
 * where they depend on more than the key. Never under the lock: okfn, killing
 * a conntrack, the expectation lock. What has to be killed is moved to a list
 * (struct sip_strict_reap) under the lock and ended after it. A TCP connection
 * has a lock of its own, outside of the CPU's work lock, which is outside of
 * sn->lock (tcp.c).
 *
 * References. A flow record owns one reference on its conntrack, and so does a
 * TCP connection; mappings and calls own references on flow records. Nothing that
 * is reached from a conntrack owns a reference on it.
 */
#ifndef SIP_STRICT_H
#define SIP_STRICT_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/seqlock.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "compat.h"
#include "core/match.h"
#include "core/seqmap.h"
#include "stats.h"

#define SIP_STRICT_NAME "sip-strict"
#define SIP_STRICT_OBSERVE_NAME "sip-observe"

/* RFC 3261 table 4: Timer B, F, H, J are 64 * T1; an ended thing is kept so long. */
#define SIP_STRICT_LINGER (32 * HZ)
#define SIP_STRICT_ENDED_SHARE 8 /* what is over may be one of so many of dialog_max */
#define SIP_STRICT_LOW_PORT 1024
#define SIP_STRICT_EARLY_HEADS 256 /* of connections that came before their mapping */
#define SIP_STRICT_ASKED_HEADS 1024 /* of registrations and subscriptions; a power of 2 */
#define SIP_STRICT_MAX_ENTRIES 8 /* live conntracks of one mapping, for each use of it */
#define SIP_STRICT_CONTACT_ENTRIES 256u /* of a Contact's mapping, whatever uses it has */
#define SIP_STRICT_POOL_HASH 64 /* buckets for outside addresses */
#define SIP_STRICT_LOST_BITS 1024
#define SIP_STRICT_MAP_LOOSE 256u /* loose uses of one mapping */
#define SIP_STRICT_LOOSE_SPARE 256u /* loose uses above host_max, or dialog_max */
#define SIP_STRICT_KNOWN_BITS 8192
#define SIP_STRICT_MAX_LEGS 12
#define SIP_STRICT_MAX_TXNS 16
#define SIP_STRICT_MAX_PEERS 24 /* addresses of one call */
#define SIP_STRICT_SUB_PEERS 4 /* addresses of one subscription, besides its peer's */
#define SIP_STRICT_MAX_USES 48 /* ports of one call */
#define SIP_STRICT_CALLID_SHOWN 96
#define SIP_STRICT_USER_KEPT 64 /* bytes of a user part that are compared */
#define SIP_STRICT_NO_MLINE 0xff

/* Expectation classes, in the order of the helpers' policies. */
#define SIP_STRICT_CLASS_SIGNALLING 0
#define SIP_STRICT_CLASS_AUDIO 1
#define SIP_STRICT_CLASS_VIDEO 2
#define SIP_STRICT_CLASS_OTHER 3

enum sip_strict_mode {
	SIP_STRICT_OFF,
	SIP_STRICT_STRICT,
	SIP_STRICT_OBSERVE,
};

/**
 * struct sip_strict_conf - the sysctls of a namespace
 *
 * Plain ints are read with READ_ONCE(); the addresses under @addr_lock.
 */
struct sip_strict_conf {
	int mode;
	int auto_assign;
	int media_peer;
	int publish_expect;
	int media_host;
	int signalling_peer;
	int media_port_keep;
	int media_port_min;
	int media_port_max;
	int dialog_max;
	int host_max;
	int dialog_timeout;
	int ring_timeout;
	int expires_max;
	int tcp_hold_max;
	int tcp_hold_time;
	int dead_call_timeout;
	int drop_malformed;
	seqlock_t addr_lock;
	struct sip_ip external_addr4;
	struct sip_ip external_addr6;
	struct sip_ip own_addr4; /* what external_addr4 was last said for */
	struct sip_ip own_addr6;
};

/* Seconds of a sysctl in jiffies, bounded so that time_after() still tells past from future. */
static inline unsigned long sip_strict_ticks(u32 seconds)
{
	return min_t(u64, (u64)seconds * HZ, MAX_JIFFY_OFFSET);
}

/**
 * struct sip_strict_net - everything of one network namespace
 * @lock: see the head of this file
 * @calls: struct sip_strict_call by sip_strict_call_key
 * @regs: struct sip_strict_reg by contact (rhltable)
 * @asked: the same by the Call-ID of their newest request
 * @mems: struct sip_strict_mem by what was put outside (rhltable), but those of a
 *	Request-URI, which their calls alone have
 * @map_in, @map_out: struct sip_strict_map by inside / outside pair (rhltables:
 *	one inside pair may have several outside ones, and one outside pair is
 *	unique but for its zone, which is in the key)
 * @flows: struct sip_strict_flow by conntrack pointer
 * @armed: number of mappings per port, inside and outside ones together, in
 *	pages made on demand: the first test of the packet hooks
 * @pools: outside addresses with a bitmap of taken ports, hashed (ports.c)
 * @traffic_list: of the mappings that have any; those looked at longest ago first
 * @expect_queue: traffic of mappings whose published expectation is to be made or renewed
 * @expect_waits: those that cannot be yet, while the others are
 * @expect_work: publishes them
 * @expect_pause: jiffies before which it does not start again: some of them wait
 * @reaped: what was ended, to be ended again after a grace period, and later
 * @early: struct sip_strict_entry whose far end may get a mapping, by that pair
 * @lost: one bit per hash of the server port of a flow without our helper: the
 *	test for flows that lost it
 * @known: one bit per hash of an address that signals in some call, or is a peer of
 *	some registration or loose use: one whose bit is not set is in none (admit.c)
 * @call_list, @reg_list: for the sweep and proc
 * @ringing: calls that may be evicted as long as they are early, oldest first
 * @ended_list: calls that are over and remembered, in the order of their end
 * @regs_ended: subscriptions likewise
 * @sweep: once a second while there is anything
 * @n_*: entries, for limits and proc
 */
struct sip_strict_net {
	struct net *net;
	struct sip_strict_conf conf;
	struct sip_strict_stats __percpu *stats;
	spinlock_t lock; /* the tables and lists below */
	struct rhashtable calls;
	struct rhltable regs;
	struct hlist_head asked[SIP_STRICT_ASKED_HEADS];
	struct rhltable mems;
	struct rhltable map_in;
	struct rhltable map_out;
	struct rhashtable flows;
	u16 __rcu *armed[256];
	struct hlist_head pools[SIP_STRICT_POOL_HASH];
	u32 n_pools;
	struct list_head traffic_list;
	struct list_head expect_queue;
	struct list_head expect_waits;
	struct delayed_work expect_work;
	unsigned long expect_pause;
	struct llist_head reaped;
	struct list_head reaped_late; /* of reap_work alone */
	struct delayed_work reap_work;
	struct hlist_head early[SIP_STRICT_EARLY_HEADS];
	unsigned long lost[BITS_TO_LONGS(SIP_STRICT_LOST_BITS)];
	unsigned long known[BITS_TO_LONGS(SIP_STRICT_KNOWN_BITS)];
	u64 map_id; /* of the newest mapping */
	struct list_head call_list;
	struct list_head ringing;
	struct list_head ended_list;
	struct list_head reg_list;
	struct list_head regs_ended;
	struct list_head flow_list;
	struct list_head mem_list; /* sent-by memories, oldest first: they expire in order */
	struct list_head loose_uses; /* uses that only time ends (until), oldest first */
	u32 n_loose_uses;
	struct rhashtable hosts; /* struct sip_strict_host: entries per host, for host_max */
	struct delayed_work sweep;
	u32 n_calls;
	u32 n_ended;
	u32 n_regs;
	u32 n_regs_ended;
	u32 n_maps;
	u32 n_traffic; /* in traffic_list */
	u32 n_mems;
	u32 n_loose_mems; /* of them in mem_list */
	u32 n_flows;
	u32 n_published;
	struct rhashtable tcps; /* struct sip_strict_tcp by conntrack */
	struct list_head tcp_list; /* all of them */
	spinlock_t tcp_lock; /* tcp_list; inside of a connection's lock, or alone */
	bool leaving; /* namespace or module goes away: nothing new */
	bool conntrack_on; /* we hold nf_ct_netns_get(), under sysctl mutex */
	struct ctl_table_header *sysctl;
	struct ctl_table *sysctl_table;
	struct list_head conf_list; /* all namespaces, under sysctl mutex */
};

extern unsigned int sip_strict_net_id;

static inline struct sip_strict_net *sip_strict_pernet(const struct net *net)
{
	return net_generic(net, sip_strict_net_id);
}

/* ---- addresses ---------------------------------------------------------- */

/**
 * struct sip_strict_end - an address and port in a conntrack zone: a table key
 *
 * Filled whole, padding included, before it is hashed.
 */
struct sip_strict_end {
	union nf_inet_addr addr;
	__be16 port;
	u16 zone; /* id, of the direction of the tuple it comes from */
	u8 l3num; /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	u8 proto; /* IPPROTO_UDP or IPPROTO_TCP */
	u8 pad[2];
};

void sip_strict_end_set(struct sip_strict_end *end, const struct sip_ap *ap, u8 proto, u16 zone);

/* The same address, port and protocol, in whatever zones? */
static inline bool sip_strict_end_same(const struct sip_strict_end *a,
				       const struct sip_strict_end *b)
{
	return a->port == b->port && a->proto == b->proto && a->l3num == b->l3num &&
	       !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

void sip_strict_ap_from_end(struct sip_ap *ap, const struct sip_strict_end *end);

/* ---- flow.c: signalling flows ------------------------------------------- */

/**
 * struct sip_strict_flow - a signalling flow that something depends on
 * @ct: referenced; dropped by the sweep when it is dying
 * @oif: device the outside end is reached by (0: not known yet)
 * @hashed: in sn->flows; the second record of one connection is not
 * @until: jiffies to which the UDP entry is kept (latest expiry on it)
 * @want: collected by the sweep
 */
struct sip_strict_flow {
	struct rhash_head node;
	struct list_head list;
	struct nf_conn *ct;
	int oif;
	bool fixed; /* IPS_FIXED_TIMEOUT is ours */
	bool hashed;
	unsigned long until;
	unsigned long want;
	refcount_t ref;
	struct rcu_head rcu;
};

/* All under sn->lock. get: finds or makes; NULL out of memory. */
struct sip_strict_flow *sip_strict_flow_get(struct sip_strict_net *sn, struct nf_conn *ct, int oif);
void sip_strict_flow_put(struct sip_strict_net *sn, struct sip_strict_flow *flow);
void sip_strict_flow_ct_put(struct nf_conn *ct); /* without sn->lock too */
/* Keep the entry at least until then (UDP: IPS_FIXED_TIMEOUT, + 180 s). */
void sip_strict_flow_keep(struct sip_strict_flow *flow, unsigned long until);
/* Sweep: begin sets want = 0 for all, users raise it, end applies or lets go. */
void sip_strict_flow_sweep_begin(struct sip_strict_net *sn);
void sip_strict_flow_sweep_end(struct sip_strict_net *sn);

/* ---- mapping.c: pinholes ------------------------------------------------ */

enum sip_strict_map_kind { SIP_STRICT_RTP, SIP_STRICT_RTCP, SIP_STRICT_CONTACT };

/**
 * struct sip_strict_tally - packets and bytes
 * @packets, @bytes: [0] from inside, [1] from outside
 */
struct sip_strict_tally {
	u64 packets[2];
	u64 bytes[2];
};

struct sip_strict_traffic;

/**
 * struct sip_strict_map - inside pair <-> outside pair, a pinhole
 * @in, @out: the pairs; equal without NAT
 * @live: it matches (an open use and not observing); READ_ONCE by the hooks
 * @nat: the pairs differ, or the flow is translated: set up NAT
 * @uses: struct sip_strict_use of calls, regs, @n_uses of them: admission looks at
 *	them
 * @traffic: what has happened there (mapping.h), made when something does; NULL: nothing
 * @flow: signalling flow it was learnt on: master, mark, egress
 */
struct sip_strict_map {
	struct rhlist_head node_in;
	struct rhlist_head node_out;
	struct sip_strict_end in;
	struct sip_strict_end out;
	union {
		struct list_head uses;
		struct rcu_head rcu; /* once it is dead */
	};
	struct sip_strict_traffic *traffic;
	struct sip_strict_flow *flow;
	u64 id; /* for trace and expectation lookup */
	u16 n_uses;
	u8 kind;
	u8 class; /* expectation class: audio, video, image/other, signalling */
	bool live;
	bool dead;
	bool nat;
};

/* Whose a use or a memory is; OF_TIME: nobody's, only time ends it. */
enum sip_strict_owner { SIP_STRICT_OF_TIME, SIP_STRICT_OF_CALL, SIP_STRICT_OF_REG };

/**
 * struct sip_strict_use - one user of a mapping
 * @call: its call, where it is a call's
 * @reg: its registration or subscription, where it is one's
 * @ufrag: hash of the inside's newest ICE username fragment, 0: no ICE
 * @sets: which descriptions of the call name it: open while not 0 (dialog.c)
 * @mlines: mask of the m= lines that name it in the newest description that does
 * @owner: enum sip_strict_owner
 */
struct sip_strict_use {
	struct list_head map_node;
	struct list_head owner_node;
	struct sip_strict_map *map;
	union {
		struct sip_strict_call *call;
		struct sip_strict_reg *reg;
	};
	u64 ufrag;
	u32 sets;
	u16 mlines;
	u8 owner;
	u8 agreed : 1; /* an answer took it: the verdict looks at it */
	u8 fresh : 1; /* made by the plan under way */
	u8 named : 1; /* by the description that is being marked */
	u8 observe : 1; /* never opens */
};

/* The first m= line that names it, for those who read; or SIP_STRICT_NO_MLINE. */
static inline u8 sip_strict_use_mline(const struct sip_strict_use *use)
{
	return use->mlines ? __ffs(use->mlines) : SIP_STRICT_NO_MLINE;
}

/* The call that uses it, or NULL. */
static inline struct sip_strict_call *sip_strict_use_call(const struct sip_strict_use *use)
{
	return use->owner == SIP_STRICT_OF_CALL ? use->call : NULL;
}

/**
 * struct sip_strict_reap - what to end after the lock is dropped
 * @kills: struct sip_strict_kill (mapping.h), with memory of their own
 */
struct sip_strict_reap {
	struct llist_head kills;
};

/*
 * mapping.c, all under sn->lock unless said otherwise.
 *
 * find_in: mapping of this inside pair with that outside address (address 0:
 * any); find_out: the mapping that owns an outside pair.
 */
struct sip_strict_map *sip_strict_map_find_in(struct sip_strict_net *sn,
					      const struct sip_strict_end *in,
					      const union nf_inet_addr *out_addr);
struct sip_strict_map *sip_strict_map_find_out(struct sip_strict_net *sn,
					       const struct sip_strict_end *out);
/*
 * Make a mapping of exactly these pairs, not live yet. ERR_PTR: -EBUSY, the
 * outside pair is another's; -ENOMEM.
 */
struct sip_strict_map *sip_strict_map_make(struct sip_strict_net *sn, u8 kind, u8 class,
					   const struct sip_strict_end *in,
					   const struct sip_strict_end *out, bool nat,
					   struct sip_strict_flow *flow);
/*
 * Choose count consecutive pairs (RTP, RTCP) on the outside address for the
 * inside port: its own number first (media_port_keep), else the range, parity
 * kept. pairs false: single ports. Answers the first port or 0. Cost does not
 * grow with the number of mappings.
 */
u16 sip_strict_port_choose(struct sip_strict_net *sn, const struct sip_strict_end *out,
			   u16 own, bool pairs, u16 count);
bool sip_strict_port_is_local(struct sip_strict_net *sn, const struct sip_strict_end *out, u16 n);
/* Uses: add returns NULL out of memory. put ends the mapping with its last use. */
struct sip_strict_use *sip_strict_use_add(struct sip_strict_map *map, struct sip_strict_call *call,
					  struct sip_strict_reg *reg, struct list_head *owner);
void sip_strict_use_put(struct sip_strict_net *sn, struct sip_strict_use *use,
			struct sip_strict_reap *reap);
/*
 * A use without owner, on sn->loose_uses, for SIP_STRICT_LINGER: the port of a
 * Via, or a Contact whose owner is not known yet. open: it opens the mapping.
 * One per mapping and peer: a second call refreshes it (and opens it, if asked to).
 * SIP_R_HOST_QUOTA or _NO_MEMORY: a mapping that nobody uses is gone.
 */
enum sip_reason sip_strict_use_loose(struct sip_strict_net *sn, struct sip_strict_map *map,
				     const struct sip_ip *peer, bool open,
				     struct sip_strict_reap *reap);
void sip_strict_use_sweep(struct sip_strict_net *sn, struct sip_strict_reap *reap);
/* End a mapping that has no use (does nothing where it has one). */
void sip_strict_map_unused(struct sip_strict_net *sn, struct sip_strict_map *map,
			   struct sip_strict_reap *reap);
/* Is this address the inside one of the mapping? */
bool sip_strict_map_is_of(const struct sip_strict_map *map, const struct sip_ip *inside);
/* Recompute live from the uses; a mapping that closes ends its entries. */
void sip_strict_map_update(struct sip_strict_net *sn, struct sip_strict_map *map,
			   struct sip_strict_reap *reap);
/**
 * struct sip_strict_count - what has happened at a mapping
 * @packets, @bytes: [0] from inside, [1] from outside
 * @moved: jiffies of a new connection, or the look that last found new packets; 0: none
 * @refused: packets from sources that were not admitted
 * @entries: connections that are remembered
 * @offloaded: one was seen in a flowtable
 * @published: an expectation shows it
 */
struct sip_strict_count {
	u64 packets[2];
	u64 bytes[2];
	unsigned long moved;
	u32 refused;
	u32 entries;
	bool offloaded;
	bool published;
};

void sip_strict_map_count(struct sip_strict_net *sn, struct sip_strict_map *map,
			  struct sip_strict_count *count);
/*
 * After the lock: kill what was collected, again after a grace period and 5 s,
 * and publish what went live.
 */
void sip_strict_reap_run(struct sip_strict_net *sn, struct sip_strict_reap *reap);

int sip_strict_mapping_net_init(struct sip_strict_net *sn);
void sip_strict_mapping_net_exit(struct sip_strict_net *sn);

/* ---- memory.c: what was written ----------------------------------------- */

/**
 * struct sip_strict_mem - what an inside host wrote, and what we made of it
 * @key: what stands outside (as mapped, or as written where it was kept)
 * @inside: address of the host
 * @kind, @field, @mapped: as struct sip_mem
 * @branch: hash of the branch, for sent-by and transaction memories
 * @call, @reg: its owner, if it has one (@owner: enum sip_strict_owner)
 * @stamp: jiffies when it was last written; the newest wins
 * @text: host, port, user
 */
struct sip_strict_mem {
	struct rhlist_head node;
	union {
		struct list_head list; /* sn->mem_list, or the owner's */
		struct rcu_head rcu; /* once it is on none */
	};
	struct sip_strict_end key;
	union {
		struct sip_strict_call *call;
		struct sip_strict_reg *reg;
	};
	u64 branch;
	unsigned long stamp;
	struct sip_ip inside;
	u8 owner : 2;
	u8 mapped : 1;
	u8 maddr : 1;
	u8 kind;
	u8 field;
	u8 host_len;
	u8 port_len;
	u8 user_len;
	u8 text[];
};

/* ---- beyond.c: others that translate or edit on the path ---------------- */

/**
 * struct sip_strict_beyond - what the newest answers say of the path outside
 * @nat: source that the far side saw, where it is not ours; family 0: it was
 * @alg: the Via came back as another one than went out
 */
struct sip_strict_beyond {
	struct sip_ip nat;
	bool alg;
};

/* ---- dialog.c ----------------------------------------------------------- */

struct sip_strict_call_key {
	u64 id[2]; /* two siphashes of the Call-ID */
	union nf_inet_addr inside;
	u16 zone;
	u8 l3num;
	u8 pad[5];
};

enum sip_strict_call_state {
	SIP_STRICT_CALL_NEW, /* the plan under way made it */
	SIP_STRICT_CALL_EARLY,
	SIP_STRICT_CALL_CONFIRMED,
	SIP_STRICT_CALL_ENDED, /* remembered, opens nothing */
};

/**
 * struct sip_strict_leg - a dialog: call + both tags
 * @inside_tag, @outside_tag: hashes; 0: not learnt
 * @bit: its bit in the set masks of uses and peers
 * @late: the offer stood in its 2xx: the ACK decides
 * @own_in, @own_out: an UPDATE or PRACK brought the inside's / outside's
 *	description since the INVITE
 */
struct sip_strict_leg {
	u64 inside_tag;
	u64 outside_tag;
	u32 bit;
	bool confirmed;
	bool dead;
	bool late;
	bool own_in;
	bool own_out;
	unsigned long expires; /* dead or losing legs: when it goes */
};

/**
 * struct sip_strict_txn - a transaction that may change the call
 * @bit: its bit in the set masks while it is open
 * @out: its request came from inside
 */
struct sip_strict_txn {
	u64 branch;
	u32 cseq;
	u32 bit;
	u8 method;
	bool out;
	bool initial; /* the INVITE that makes the call: no To tag */
	bool done;
	bool cancelled; /* CANCEL passed: 32 s to its final answer */
	bool late; /* the offer stands in the 2xx of each leg */
	bool inside_sdp;
	bool outside_sdp;
	u16 status;
	u64 inside_tag; /* of its leg; 0: all */
	u64 outside_tag;
	unsigned long expires;
};

/**
 * struct sip_strict_peer - an address of the other side
 * @media: set mask: descriptions that name it (media_peer)
 * @newest: of each leg: named by its newest description
 * @signalling: it has exchanged messages, or stands in Contact or Record-Route
 */
struct sip_strict_peer {
	struct sip_ip ip;
	bool signalling;
	u32 media;
	u32 newest;
};

/**
 * struct sip_strict_pair - what an ended call goes on writing for a port
 */
struct sip_strict_pair {
	struct sip_strict_end in;
	struct sip_strict_end out;
};

/**
 * struct sip_strict_call - a call of one inside host
 * @set_bits: bits of legs and transactions in use
 * @uses: media mappings; @mems: contacts and routes
 */
struct sip_strict_call {
	struct rhash_head node;
	struct list_head list; /* sn->call_list, oldest first, or sn->ended_list */
	union {
		struct list_head ringing; /* sn->ringing, or none */
		struct rcu_head rcu; /* once it is freed */
	};
	struct sip_strict_call_key key;
	struct sip_ap inside; /* signalling pair of the inside end */
	struct sip_ap outside; /* and of the outside end, of the first message */
	struct sip_ip far; /* of the outside end, of the newest answer */
	struct sip_strict_flow *flow;
	u8 state;
	bool outbound;
	bool emergency;
	bool observe;
	bool all_held; /* newest description holds every stream */
	bool far_zero; /* the outside's newest names 0.0.0.0 and nobody else */
	u8 n_legs;
	u8 n_txns;
	u8 n_peers;
	u8 n_uses;
	u16 held; /* mask of the m= lines that the newest description holds or refuses */
	u32 set_bits;
	struct list_head uses;
	struct list_head mems;
	struct sip_strict_leg *leg; /* own_leg, or what has grown from that */
	struct sip_strict_txn *txn;
	struct sip_strict_peer *peer; /* own_peer, likewise */
	unsigned long begun; /* jiffies */
	unsigned long answered;
	unsigned long active; /* last signalling or media */
	unsigned long expires;
	u32 session_expires; /* seconds, 0: none */
	u64 called; /* hash of the number that an outside caller dialled, 0: none */
	unsigned long sdp_seen; /* when the newest SDP of either side passed: latching window */
	struct sip_strict_pair *pair; /* once ended */
	u8 n_pairs;
	u8 verdict; /* enum sip_strict_verdict */
	struct sip_strict_beyond beyond;
	struct sip_strict_leg own_leg[1];
	struct sip_strict_peer own_peer[2];
	u8 id_len;
	u8 id[]; /* Call-ID as shown, cut at SIP_STRICT_CALLID_SHOWN */
};

/* ---- registration.c ----------------------------------------------------- */

enum sip_strict_reg_state {
	SIP_STRICT_REG_PENDING,
	SIP_STRICT_REG_LIVE,
	SIP_STRICT_REG_ENDED, /* of subscriptions: remembered, opens nothing */
};

/**
 * struct sip_strict_reg - a registered contact, or a subscription
 * @contact: the inside pair; @out: the outside pair it was mapped to
 * @peer: registrar or notifier address
 * @named: subscriptions: newest addresses that the far side's Contact and Record-Route
 *	named, in a ring; family 0: none. @n_named: how many ever
 * @aor: hash of the address-of-record (To of a REGISTER), or of the Call-ID of a
 *	subscription
 * @call_id, @cseq, @branch: of the request under way, or of the last one
 */
struct sip_strict_reg {
	struct rhlist_head node;
	struct hlist_node node_asked; /* sn->asked, from the first request on */
	struct list_head list;
	struct sip_strict_end contact;
	struct sip_ap out;
	struct sip_ip peer;
	struct sip_ip named[SIP_STRICT_SUB_PEERS];
	u32 n_named;
	u64 aor;
	u64 call_id;
	u64 branch;
	u32 cseq;
	u32 asked; /* seconds asked for in the request under way */
	u8 state;
	bool subscription;
	bool pending; /* a request is under way */
	struct sip_strict_flow *flow;
	struct list_head uses; /* at most one */
	struct list_head mems;
	unsigned long expires;
	unsigned long pending_until;
	struct sip_strict_beyond beyond;
	struct rcu_head rcu;
};

/**
 * struct sip_strict_host - how much one address holds (host_max)
 */
struct sip_strict_host {
	struct rhash_head node;
	struct sip_strict_end key; /* address and zone; port: 1 inside, 0 outside */
	u32 held;
	u32 loose; /* uses of mappings that only time ends */
	struct rcu_head rcu;
};

/* ---- work.c: one message at a time on each CPU -------------------------- */

/**
 * struct sip_strict_work - scratch for one message
 * @lock: held, BH off, while a message is in work on this CPU
 * @copy: the datagram as it came, while the skb is rewritten
 */
struct sip_strict_work {
	spinlock_t lock; /* everything below */
	struct sip_strict_net *sn;
	struct nf_conn *ct;
	enum ip_conntrack_dir dir;
	u8 l4proto;
	u16 zone; /* of the tuple that the inside end sends */
	u16 zone_out; /* of the one that addresses its outside pair */
	int from_dev; /* device that the message came in by, 0: made here */
	int to_dev; /* device that it leaves by, 0: it is for the gateway */
	int oif; /* device of the outside end, 0: not known */
	int iif;
	struct sk_buff *skb; /* the datagram */
	unsigned int protoff;
	struct sip_piece *piece; /* the message of a stream, edited */
	enum sip_strict_mode mode;
	struct sip_ctx ctx;
	struct sip_ap snd_out; /* outside pair of the sender as the conntrack has it */
	struct sip_ap rcv_out; /* the same of the receiver */
	bool ruri_asked; /* a Request-URI was asked for: remembered for CANCEL, ACK */
	bool ruri_ours;
	struct sip_ap ruri_ap;
	struct sip_written ruri_written;
	struct sip_strict_call *call_out; /* call of the sender, where it is inside */
	struct sip_strict_call *call_in; /* call of the receiver, where it is inside */
	struct sip_strict_flow *flow;
	struct sip_strict_reap reap;
	struct sip_msg msg;
	struct sip_plan plan;
	u8 copy[SIP_MAX_MSG + 1];
};

/* addrmap.c */
struct sip_strict_map *sip_strict_contact_of(struct sip_strict_work *w,
					     const struct sip_addr_fact *fact);
extern const struct sip_map_ops sip_strict_map_ops;
void sip_strict_ends_get(struct sip_strict_work *w);

/* beyond.c */
bool sip_strict_via_is_changed(const struct sip_strict_work *w, const struct sip_unmap_query *q);
void sip_strict_beyond_learn(const struct sip_strict_work *w, struct sip_strict_beyond *beyond);

/* memory.c */
int sip_strict_mem_net_init(struct sip_strict_net *sn);
void sip_strict_mem_net_exit(struct sip_strict_net *sn);
void sip_strict_mem_flush(struct sip_strict_net *sn, struct list_head *list);
void sip_strict_mem_sweep(struct sip_strict_net *sn);
int sip_strict_mem_add(struct sip_strict_net *sn, struct sip_strict_mem *want,
		       const struct sip_ap *seen, u16 zone, const struct sip_written *written,
		       const u8 *user, u32 user_len);
const struct sip_strict_mem *sip_strict_mem_find(const struct sip_strict_work *w,
						 const struct sip_unmap_query *q);
void sip_strict_mem_written(const struct sip_strict_mem *mem, struct sip_written *written);

/* admit.c: under sn->lock */
void sip_strict_map_forget_latched(struct sip_strict_map *map);
/* Addresses that a Contact may admit. */
void sip_strict_known_add(struct sip_strict_net *sn, const struct sip_ip *ip);
void sip_strict_known_sweep(struct sip_strict_net *sn);

/* media.c */
bool sip_strict_media_is_identity(const struct sip_strict_work *w, const struct sip_media_query *q);
enum sip_reason sip_strict_media_map(struct sip_strict_work *w, struct sip_strict_call *call,
				     const struct sip_media_query *q, struct sip_media_answer *a);
void sip_strict_media_mark(struct sip_strict_work *w, struct sip_strict_call *call, u32 bit);
void sip_strict_flow_follow(struct sip_strict_work *w, struct sip_strict_flow **flow);
void sip_strict_media_settle(struct sip_strict_work *w, struct sip_strict_call *call);
void sip_strict_media_update(struct sip_strict_net *sn, struct sip_strict_call *call,
			     struct sip_strict_reap *reap);
void sip_strict_media_agree(struct sip_strict_net *sn, struct sip_strict_call *call, u32 from,
			    u32 to, bool inside, bool outside, struct sip_strict_reap *reap);
void sip_strict_media_refuse(struct sip_strict_call *call, const struct sip_plan *plan, u32 bit);
void sip_strict_media_clear(struct sip_strict_net *sn, struct sip_strict_call *call, u32 bit,
			    struct sip_strict_reap *reap);
void sip_strict_media_end(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_reap *reap);
void sip_strict_media_newest(struct sip_strict_call *call, u32 bit);
void sip_strict_peer_signals(struct sip_strict_net *sn, struct sip_strict_call *call,
			     const struct sip_ip *ip);
void sip_strict_media_sources(struct sip_strict_work *w, struct sip_strict_call *call, u32 bit,
			      u32 leg);

/* quota.c: entries per host and in all; under sn->lock */
int sip_strict_quota_net_init(struct sip_strict_net *sn);
void sip_strict_quota_net_exit(struct sip_strict_net *sn);
enum sip_reason sip_strict_quota_check(struct sip_strict_net *sn, const struct sip_ip *inside,
				       const struct sip_ip *outside, u16 zone, u32 spare);
bool sip_strict_quota_take(struct sip_strict_net *sn, const struct sip_ip *inside,
			   const struct sip_ip *outside, u16 zone);
void sip_strict_quota_give(struct sip_strict_net *sn, const struct sip_ip *inside,
			   const struct sip_ip *outside, u16 zone);
bool sip_strict_quota_loose_take(struct sip_strict_net *sn, const struct sip_strict_end *in);
void sip_strict_quota_loose_give(struct sip_strict_net *sn, const struct sip_strict_end *in);
bool sip_strict_quota_loose_is_full(struct sip_strict_net *sn, const struct sip_strict_end *in);
u32 sip_strict_quota_held(struct sip_strict_net *sn, const struct sip_ip *inside, u16 zone);
bool sip_strict_quota_is_used_up(struct sip_strict_net *sn, const struct sip_ip *inside,
				 u16 zone, u32 spare);

/* dialog.c */
int sip_strict_call_net_init(struct sip_strict_net *sn);
void sip_strict_call_net_exit(struct sip_strict_net *sn);
enum sip_reason sip_strict_call_prepare(struct sip_strict_work *w);
void sip_strict_call_learn(struct sip_strict_work *w);
void sip_strict_call_abort(struct sip_strict_work *w);
void sip_strict_call_sweep(struct sip_strict_net *sn, struct sip_strict_reap *reap);
void sip_strict_call_address_gone(struct sip_strict_net *sn, const struct sip_strict_end *end,
				  struct sip_strict_reap *reap);
bool sip_strict_call_evict(struct sip_strict_net *sn, struct sip_strict_reap *reap);
bool sip_strict_call_evict_inbound(struct sip_strict_net *sn, const struct sip_ip *inside,
				   u16 zone, struct sip_strict_reap *reap);
enum sip_reason sip_strict_call_room(struct sip_strict_work *w, const struct sip_end *own,
				     const struct sip_end *other, bool out, u32 spare);

/* verdict.c: the worst stream's verdict is the call's, so they stand in order */
enum sip_strict_verdict {
	SIP_STRICT_V_NONE, /* never answered, no streams, or observing */
	SIP_STRICT_V_NOT_JUDGED, /* held, or offloaded */
	SIP_STRICT_V_BOTH, /* both heard */
	SIP_STRICT_V_INSIDE, /* inside not heard: nothing came from it */
	SIP_STRICT_V_OUTSIDE, /* outside not heard */
	SIP_STRICT_V_REFUSED, /* outside not heard: it sends from another source */
	SIP_STRICT_V_NEITHER, /* nothing came from either */
};

const char *sip_strict_verdict_name(u8 verdict);
u8 sip_strict_verdict_get(struct sip_strict_net *sn, struct sip_strict_call *call);
void sip_strict_verdict_end(struct sip_strict_net *sn, struct sip_strict_call *call,
			    const char *why);

/* registration.c */
int sip_strict_reg_net_init(struct sip_strict_net *sn);
void sip_strict_reg_net_exit(struct sip_strict_net *sn);
enum sip_reason sip_strict_reg_prepare(struct sip_strict_work *w);
void sip_strict_reg_learn(struct sip_strict_work *w);
bool sip_strict_reg_is_asked(const struct sip_strict_work *w);
bool sip_strict_reg_has_peer(const struct sip_strict_reg *reg, const struct sip_ip *ip);
void sip_strict_reg_sweep(struct sip_strict_net *sn, struct sip_strict_reap *reap);

void sip_strict_reg_address_gone(struct sip_strict_net *sn, const struct sip_strict_end *end,
				 struct sip_strict_reap *reap);

/* main.c */
u64 sip_strict_hash(const u8 *s, u32 len); /* 0 only for len 0 */
u64 sip_strict_hash2(const u8 *s, u32 len); /* another, independent one */
bool sip_strict_grow(void **array, u32 n, size_t size, void *own, u32 n_own);
void sip_strict_sweep_kick(struct sip_strict_net *sn);
void sip_strict_address_gone(struct sip_strict_net *sn, const struct sip_ip *ip);

/* work.c */
int sip_strict_work_init(void);
void sip_strict_work_exit(void);
struct sip_strict_work *sip_strict_work_begin(struct sip_strict_net *sn, struct nf_conn *ct,
					      enum ip_conntrack_dir dir);
void sip_strict_work_end(struct sip_strict_work *w);
struct sip_piece *sip_strict_work_stream(struct sip_strict_work *w, enum sip_strict_mode mode,
					 bool bad);
unsigned int sip_strict_work_datagram(struct sip_strict_net *sn, struct sk_buff *skb,
				      unsigned int protoff, struct nf_conn *ct,
				      enum ip_conntrack_info ctinfo,
				      const struct nf_hook_state *state,
				      enum sip_strict_mode mode);

/* sysctl.c */
int sip_strict_sysctl_init(struct sip_strict_net *sn);
void sip_strict_sysctl_exit(struct sip_strict_net *sn);
bool sip_strict_external_addr(struct sip_strict_net *sn, u8 family, struct sip_ip *ip);
void sip_strict_advertise(struct sip_strict_net *sn, struct sip_ip *ip);
bool sip_strict_own_addr(struct sip_strict_net *sn, struct sip_ip *ip);

/* proc.c */
int sip_strict_proc_init(struct net *net);
void sip_strict_proc_exit(struct net *net);

/* hooks.c */
int sip_strict_iif(struct sk_buff *skb, u8 l3num);
int sip_strict_hooks_net_init(struct sip_strict_net *sn);
void sip_strict_hooks_net_exit(struct sip_strict_net *sn);
void sip_strict_hooks_part(void);

/* helper.c */
int sip_strict_helper_init(void);
void sip_strict_helper_exit(void);
bool sip_strict_helper_of(const struct nf_conn *ct, bool *observe);
int sip_strict_helper_assign(struct nf_conn *ct);
bool sip_strict_port_watched(__be16 port);

/* address.c */
int sip_strict_address_init(void);
void sip_strict_address_exit(void);

/* edit_skb.c */
int sip_strict_skb_pull(struct sk_buff *skb, unsigned int protoff, const u8 **data, u32 *len);
int sip_strict_skb_edit(struct sip_strict_net *sn, struct sk_buff *skb, unsigned int protoff,
			const struct sip_plan *plan, struct sip_msg *msg, u8 *copy);
bool sip_strict_plan_is_sound(const struct sip_plan *plan, u32 total);

/* tcp.c */
void *sip_strict_tcp_alloc(u32 size);
bool sip_strict_tcp_is_followed(struct sip_strict_net *sn, const struct nf_conn *ct);
unsigned int sip_strict_tcp_packet(struct sip_strict_net *sn, struct sk_buff *skb,
				   unsigned int off, struct nf_conn *ct,
				   enum ip_conntrack_info ctinfo,
				   const struct nf_hook_state *state, enum sip_strict_mode mode);
int sip_strict_tcp_net_init(struct sip_strict_net *sn);
void sip_strict_tcp_net_leave(struct sip_strict_net *sn);
void sip_strict_tcp_net_exit(struct sip_strict_net *sn);
void sip_strict_tcp_sweep(struct sip_strict_net *sn);
void sip_strict_tcp_device_gone(struct sip_strict_net *sn, const struct net_device *dev);

#endif /* SIP_STRICT_H */
