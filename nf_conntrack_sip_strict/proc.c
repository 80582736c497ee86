// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc.c - what lives now, and what has been counted.
 *
 * /proc/net/nf_conntrack_sip_strict: a line for each live call, registration
 * and subscription, made of "key=value" words with one blank between them.
 * Values hold no blank: bytes outside 0x21-0x7e and '\' stand as \xHH. Unknown
 * keys are to be passed over; new ones come at the end of their part. Times are
 * seconds, "in" is the inside pair and "out" the outside one.
 *
 *  kind=call call_id=a84b4c76e66710 dir=out inside=192.168.1.20:5060
 *  outside=203.0.113.5:5060 zone=0 state=confirmed observe=0 emergency=0 held=0
 *  legs=1 age=34 answered=30 idle=2 expires=43198 verdict=both_heard other_nat=-
 *  other_alg=0
 *
 * followed, for each of its mappings, by one word of its own commas:
 *
 *  media=audio,kind=rtp,mline=0,in=192.168.1.20:16384,out=198.51.100.1:16384,
 *  proto=udp,open=1,entries=1,packets_out=1500,packets_in=1498,
 *  bytes_out=300000,bytes_in=299600,refused=0,offloaded=0,published=1
 *
 * packets_out went from inside to outside. A mapping that is held (port 0, hold)
 * or only reserved has open=0. A registration or subscription:
 *
 *  kind=registration contact=192.168.1.20:5060 out=198.51.100.1:5060 proto=udp
 *  peer=203.0.113.5 zone=0 state=live expires=3540 other_nat=- other_alg=0
 *
 * other_nat is the source that the far side saw where it is not ours, other_alg
 * says that a Via came back as another one than went out.
 *
 * /proc/net/stat/nf_conntrack_sip_strict: "name value" lines: the counters of
 * stats.h, edit_<field>, skip_<reason>, and the present numbers, <what>_now.
 *
 * Both are 0440: a Call-ID is enough to end somebody's call. The lists are
 * walked under sn->lock, a buffer's worth of lines at a time, and resumed by
 * position: a line may be missed or doubled while the lists change.
 */
#include <linux/jiffies.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uidgid.h>

#include "sip_strict.h"
#include "trace.h"

#define SIP_STRICT_PROC_NAME "nf_conntrack_sip_strict"

/**
 * struct sip_strict_iter - where a reader is
 * @p: the namespace of the file
 * @regs: behind the calls, in the registrations
 */
struct sip_strict_iter {
	struct seq_net_private p;
	bool regs;
};

static struct sip_strict_net *sip_strict_seq_net(struct seq_file *seq)
{
	return sip_strict_pernet(seq_file_net(seq));
}

static struct list_head *sip_strict_regs_next(struct sip_strict_net *sn, struct list_head *pos)
{
	return list_is_last(pos, &sn->reg_list) ? NULL : pos->next;
}

/* The call behind this element, else the first registration. */
static struct list_head *sip_strict_calls_next(struct sip_strict_net *sn,
					       struct sip_strict_iter *iter,
					       struct list_head *pos)
{
	if (!list_is_last(pos, &sn->call_list))
		return pos->next;
	iter->regs = true;
	return sip_strict_regs_next(sn, &sn->reg_list);
}

static void *sip_strict_seq_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
	__acquires(sn->lock)
{
	struct sip_strict_net *sn = sip_strict_seq_net(seq);
	struct sip_strict_iter *iter = seq->private;
	struct list_head *at;
	loff_t n = *pos;

	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	iter->regs = false;
	at = sip_strict_calls_next(sn, iter, &sn->call_list);
	while (at && n--)
		at = iter->regs ? sip_strict_regs_next(sn, at) :
				  sip_strict_calls_next(sn, iter, at);
	return at;
}

static void *sip_strict_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct sip_strict_net *sn = sip_strict_seq_net(seq);
	struct sip_strict_iter *iter = seq->private;

	++*pos;
	return iter->regs ? sip_strict_regs_next(sn, v) : sip_strict_calls_next(sn, iter, v);
}

static void sip_strict_seq_stop(struct seq_file *seq, void *v)
	__releases(sn->lock)
	__releases(RCU)
{
	struct sip_strict_net *sn = sip_strict_seq_net(seq);

	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
}

