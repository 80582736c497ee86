// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota.c - how many dialogs and registrations one host may hold.
 *
 * A flood from one host must use up that host's share and nobody else's. Each
 * dialog and registration counts for its inside host and for its outside peer
 * (host_max), and in all for the namespace (dialog_max). Only new ones are
 * refused; the emergency numbers get a few above the share.
 *
 * Everything runs under sn->lock.
 */
#include <linux/slab.h>

#include "sip_strict.h"

static const struct rhashtable_params sip_strict_host_params = {
	.head_offset = offsetof(struct sip_strict_host, node),
	.key_offset = offsetof(struct sip_strict_host, key),
	.key_len = sizeof_field(struct sip_strict_host, key),
	.automatic_shrinking = true,
};

/**
 * sip_strict_quota_net_init() - make the table of a namespace
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int sip_strict_quota_net_init(struct sip_strict_net *sn)
{
	return rhashtable_init(&sn->hosts, &sip_strict_host_params);
}

static void sip_strict_host_free(void *ptr, void *arg)
{
	kfree(ptr);
}

/**
 * sip_strict_quota_net_exit() - drop the table
 * @sn: the namespace
 *
 * Context: process; no packet can reach the table any more.
 */
void sip_strict_quota_net_exit(struct sip_strict_net *sn)
{
	rhashtable_free_and_destroy(&sn->hosts, sip_strict_host_free, NULL);
}

static void sip_strict_host_key(struct sip_strict_end *key, const struct sip_ip *ip, u16 zone,
				bool inside)
{
	struct sip_ap ap = { .ip = *ip, .port = inside };

	sip_strict_end_set(key, &ap, 0, zone);
}

static struct sip_strict_host *sip_strict_host_find(struct sip_strict_net *sn,
						    const struct sip_ip *ip, u16 zone, bool inside)
{
	struct sip_strict_end key;

	sip_strict_host_key(&key, ip, zone, inside);
	return rhashtable_lookup_fast(&sn->hosts, &key, sip_strict_host_params);
}

/**
 * sip_strict_quota_held() - what an inside host holds
 * @sn: the namespace
 * @inside: its address
 * @zone: its zone
 *
 * Context: sn->lock held.
 * Return: dialogs and registrations.
 */
u32 sip_strict_quota_held(struct sip_strict_net *sn, const struct sip_ip *inside, u16 zone)
{
	struct sip_strict_host *host = sip_strict_host_find(sn, inside, zone, true);

	return host ? host->held : 0;
}

/**
 * sip_strict_quota_is_used_up() - does an inside host hold its share?
 * @sn: the namespace
 * @inside: its address
 * @zone: its zone
 * @spare: how far above host_max it may go
 *
 * Context: sn->lock held.
 * Return: true if it does.
 */
bool sip_strict_quota_is_used_up(struct sip_strict_net *sn, const struct sip_ip *inside,
				 u16 zone, u32 spare)
{
	u32 max = READ_ONCE(sn->conf.host_max);

	return max && sip_strict_quota_held(sn, inside, zone) >= max + spare;
}

/**
 * sip_strict_quota_check() - may these two hold one more?
 * @sn: the namespace
 * @inside: address of the inside host
 * @outside: address of its peer
 * @zone: their zone
 * @spare: how far above host_max and dialog_max it may go
 *
 * Their own shares first: nobody is evicted for somebody who gets no place.
 *
 * Context: sn->lock held.
 * Return: SIP_R_OK, SIP_R_HOST_QUOTA, or SIP_R_TABLE_FULL.
 */
enum sip_reason sip_strict_quota_check(struct sip_strict_net *sn, const struct sip_ip *inside,
				       const struct sip_ip *outside, u16 zone, u32 spare)
{
	u32 max = READ_ONCE(sn->conf.host_max);
	struct sip_strict_host *peer;

	if (sip_strict_quota_is_used_up(sn, inside, zone, spare))
		return SIP_R_HOST_QUOTA;
	peer = sip_strict_host_find(sn, outside, zone, false);
	if (max && peer && peer->held >= max + spare)
		return SIP_R_HOST_QUOTA;
	if (sn->n_calls + sn->n_regs >= (u32)READ_ONCE(sn->conf.dialog_max) + spare)
		return SIP_R_TABLE_FULL;
	return SIP_R_OK;
}

