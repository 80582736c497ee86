// SPDX-License-Identifier: GPL-2.0-only
/*
 * ports.c - which ports mappings hold, and which are free.
 *
 * Two things are kept: how many mappings have a pair at a port number, inside
 * or outside (the first test of the packet hooks, before any hash), and for
 * each outside address that we chose ports on, a bitmap of the taken ones.
 *
 * A port is chosen from the bitmap: the phone's own number if it can be had,
 * else the next free run from a random start, once around. A step skips all
 * taken ports at once; candidates that are free but not usable (reserved, or
 * a socket of the gateway's own is bound to one) are bounded by
 * SIP_STRICT_TRIES. So the cost does not grow with the number of mappings.
 *
 * Everything but sip_strict_port_is_armed() runs under sn->lock.
 */
#include <linux/bitmap.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/udp.h>

#include "mapping.h"

#define SIP_STRICT_PORTS 65536
#define SIP_STRICT_POOLS 1024 /* outside addresses with ports in use */
#define SIP_STRICT_TRIES 64 /* candidates whose sockets are looked up */

/**
 * struct sip_strict_pool - the ports of an outside address
 * @node: in its bucket of sn->pools
 * @key: address, zone, protocol; its port is 0
 * @taken: one bit a port
 * @n_taken: bits set
 */
struct sip_strict_pool {
	struct hlist_node node;
	struct sip_strict_end key;
	unsigned long *taken;
	u32 n_taken;
};

/* ---- armed ports -------------------------------------------------------- */

static u16 *sip_strict_armed_page(struct sip_strict_net *sn, u16 port)
{
	return rcu_dereference_protected(sn->armed[port >> 8], lockdep_is_held(&sn->lock));
}

/**
 * sip_strict_port_arm() - the hooks have to look at this port
 * @sn: the namespace
 * @port: the port, network order
 *
 * A port that 65535 mappings share stays armed for good.
 *
 * Context: sn->lock held.
 * Return: false out of memory.
 */
bool sip_strict_port_arm(struct sip_strict_net *sn, __be16 port)
{
	u16 p = ntohs(port);
	u16 *page = sip_strict_armed_page(sn, p);
	u16 n;

	if (!page) {
		page = kcalloc(256, sizeof(*page), GFP_ATOMIC);
		if (!page)
			return false;
		rcu_assign_pointer(sn->armed[p >> 8], page);
	}
	n = page[p & 0xff];
	if (n != U16_MAX)
		WRITE_ONCE(page[p & 0xff], n + 1);
	return true;
}

/**
 * sip_strict_port_disarm() - the reverse of sip_strict_port_arm()
 * @sn: the namespace
 * @port: the port, network order
 *
 * Context: sn->lock held.
 */
void sip_strict_port_disarm(struct sip_strict_net *sn, __be16 port)
{
	u16 p = ntohs(port);
	u16 *page = sip_strict_armed_page(sn, p);
	u16 n;

	if (WARN_ON_ONCE(!page || !page[p & 0xff]))
		return;
	n = page[p & 0xff];
	if (n != U16_MAX)
		WRITE_ONCE(page[p & 0xff], n - 1);
}

/* ---- taken ports -------------------------------------------------------- */

static struct hlist_head *sip_strict_pool_bucket(struct sip_strict_net *sn,
						 const struct sip_strict_end *key)
{
	u32 hash = jhash(&key->addr, sizeof(key->addr), key->zone ^ key->proto);

	return &sn->pools[hash % SIP_STRICT_POOL_HASH];
}

static struct sip_strict_pool *sip_strict_pool_find(struct sip_strict_net *sn,
						    const struct sip_strict_end *out)
{
	struct sip_strict_end key = *out;
	struct sip_strict_pool *pool;

	key.port = 0;
	hlist_for_each_entry(pool, sip_strict_pool_bucket(sn, &key), node)
		if (sip_strict_end_equal(&pool->key, &key))
			return pool;
	return NULL;
}

static void sip_strict_pool_free(struct sip_strict_net *sn, struct sip_strict_pool *pool)
{
	hlist_del(&pool->node);
	kfree(pool->taken);
	kfree(pool);
	sn->n_pools--;
}

/* Room for another address: one that was looked at but not used goes. */
static bool sip_strict_pool_evict(struct sip_strict_net *sn)
{
	struct sip_strict_pool *pool;
	int i;

	for (i = 0; i < SIP_STRICT_POOL_HASH; i++) {
		hlist_for_each_entry(pool, &sn->pools[i], node) {
			if (pool->n_taken)
				continue;
			sip_strict_pool_free(sn, pool);
			return true;
		}
	}
	return false;
}