static void sip_strict_seq_text(struct seq_file *seq, const char *key, const u8 *s, u32 len)
{
	char text[4 * SIP_STRICT_CALLID_SHOWN + 1];

	sip_strict_escape(text, s, len, SIP_STRICT_CALLID_SHOWN);
	seq_printf(seq, "%s%s", key, text);
}

static void sip_strict_seq_ap(struct seq_file *seq, const char *key, const struct sip_ap *ap)
{
	struct sockaddr_in6 sa;

	sip_strict_ap_sockaddr(&sa, ap);
	seq_printf(seq, "%s%pISpc", key, &sa);
}

static void sip_strict_seq_end(struct seq_file *seq, const char *key,
			       const struct sip_strict_end *end)
{
	struct sockaddr_in6 sa;

	sip_strict_end_sockaddr(&sa, end);
	seq_printf(seq, "%s%pISpc", key, &sa);
}

static void sip_strict_seq_ip(struct seq_file *seq, const char *key, const struct sip_ip *ip)
{
	seq_puts(seq, key);
	if (ip->family == SIP_AF_IP6)
		seq_printf(seq, "%pI6c", ip->b);
	else if (ip->family == SIP_AF_IP4)
		seq_printf(seq, "%pI4", ip->b);
	else
		seq_putc(seq, '-');
}

static void sip_strict_beyond_show(struct seq_file *seq, const struct sip_strict_beyond *beyond)
{
	sip_strict_seq_ip(seq, " other_nat=", &beyond->nat);
	seq_printf(seq, " other_alg=%u", beyond->alg);
}

static const char *sip_strict_proto_name(u8 proto)
{
	return proto == IPPROTO_TCP ? "tcp" : "udp";
}

static unsigned int sip_strict_seconds_since(unsigned long then)
{
	return time_after(jiffies, then) ? (jiffies - then) / HZ : 0;
}

static unsigned int sip_strict_seconds_to(unsigned long then)
{
	return time_after(then, jiffies) ? (then - jiffies) / HZ : 0;
}

static void sip_strict_map_show(struct seq_file *seq, const struct sip_strict_use *use)
{
	struct sip_strict_net *sn = sip_strict_seq_net(seq);
	struct sip_strict_map *map = use->map;
	struct sip_strict_count count = {};

	sip_strict_map_count(sn, map, &count);
	seq_printf(seq, " media=%s,kind=%s,mline=", sip_strict_class_name(map->class),
		   sip_strict_kind_name(map->kind));
	if (use->mlines)
		seq_printf(seq, "%u", sip_strict_use_mline(use));
	else
		seq_putc(seq, '-');
	sip_strict_seq_end(seq, ",in=", &map->in);
	sip_strict_seq_end(seq, ",out=", &map->out);
	seq_printf(seq, ",proto=%s,open=%u,entries=%u", sip_strict_proto_name(map->in.proto),
		   READ_ONCE(map->live) && use->sets && !use->observe, count.entries);
	seq_printf(seq, ",packets_out=%llu,packets_in=%llu,bytes_out=%llu,bytes_in=%llu",
		   count.packets[0], count.packets[1], count.bytes[0], count.bytes[1]);
	seq_printf(seq, ",refused=%u,offloaded=%u,published=%u", count.refused, count.offloaded,
		   count.published);
}

static const char *sip_strict_call_state_name(u8 state)
{
	switch (state) {
	case SIP_STRICT_CALL_EARLY:
		return "early";
	case SIP_STRICT_CALL_CONFIRMED:
		return "confirmed";
	default:
		return "new";
	}
}

static void sip_strict_call_show(struct seq_file *seq, struct sip_strict_call *call)
{
	struct sip_strict_net *sn = sip_strict_seq_net(seq);
	const struct sip_strict_use *use;

	seq_puts(seq, "kind=call");
	sip_strict_seq_text(seq, " call_id=", call->id, call->id_len);
	seq_printf(seq, " dir=%s", call->outbound ? "out" : "in");
	sip_strict_seq_ap(seq, " inside=", &call->inside);
	sip_strict_seq_ap(seq, " outside=", &call->outside);
	seq_printf(seq, " zone=%u state=%s observe=%u emergency=%u held=%u legs=%u",
		   call->key.zone, sip_strict_call_state_name(call->state), call->observe,
		   call->emergency, call->all_held, call->n_legs);
	seq_printf(seq, " age=%u answered=%u idle=%u expires=%u verdict=%s",
		   sip_strict_seconds_since(call->begun),
		   call->answered ? sip_strict_seconds_since(call->answered) : 0,
		   sip_strict_seconds_since(call->active), sip_strict_seconds_to(call->expires),
		   sip_strict_verdict_name(sip_strict_verdict_get(sn, call)));
	sip_strict_beyond_show(seq, &call->beyond);
	list_for_each_entry(use, &call->uses, owner_node)
		sip_strict_map_show(seq, use);
	seq_putc(seq, '\n');
}