static struct sip_strict_host *sip_strict_host_get(struct sip_strict_net *sn,
						   const struct sip_ip *ip, u16 zone, bool inside)
{
	struct sip_strict_host *host = sip_strict_host_find(sn, ip, zone, inside);

	if (host)
		return host;
	host = kzalloc(sizeof(*host), GFP_ATOMIC);
	if (!host)
		return NULL;
	sip_strict_host_key(&host->key, ip, zone, inside);
	if (rhashtable_insert_fast(&sn->hosts, &host->node, sip_strict_host_params)) {
		kfree(host);
		return NULL;
	}
	return host;
}

static void sip_strict_host_drop(struct sip_strict_net *sn, struct sip_strict_host *host)
{
	if (host->held || host->loose)
		return;
	rhashtable_remove_fast(&sn->hosts, &host->node, sip_strict_host_params);
	kfree_rcu(host, rcu);
}

static bool sip_strict_host_take(struct sip_strict_net *sn, const struct sip_ip *ip, u16 zone,
				 bool inside)
{
	struct sip_strict_host *host = sip_strict_host_get(sn, ip, zone, inside);

	if (!host)
		return false;
	host->held++;
	return true;
}

static void sip_strict_host_give(struct sip_strict_net *sn, const struct sip_ip *ip, u16 zone,
				 bool inside)
{
	struct sip_strict_host *host = sip_strict_host_find(sn, ip, zone, inside);

	if (WARN_ON_ONCE(!host))
		return;
	host->held--;
	sip_strict_host_drop(sn, host);
}

/**
 * sip_strict_quota_take() - count one dialog or registration
 * @sn: the namespace
 * @inside: address of the inside host
 * @outside: address of its peer
 * @zone: their zone
 *
 * Context: sn->lock held.
 * Return: false when out of memory; nothing is counted then.
 */
bool sip_strict_quota_take(struct sip_strict_net *sn, const struct sip_ip *inside,
			   const struct sip_ip *outside, u16 zone)
{
	if (!sip_strict_host_take(sn, inside, zone, true))
		return false;
	if (sip_strict_host_take(sn, outside, zone, false))
		return true;
	sip_strict_host_give(sn, inside, zone, true);
	return false;
}

/**
 * sip_strict_quota_give() - the reverse of sip_strict_quota_take()
 * @sn: the namespace
 * @inside: address of the inside host
 * @outside: address of its peer
 * @zone: their zone
 *
 * Context: sn->lock held.
 */
void sip_strict_quota_give(struct sip_strict_net *sn, const struct sip_ip *inside,
			   const struct sip_ip *outside, u16 zone)
{
	sip_strict_host_give(sn, inside, zone, true);
	sip_strict_host_give(sn, outside, zone, false);
}

/**
 * sip_strict_quota_loose_take() - count a use of a mapping that only time ends
 * @sn: the namespace
 * @in: inside pair of the mapping
 *
 * Context: sn->lock held.
 * Return: false when out of memory; nothing is counted then.
 */
bool sip_strict_quota_loose_take(struct sip_strict_net *sn, const struct sip_strict_end *in)
{
	struct sip_strict_host *host;
	struct sip_ap ap;

	sip_strict_ap_from_end(&ap, in);
	host = sip_strict_host_get(sn, &ap.ip, in->zone, true);
	if (!host)
		return false;
	host->loose++;
	return true;
}

/**
 * sip_strict_quota_loose_give() - the reverse of sip_strict_quota_loose_take()
 * @sn: the namespace
 * @in: inside pair of the mapping
 *
 * Context: sn->lock held.
 */
void sip_strict_quota_loose_give(struct sip_strict_net *sn, const struct sip_strict_end *in)
{
	struct sip_strict_host *host;
	struct sip_ap ap;

	sip_strict_ap_from_end(&ap, in);
	host = sip_strict_host_find(sn, &ap.ip, in->zone, true);
	if (WARN_ON_ONCE(!host))
		return;
	host->loose--;
	sip_strict_host_drop(sn, host);
}

/**
 * sip_strict_quota_loose_is_full() - has an inside host its share of ports?
 * @sn: the namespace
 * @in: inside pair of a mapping that is about to get one more
 *
 * Each port in a Via or Contact has one for each peer, for some time, whatever becomes of it.
 *
 * Context: sn->lock held.
 * Return: true if it has: a little above host_max, which counts dialogs.
 */
bool sip_strict_quota_loose_is_full(struct sip_strict_net *sn, const struct sip_strict_end *in)
{
	u32 max = READ_ONCE(sn->conf.host_max);
	struct sip_strict_host *host;
	struct sip_ap ap;

	sip_strict_ap_from_end(&ap, in);
	host = sip_strict_host_find(sn, &ap.ip, in->zone, true);
	return max && host && host->loose >= max + SIP_STRICT_LOOSE_SPARE;
}
