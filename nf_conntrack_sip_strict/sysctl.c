// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysctl.c - net.netfilter.nf_conntrack_sip_strict.*, one set per namespace.
 *
 * A value is taken as a whole or refused as a whole: EINVAL, one line in the
 * log (from the initial namespace, rate-limited: others could flood it), and
 * nothing changed. It counts from the next message of every flow, for readers
 * look at sn->conf each time.
 *
 * Writers of all namespaces are serialised by one mutex: some values depend on
 * one another (a range), on those of the initial namespace (what memory others
 * may take), or have to be followed by an action that sleeps (auto_assign).
 * Each namespace has a table of its own with data in its own memory, which the
 * core insists on for writable entries.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysctl.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "sip_strict.h"

#define SIP_STRICT_SYSCTL_PATH "net/netfilter/nf_conntrack_sip_strict"
#define SIP_STRICT_SYSCTL_TEXT 64 /* longest value, with its NUL: an IPv6 address */
#define SIP_STRICT_MONTH (30 * 24 * 3600) /* seconds, for all times: far from overflow */

/**
 * struct sip_strict_knob - an integer among the sysctls
 * @name: file name
 * @off: where its int is in struct sip_strict_conf
 * @min: least value
 * @max: greatest value
 * @def: what it is at first
 * @capped: outside the initial namespace not above that one's value
 */
struct sip_strict_knob {
	const char *name;
	size_t off;
	int min;
	int max;
	int def;
	bool capped;
};