static struct sip_strict_pool *sip_strict_pool_get(struct sip_strict_net *sn,
						   const struct sip_strict_end *out)
{
	struct sip_strict_pool *pool = sip_strict_pool_find(sn, out);

	if (pool)
		return pool;
	if (sn->n_pools >= SIP_STRICT_POOLS && !sip_strict_pool_evict(sn))
		return NULL;
	pool = kzalloc(sizeof(*pool), GFP_ATOMIC);
	if (!pool)
		return NULL;
	pool->taken = kzalloc(SIP_STRICT_PORTS / BITS_PER_BYTE, GFP_ATOMIC | __GFP_NOWARN);
	if (!pool->taken) {
		kfree(pool);
		return NULL;
	}
	pool->key = *out;
	pool->key.port = 0;
	hlist_add_head(&pool->node, sip_strict_pool_bucket(sn, &pool->key));
	sn->n_pools++;
	return pool;
}

/**
 * sip_strict_port_take() - a mapping holds this port now
 * @sn: the namespace
 * @out: its outside pair
 *
 * Context: sn->lock held.
 * Return: false out of memory.
 */
bool sip_strict_port_take(struct sip_strict_net *sn, const struct sip_strict_end *out)
{
	struct sip_strict_pool *pool = sip_strict_pool_get(sn, out);

	if (!pool)
		return false;
	if (!__test_and_set_bit(ntohs(out->port), pool->taken))
		pool->n_taken++;
	return true;
}

/**
 * sip_strict_port_give() - the port is free again
 * @sn: the namespace
 * @out: the outside pair
 *
 * An address without taken ports is forgotten, for addresses change.
 *
 * Context: sn->lock held.
 */
void sip_strict_port_give(struct sip_strict_net *sn, const struct sip_strict_end *out)
{
	struct sip_strict_pool *pool = sip_strict_pool_find(sn, out);

	if (WARN_ON_ONCE(!pool))
		return;
	if (__test_and_clear_bit(ntohs(out->port), pool->taken) && !--pool->n_taken)
		sip_strict_pool_free(sn, pool);
}

/* ---- choosing ----------------------------------------------------------- */