static void sip_strict_reg_show(struct seq_file *seq, const struct sip_strict_reg *reg)
{
	seq_printf(seq, "kind=%s", reg->subscription ? "subscription" : "registration");
	sip_strict_seq_end(seq, " contact=", &reg->contact);
	sip_strict_seq_ap(seq, " out=", &reg->out);
	seq_printf(seq, " proto=%s", sip_strict_proto_name(reg->contact.proto));
	sip_strict_seq_ip(seq, " peer=", &reg->peer);
	seq_printf(seq, " zone=%u state=%s expires=%u", reg->contact.zone,
		   reg->state == SIP_STRICT_REG_LIVE ? "live" : "pending",
		   sip_strict_seconds_to(reg->state == SIP_STRICT_REG_LIVE ? reg->expires :
									     reg->pending_until));
	sip_strict_beyond_show(seq, &reg->beyond);
	seq_putc(seq, '\n');
}

static int sip_strict_seq_show(struct seq_file *seq, void *v)
{
	const struct sip_strict_iter *iter = seq->private;

	if (iter->regs)
		sip_strict_reg_show(seq, list_entry(v, struct sip_strict_reg, list));
	else
		sip_strict_call_show(seq, list_entry(v, struct sip_strict_call, list));
	return 0;
}

static const struct seq_operations sip_strict_seq_ops = {
	.start = sip_strict_seq_start,
	.next = sip_strict_seq_next,
	.stop = sip_strict_seq_stop,
	.show = sip_strict_seq_show,
};

static int sip_strict_stat_show(struct seq_file *seq, void *v)
{
	struct sip_strict_net *sn = sip_strict_pernet(seq_file_single_net(seq));

	sip_strict_stats_show(seq, sn);
	seq_printf(seq, "dialogs_now %u\n", READ_ONCE(sn->n_calls));
	seq_printf(seq, "registrations_now %u\n", READ_ONCE(sn->n_regs));
	seq_printf(seq, "mappings_now %u\n", READ_ONCE(sn->n_maps));
	seq_printf(seq, "flows_now %u\n", READ_ONCE(sn->n_flows));
	seq_printf(seq, "memories_now %u\n", READ_ONCE(sn->n_mems));
	seq_printf(seq, "published_now %u\n", READ_ONCE(sn->n_published));
	return 0;
}

/* Root of the namespace's own user namespace may read it, as with nf_conntrack. */
static void sip_strict_proc_own(struct net *net, struct proc_dir_entry *pde)
{
	kuid_t uid = make_kuid(net->user_ns, 0);
	kgid_t gid = make_kgid(net->user_ns, 0);

	if (uid_valid(uid) && gid_valid(gid))
		proc_set_user(pde, uid, gid);
}

/**
 * sip_strict_proc_init() - make the proc files of a namespace
 * @net: the namespace, its tables there already
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int sip_strict_proc_init(struct net *net)
{
	struct proc_dir_entry *pde;

	pde = proc_create_net(SIP_STRICT_PROC_NAME, 0440, net->proc_net, &sip_strict_seq_ops,
			      sizeof(struct sip_strict_iter));
	if (!pde)
		return -ENOMEM;
	sip_strict_proc_own(net, pde);
	pde = proc_create_net_single(SIP_STRICT_PROC_NAME, 0440, net->proc_net_stat,
				     sip_strict_stat_show, NULL);
	if (!pde) {
		remove_proc_entry(SIP_STRICT_PROC_NAME, net->proc_net);
		return -ENOMEM;
	}
	sip_strict_proc_own(net, pde);
	return 0;
}

/**
 * sip_strict_proc_exit() - remove the proc files of a namespace
 * @net: the namespace
 *
 * Context: process; waits for readers.
 */
void sip_strict_proc_exit(struct net *net)
{
	remove_proc_entry(SIP_STRICT_PROC_NAME, net->proc_net_stat);
	remove_proc_entry(SIP_STRICT_PROC_NAME, net->proc_net);
}