#define SIP_STRICT_KNOB(name, min, max, def) \
	{ #name, offsetof(struct sip_strict_conf, name), min, max, def, false }
#define SIP_STRICT_LIMIT(name, min, max, def) \
	{ #name, offsetof(struct sip_strict_conf, name), min, max, def, true }

static const struct sip_strict_knob sip_strict_knobs[] = {
	SIP_STRICT_KNOB(mode, SIP_STRICT_OFF, SIP_STRICT_OBSERVE, SIP_STRICT_STRICT),
	SIP_STRICT_KNOB(auto_assign, 0, 1, 0),
	SIP_STRICT_KNOB(media_peer, 0, 2, 1),
	SIP_STRICT_LIMIT(publish_expect, 0, 65536, 256),
	SIP_STRICT_KNOB(media_host, 0, 1, 0),
	SIP_STRICT_KNOB(signalling_peer, 0, 1, 1),
	SIP_STRICT_KNOB(media_port_keep, 0, 1, 1),
	SIP_STRICT_KNOB(media_port_min, SIP_STRICT_LOW_PORT, 65535, 16384),
	SIP_STRICT_KNOB(media_port_max, SIP_STRICT_LOW_PORT, 65535, 32767),
	SIP_STRICT_LIMIT(dialog_max, 1, 1 << 20, 16384),
	SIP_STRICT_LIMIT(host_max, 0, 1 << 20, 8192), /* 0: as many as dialog_max */
	SIP_STRICT_KNOB(dialog_timeout, 1, SIP_STRICT_MONTH, 43200),
	SIP_STRICT_KNOB(ring_timeout, 1, SIP_STRICT_MONTH, 300),
	SIP_STRICT_KNOB(expires_max, 1, SIP_STRICT_MONTH, 86400),
	SIP_STRICT_LIMIT(tcp_hold_max, 1024, 1 << 20, 65536),
	SIP_STRICT_KNOB(tcp_hold_time, 1, 300, 5),
	SIP_STRICT_KNOB(dead_call_timeout, 0, SIP_STRICT_MONTH, 0),
	SIP_STRICT_KNOB(drop_malformed, 0, 1, 0),
};

enum { SIP_STRICT_ADDR4 = ARRAY_SIZE(sip_strict_knobs), SIP_STRICT_ADDR6, SIP_STRICT_ENTRIES };

static DEFINE_MUTEX(sip_strict_conf_mutex);
static LIST_HEAD(sip_strict_confs); /* all namespaces, under the mutex */

static int *sip_strict_knob_of(struct sip_strict_net *sn, const struct sip_strict_knob *knob)
{
	return (int *)((u8 *)&sn->conf + knob->off);
}

static bool sip_strict_knob_is(const struct sip_strict_knob *knob, size_t off)
{
	return knob->off == off;
}

#define SIP_STRICT_KNOB_IS(knob, name) \
	sip_strict_knob_is(knob, offsetof(struct sip_strict_conf, name))

/* Is a above b, where 0 of host_max means "no limit of its own"? */
static bool sip_strict_knob_above(const struct sip_strict_knob *knob, int a, int b)
{
	if (SIP_STRICT_KNOB_IS(knob, host_max) && (!a || !b))
		return b && !a;
	return a > b;
}

static int sip_strict_knob_cap(const struct sip_strict_knob *knob)
{
	return READ_ONCE(*sip_strict_knob_of(sip_strict_pernet(&init_net), knob));
}

/* The namespaces that were allowed more than the initial one now allows. */
static void sip_strict_knob_lower(const struct sip_strict_knob *knob, int cap)
{
	struct sip_strict_net *sn;

	lockdep_assert_held(&sip_strict_conf_mutex);
	list_for_each_entry(sn, &sip_strict_confs, conf_list) {
		int *val = sip_strict_knob_of(sn, knob);

		if (sip_strict_knob_above(knob, *val, cap))
			WRITE_ONCE(*val, cap);
	}
}

/* Conntrack runs in a namespace only while somebody asks for it. */
static int sip_strict_conntrack_set(struct sip_strict_net *sn, bool on)
{
	int ret;

	lockdep_assert_held(&sip_strict_conf_mutex);
	if (on == sn->conntrack_on)
		return 0;
	if (on) {
		ret = nf_ct_netns_get(sn->net, NFPROTO_INET);
		if (ret)
			return ret;
	} else {
		nf_ct_netns_put(sn->net, NFPROTO_INET);
	}
	sn->conntrack_on = on;
	return 0;
}

static int sip_strict_knob_check(struct sip_strict_net *sn, const struct sip_strict_knob *knob,
				 int val)
{
	if (val < knob->min || val > knob->max)
		return -EINVAL;
	if (SIP_STRICT_KNOB_IS(knob, media_port_min) && val > sn->conf.media_port_max)
		return -EINVAL;
	if (SIP_STRICT_KNOB_IS(knob, media_port_max) && val < sn->conf.media_port_min)
		return -EINVAL;
	if (knob->capped && !net_eq(sn->net, &init_net) &&
	    sip_strict_knob_above(knob, val, sip_strict_knob_cap(knob)))
		return -EINVAL;
	return 0;
}

static int sip_strict_knob_set(struct sip_strict_net *sn, const struct sip_strict_knob *knob,
			       int val)
{
	int ret;

	mutex_lock(&sip_strict_conf_mutex);
	ret = sip_strict_knob_check(sn, knob, val);
	if (!ret && SIP_STRICT_KNOB_IS(knob, auto_assign))
		ret = sip_strict_conntrack_set(sn, val);
	if (!ret) {
		WRITE_ONCE(*sip_strict_knob_of(sn, knob), val);
		if (knob->capped && net_eq(sn->net, &init_net))
			sip_strict_knob_lower(knob, val);
	}
	mutex_unlock(&sip_strict_conf_mutex);
	return ret;
}

/* What was written, without the white space around it; -EINVAL if it is long. */
static int sip_strict_sysctl_text(char text[SIP_STRICT_SYSCTL_TEXT], const void *buffer,
				  size_t len, loff_t pos)
{
	char *start;

	if (pos || len >= SIP_STRICT_SYSCTL_TEXT)
		return -EINVAL;
	memcpy(text, buffer, len);
	text[len] = '\0';
	if (strlen(text) != len)
		return -EINVAL;
	start = strim(text);
	memmove(text, start, strlen(start) + 1);
	return 0;
}

static int sip_strict_sysctl_show(char *text, void *buffer, size_t *lenp, loff_t *ppos)
{
	struct ctl_table table = {
		.data = text,
		.maxlen = SIP_STRICT_SYSCTL_TEXT,
	};

	return proc_dostring(&table, 0, buffer, lenp, ppos);
}

static int sip_strict_sysctl_int(sip_strict_ctl_table *table, int write, void *buffer,
				 size_t *lenp, loff_t *ppos)
{
	const struct sip_strict_knob *knob = table->extra1;
	struct sip_strict_net *sn = table->extra2;
	char text[SIP_STRICT_SYSCTL_TEXT];
	int val, ret;

	if (!write) {
		snprintf(text, sizeof(text), "%d", READ_ONCE(*sip_strict_knob_of(sn, knob)));
		return sip_strict_sysctl_show(text, buffer, lenp, ppos);
	}
	ret = sip_strict_sysctl_text(text, buffer, *lenp, *ppos);
	if (!ret && kstrtoint(text, 10, &val))
		ret = -EINVAL;
	if (!ret)
		ret = sip_strict_knob_set(sn, knob, val);
	if (ret == -EINVAL && net_eq(sn->net, &init_net))
		pr_err_ratelimited("%s: refused, must be a number from %d to %d%s\n", knob->name,
				   knob->min, knob->max,
				   SIP_STRICT_KNOB_IS(knob, media_port_min) ||
				   SIP_STRICT_KNOB_IS(knob, media_port_max) ?
				   ", with media_port_min not above media_port_max" : "");
	if (!ret)
		*ppos += *lenp;
	return ret;
}

static int sip_strict_sysctl_addr(sip_strict_ctl_table *table, int write, void *buffer,
				  size_t *lenp, loff_t *ppos)
{
	struct sip_strict_net *sn = table->extra2;
	struct sip_ip *addr = table->data;
	u8 family = addr == &sn->conf.external_addr4 ? SIP_AF_IP4 : SIP_AF_IP6;
	char text[SIP_STRICT_SYSCTL_TEXT];
	struct sip_ip ip = {};
	int ret;

	if (!write) {
		u32 len = 0;

		if (sip_strict_external_addr(sn, family, &ip))
			len = sip_ip_format(&ip, (u8 *)text);
		text[len] = '\0';
		return sip_strict_sysctl_show(text, buffer, lenp, ppos);
	}
	ret = sip_strict_sysctl_text(text, buffer, *lenp, *ppos);
	if (!ret && *text && (!sip_ip_parse((const u8 *)text, strlen(text), &ip) ||
			      ip.family != family || !sip_ip_is_unicast(&ip)))
		ret = -EINVAL;
	if (ret) {
		if (net_eq(sn->net, &init_net))
			pr_err_ratelimited("%s: refused, must be a unicast IPv%u address or empty\n",
					   table->procname, family);
		return ret;
	}
	write_seqlock_bh(&sn->conf.addr_lock);
	*addr = ip;
	write_sequnlock_bh(&sn->conf.addr_lock);
	*ppos += *lenp;
	return 0;
}

static void sip_strict_addr_read(struct sip_strict_net *sn, const struct sip_ip *addr,
				 struct sip_ip *ip)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&sn->conf.addr_lock);
		*ip = *addr;
	} while (read_seqretry(&sn->conf.addr_lock, seq));
}