static bool sip_strict_socket4(struct net *net, const struct sip_strict_end *end)
{
	struct net_device *dev = __ip_dev_find(net, end->addr.ip, false);
	int dif = dev ? dev->ifindex : 0;
	struct sock *sk;

	if (end->proto == IPPROTO_TCP)
		return sip_strict_tcp4_listener(net, end->addr.ip, ntohs(end->port), dif);
	sk = udp4_lib_lookup(net, 0, 0, end->addr.ip, end->port, dif);
	if (!sk)
		return false;
	sock_put(sk);
	return true;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool sip_strict_socket6(struct net *net, const struct sip_strict_end *end)
{
	struct net_device *dev = ipv6_dev_find(net, &end->addr.in6, NULL);
	int dif = dev ? dev->ifindex : 0;
	struct sock *sk;

	if (end->proto == IPPROTO_TCP)
		return sip_strict_tcp6_listener(net, &end->addr.in6, ntohs(end->port), dif);
	sk = udp6_lib_lookup(net, &in6addr_any, 0, &end->addr.in6, end->port, dif);
	if (!sk)
		return false;
	sock_put(sk);
	return true;
}
#else
static bool sip_strict_socket6(struct net *net, const struct sip_strict_end *end)
{
	return false;
}
#endif

/* Is a socket of the gateway's own bound to it? Under RCU. */
static bool sip_strict_port_has_socket(struct sip_strict_net *sn, const struct sip_strict_end *out,
				       u16 port)
{
	struct sip_strict_end end = *out;

	end.port = htons(port);
	return end.l3num == NFPROTO_IPV4 ? sip_strict_socket4(sn->net, &end) :
					   sip_strict_socket6(sn->net, &end);
}

/* The last port of a run that may not be used, or 0: all of them may. */
static u32 sip_strict_run_obstacle(struct sip_strict_net *sn, const struct sip_strict_end *out,
				   u32 first, u32 n)
{
	u32 i;

	for (i = n; i; i--)
		if (inet_is_local_reserved_port(sn->net, first + i - 1))
			return first + i - 1;
	for (i = n; i; i--)
		if (sip_strict_port_has_socket(sn, out, first + i - 1))
			return first + i - 1;
	return 0;
}

/**
 * sip_strict_port_is_local() - does the gateway itself need one of these ports?
 * @sn: the namespace
 * @out: the first of them, on an outside address
 * @n: how many, up to port 65535
 *
 * For a pair that a message names; sip_strict_port_choose() avoids such ports.
 *
 * Context: RCU read lock held.
 * Return: true if one is reserved, or a socket is bound to it.
 */
bool sip_strict_port_is_local(struct sip_strict_net *sn, const struct sip_strict_end *out, u16 n)
{
	return sip_strict_run_obstacle(sn, out, ntohs(out->port), n);
}

/**
 * struct sip_strict_search - a search for a run of ports
 * @sn: the namespace
 * @out: the outside address
 * @taken: its bitmap
 * @n: ports in the run
 * @odd: the first port is odd
 * @tries: candidates left
 */
struct sip_strict_search {
	struct sip_strict_net *sn;
	const struct sip_strict_end *out;
	const unsigned long *taken;
	u32 n;
	u32 odd;
	u32 tries;
};

/* The first usable run with all its ports in from..to-1; 0: none. */
static u16 sip_strict_search_range(struct sip_strict_search *s, u32 from, u32 to)
{
	u32 bad;

	while (s->tries) {
		from = bitmap_find_next_zero_area_off((unsigned long *)s->taken, to, from, s->n, 1,
						      s->odd);
		if (from + s->n > to)
			return 0;
		bad = sip_strict_run_obstacle(s->sn, s->out, from, s->n);
		if (!bad)
			return from;
		while (bad < to && inet_is_local_reserved_port(s->sn->net, bad))
			bad++;
		from = max(bad, from + 1);
		s->tries--;
	}
	return 0;
}

static bool sip_strict_run_is_free(const struct sip_strict_search *s, u32 first)
{
	if (first < SIP_STRICT_LOW_PORT || first + s->n > SIP_STRICT_PORTS)
		return false;
	if (find_next_bit(s->taken, first + s->n, first) < first + s->n)
		return false;
	return !sip_strict_run_obstacle(s->sn, s->out, first, s->n);
}

/**
 * sip_strict_port_choose() - a free run of ports on an outside address
 * @sn: the namespace
 * @out: the address, zone and protocol
 * @own: port inside: taken over where it can be, and its parity anyway
 * @pairs: an RTP and an RTCP port for each, side by side
 * @count: how many
 *
 * Nothing is taken yet: the caller makes the mappings under the same lock.
 *
 * Context: RCU read lock and sn->lock held.
 * Return: the first port, or 0.
 */
u16 sip_strict_port_choose(struct sip_strict_net *sn, const struct sip_strict_end *out,
			   u16 own, bool pairs, u16 count)
{
	struct sip_strict_pool *pool = sip_strict_pool_get(sn, out);
	u32 min = max(READ_ONCE(sn->conf.media_port_min), SIP_STRICT_LOW_PORT);
	u32 max = min_t(u32, READ_ONCE(sn->conf.media_port_max), SIP_STRICT_PORTS - 1);
	struct sip_strict_search s = {
		.sn = sn,
		.out = out,
		.n = pairs ? 2 * count : count,
		.odd = own & 1,
		.tries = SIP_STRICT_TRIES,
	};
	u32 start;
	u16 port;

	if (!pool)
		return 0;
	s.taken = pool->taken;
	if (READ_ONCE(sn->conf.media_port_keep) && sip_strict_run_is_free(&s, own))
		return own;
	if (!s.n || max < min || max - min + 1 < s.n)
		return 0;
	start = min + get_random_u32_below(max - min + 1);
	port = sip_strict_search_range(&s, start, max + 1);
	if (!port)
		port = sip_strict_search_range(&s, min, min(max + 1, start + s.n));
	return port;
}

/**
 * sip_strict_ports_exit() - drop everything
 * @sn: the namespace
 *
 * Context: process; no packet can reach it any more.
 */
void sip_strict_ports_exit(struct sip_strict_net *sn)
{
	struct sip_strict_pool *pool;
	struct hlist_node *next;
	int i;

	for (i = 0; i < SIP_STRICT_POOL_HASH; i++)
		hlist_for_each_entry_safe(pool, next, &sn->pools[i], node)
			sip_strict_pool_free(sn, pool);
	for (i = 0; i < ARRAY_SIZE(sn->armed); i++)
		kfree(rcu_dereference_protected(sn->armed[i], true));
}