static struct sip_ip *sip_strict_own_of(struct sip_strict_net *sn, u8 family)
{
	return family == SIP_AF_IP6 ? &sn->conf.own_addr6 : &sn->conf.own_addr4;
}

/**
 * sip_strict_external_addr() - the address to advertise instead of the outside one
 * @sn: the namespace
 * @family: SIP_AF_IP4 or SIP_AF_IP6
 * @ip: the address
 *
 * Context: any.
 * Return: false if none is set.
 */
bool sip_strict_external_addr(struct sip_strict_net *sn, u8 family, struct sip_ip *ip)
{
	sip_strict_addr_read(sn, family == SIP_AF_IP6 ? &sn->conf.external_addr6 :
							&sn->conf.external_addr4, ip);
	return ip->family != SIP_AF_NONE;
}

/**
 * sip_strict_advertise() - what we call an outside address in messages
 * @sn: the namespace
 * @ip: an address of ours; becomes the external one, if one is set (a 1:1 NAT
 *	further out)
 *
 * Context: any.
 */
void sip_strict_advertise(struct sip_strict_net *sn, struct sip_ip *ip)
{
	struct sip_ip external, own;

	if (!sip_strict_external_addr(sn, ip->family, &external))
		return;
	sip_strict_addr_read(sn, sip_strict_own_of(sn, ip->family), &own);
	if (!sip_ip_equal(&own, ip)) {
		write_seqlock_bh(&sn->conf.addr_lock);
		*sip_strict_own_of(sn, ip->family) = *ip;
		write_sequnlock_bh(&sn->conf.addr_lock);
	}
	*ip = external;
}

/**
 * sip_strict_own_addr() - the reverse of sip_strict_advertise()
 * @sn: the namespace
 * @ip: an address; becomes ours, if it is the external one
 *
 * An inside host sends to the external address, when it was told that of
 * another inside host, and no box further out would send it back.
 *
 * Context: any.
 * Return: true if it was.
 */
bool sip_strict_own_addr(struct sip_strict_net *sn, struct sip_ip *ip)
{
	struct sip_ip external, own;

	if (!sip_strict_external_addr(sn, ip->family, &external) || !sip_ip_equal(ip, &external))
		return false;
	sip_strict_addr_read(sn, sip_strict_own_of(sn, ip->family), &own);
	if (own.family == SIP_AF_NONE)
		return false;
	*ip = own;
	return true;
}

static void sip_strict_conf_defaults(struct sip_strict_net *sn)
{
	const struct sip_strict_knob *knob;

	lockdep_assert_held(&sip_strict_conf_mutex);
	for (knob = sip_strict_knobs; knob < sip_strict_knobs + ARRAY_SIZE(sip_strict_knobs);
	     knob++) {
		int val = knob->def;

		if (knob->capped && !net_eq(sn->net, &init_net) &&
		    sip_strict_knob_above(knob, val, sip_strict_knob_cap(knob)))
			val = sip_strict_knob_cap(knob);
		WRITE_ONCE(*sip_strict_knob_of(sn, knob), val);
	}
	seqlock_init(&sn->conf.addr_lock);
	memset(&sn->conf.external_addr4, 0, sizeof(sn->conf.external_addr4));
	memset(&sn->conf.external_addr6, 0, sizeof(sn->conf.external_addr6));
	memset(&sn->conf.own_addr4, 0, sizeof(sn->conf.own_addr4));
	memset(&sn->conf.own_addr6, 0, sizeof(sn->conf.own_addr6));
}

static void sip_strict_sysctl_fill(struct sip_strict_net *sn, struct ctl_table *table)
{
	size_t i;

	for (i = 0; i < SIP_STRICT_ENTRIES; i++) {
		table[i].mode = 0644;
		table[i].extra2 = sn;
	}
	for (i = 0; i < ARRAY_SIZE(sip_strict_knobs); i++) {
		const struct sip_strict_knob *knob = &sip_strict_knobs[i];

		table[i].procname = knob->name;
		table[i].data = sip_strict_knob_of(sn, knob);
		table[i].maxlen = sizeof(int);
		table[i].proc_handler = sip_strict_sysctl_int;
		table[i].extra1 = (void *)knob;
	}
	table[SIP_STRICT_ADDR4].procname = "external_addr4";
	table[SIP_STRICT_ADDR4].data = &sn->conf.external_addr4;
	table[SIP_STRICT_ADDR4].maxlen = SIP_STRICT_SYSCTL_TEXT;
	table[SIP_STRICT_ADDR4].proc_handler = sip_strict_sysctl_addr;
	table[SIP_STRICT_ADDR6].procname = "external_addr6";
	table[SIP_STRICT_ADDR6].data = &sn->conf.external_addr6;
	table[SIP_STRICT_ADDR6].maxlen = SIP_STRICT_SYSCTL_TEXT;
	table[SIP_STRICT_ADDR6].proc_handler = sip_strict_sysctl_addr;
}

/**
 * sip_strict_sysctl_init() - set the defaults of a namespace, make its sysctls
 * @sn: the namespace; of the initial one first
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int sip_strict_sysctl_init(struct sip_strict_net *sn)
{
	struct ctl_table *table;

	/* One more: the empty entry that older kernels end at. */
	table = kcalloc(SIP_STRICT_ENTRIES + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	sip_strict_sysctl_fill(sn, table);

	mutex_lock(&sip_strict_conf_mutex);
	sip_strict_conf_defaults(sn);
	list_add(&sn->conf_list, &sip_strict_confs);
	mutex_unlock(&sip_strict_conf_mutex);

	sn->sysctl_table = table;
	sn->sysctl = sip_strict_sysctl_register(sn->net, SIP_STRICT_SYSCTL_PATH, table,
						SIP_STRICT_ENTRIES);
	if (sn->sysctl)
		return 0;

	mutex_lock(&sip_strict_conf_mutex);
	list_del(&sn->conf_list);
	mutex_unlock(&sip_strict_conf_mutex);
	kfree(table);
	return -ENOMEM;
}

/**
 * sip_strict_sysctl_exit() - remove the sysctls, let conntrack go
 * @sn: the namespace
 *
 * Context: process; waits for writers.
 */
void sip_strict_sysctl_exit(struct sip_strict_net *sn)
{
	unregister_net_sysctl_table(sn->sysctl);
	mutex_lock(&sip_strict_conf_mutex);
	sip_strict_conntrack_set(sn, false);
	list_del(&sn->conf_list);
	mutex_unlock(&sip_strict_conf_mutex);
	kfree(sn->sysctl_table);
}
