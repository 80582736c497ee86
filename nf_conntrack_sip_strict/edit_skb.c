// SPDX-License-Identifier: GPL-2.0-only
/*
 * edit_skb.c - the payload of a UDP datagram: looked at, and rewritten.
 *
 * Called by work.c in the hook at 300, where addresses are translated and a
 * buffer holds one datagram. An edit is a transaction like the plan it comes
 * from: everything that can fail is done first, then the message is written
 * once, from a copy, and lengths and checksum follow. What fails leaves the
 * packet as it was.
 *
 * An edit must not make a packet undeliverable. Where our growth carries it
 * over the MTU it is fragmented, Don't Fragment or not: its sender would be
 * told to send less than it can, and lose every retransmission too.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>

#include "sip_strict.h"

/**
 * sip_strict_skb_pull() - linear view of a UDP payload
 * @skb: one datagram; made linear
 * @protoff: offset of its UDP header
 * @data: the payload; good until the buffer is reshaped
 * @len: bytes of it, as the UDP header says (RFC 768)
 *
 * Context: softirq or BH off.
 * Return: 0; -EINVAL: lengths that contradict; -ENOMEM.
 */
int sip_strict_skb_pull(struct sk_buff *skb, unsigned int protoff, const u8 **data, u32 *len)
{
	const struct udphdr *uh;
	u32 ulen;

	if (protoff > skb->len || skb->len - protoff < sizeof(*uh))
		return -EINVAL;
	if (skb_linearize(skb))
		return -ENOMEM;
	uh = (const struct udphdr *)(skb->data + protoff);
	ulen = ntohs(uh->len);
	if (ulen < sizeof(*uh) || ulen > skb->len - protoff)
		return -EINVAL;
	*data = (const u8 *)(uh + 1);
	*len = ulen - sizeof(*uh);
	return 0;
}

/**
 * sip_strict_plan_is_sound() - does a plan write as much as it says?
 * @plan: the plan
 * @total: bytes of its message
 *
 * What it says of its own size is added up once more where a wrong sum would be
 * an overrun.
 *
 * Return: true if it does.
 */
bool sip_strict_plan_is_sound(const struct sip_plan *plan, u32 total)
{
	u32 from = 0;
	u32 grown = 0;
	u32 shrunk = 0;
	u32 i;

	for (i = 0; i < plan->n_edits; i++) {
		const struct sip_edit *edit = &plan->edit[i];

		if (edit->off < from || edit->off > total || edit->len > total - edit->off)
			return false;
		from = edit->off + edit->len;
		grown += edit->text_len;
		shrunk += edit->len;
	}
	return total + grown - shrunk == plan->new_total;
}

/* Private, and with room for the growth: the only step that needs memory. */
static int sip_strict_skb_room(struct sk_buff *skb, s32 delta)
{
	int more = delta > skb_tailroom(skb) ? delta - skb_tailroom(skb) : 0;

	if (!more && !skb_cloned(skb))
		return 0;
	return pskb_expand_head(skb, 0, more, GFP_ATOMIC);
}

/* Largest packet that leaves whole on the route of this one. */
static u32 sip_strict_skb_mtu(struct sk_buff *skb, bool v6)
{
	if (!skb_dst(skb))
		return U32_MAX;
#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		return ip6_skb_dst_mtu(skb);
#endif
	return ip_skb_dst_mtu(skb->sk, skb);
}

/*
 * The datagram fitted before, and does not now. IPv6 has no DF; there it is the
 * gateway that fragments what the gateway made long.
 */
static void sip_strict_skb_over_mtu(struct sip_strict_net *sn, struct sk_buff *skb, bool v6,
				    u32 old_len, u32 new_len)
{
	u32 mtu = sip_strict_skb_mtu(skb, v6);

	if (old_len > mtu || new_len <= mtu)
		return;
	SIP_STRICT_INC(sn, over_mtu);
	skb->ignore_df = 1;
	if (!v6 && ip_hdr(skb)->frag_off & htons(IP_DF)) {
		/* A packet with DF may have any id (RFC 6864); fragments may not. */
		ip_hdr(skb)->frag_off &= ~htons(IP_DF);
		__ip_select_ident(sn->net, ip_hdr(skb), 1);
	}
}

/*
 * The checksum as nf_nat would leave it: one that is still to be computed stays
 * so, with the new length in its pseudo header, every other becomes one that
 * is still to be computed, and an absent one stays absent.
 */
static void sip_strict_skb_checksum(struct sk_buff *skb, unsigned int protoff, bool v6,
				    u32 old_ulen, u32 ulen)
{
	struct udphdr *uh = (struct udphdr *)(skb->data + protoff);

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		inet_proto_csum_replace2(&uh->check, skb, htons(old_ulen), htons(ulen), true);
		return;
	}
	if (!uh->check) {
		skb->ip_summed = CHECKSUM_NONE;
		return;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + protoff;
	skb->csum_offset = offsetof(struct udphdr, check);
	if (v6)
		uh->check = ~csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, ulen,
					     IPPROTO_UDP, 0);
	else
		uh->check = ~csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, ulen,
					       IPPROTO_UDP, 0);
}

static void sip_strict_skb_lengths(struct sk_buff *skb, unsigned int protoff, bool v6, u32 ulen)
{
	struct udphdr *uh = (struct udphdr *)(skb->data + protoff);

	uh->len = htons(ulen);
	if (v6) {
		ipv6_hdr(skb)->payload_len = htons(skb->len - skb_network_offset(skb) -
						   sizeof(struct ipv6hdr));
	} else {
		ip_hdr(skb)->tot_len = htons(skb->len - skb_network_offset(skb));
		ip_send_check(ip_hdr(skb));
	}
}

/*
 * One plain datagram that the edited message fits into? Payload bytes in @len.
 */
static int sip_strict_skb_check(struct sk_buff *skb, unsigned int protoff,
				const struct sip_plan *plan, const struct sip_msg *msg, u32 *len)
{
	u32 room = ip_hdr(skb)->version == 6 ? sizeof(struct ipv6hdr) + 0xffff : 0xffff;
	u32 ip_len = skb->len - skb_network_offset(skb);
	const u8 *data;
	int ret;

	/* Several datagrams in one buffer are taken apart before they come here. */
	if (skb_is_gso(skb))
		return -EINVAL;
	ret = sip_strict_skb_pull(skb, protoff, &data, len);
	if (ret)
		return ret;
	/* A checksum covers the buffer to its end: nothing may stand behind. */
	if (skb->len - protoff - sizeof(struct udphdr) != *len)
		return -EBADMSG;
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_start_offset(skb) != protoff)
		return -EBADMSG;
	if (*len > SIP_MAX_MSG || msg->total > *len ||
	    !sip_strict_plan_is_sound(plan, msg->total))
		return -EINVAL;
	if (*len + sizeof(struct udphdr) + plan->new_total - msg->total > 0xffff ||
	    ip_len + plan->new_total - msg->total > room)
		return -EMSGSIZE;
	return 0;
}

/**
 * sip_strict_skb_edit() - apply a plan to a UDP datagram
 * @sn: the namespace
 * @skb: one datagram, translated, at POST_ROUTING or LOCAL_IN
 * @protoff: offset of its UDP header
 * @plan: what to change
 * @msg: the message at the start of the payload; msg->buf is on @copy
 *	afterwards, for what is traced of the old bytes
 * @copy: room for SIP_MAX_MSG bytes
 *
 * Bytes behind the message (msg->total) go along unchanged.
 *
 * Context: softirq or BH off, @copy held by the caller.
 * Return: 0; -ENOMEM; -EMSGSIZE: no room in a datagram; -EINVAL, -EBADMSG: a
 *	buffer that is not one plain datagram. The packet is unchanged then.
 */
int sip_strict_skb_edit(struct sip_strict_net *sn, struct sk_buff *skb, unsigned int protoff,
			const struct sip_plan *plan, struct sip_msg *msg, u8 *copy)
{
	bool v6 = ip_hdr(skb)->version == 6;
	u32 old_len = skb->len - skb_network_offset(skb);
	s32 delta = (s32)plan->new_total - (s32)msg->total;
	u32 len;
	u8 *to;
	int ret;

	if (!plan->n_edits)
		return 0;
	ret = sip_strict_skb_check(skb, protoff, plan, msg, &len);
	if (ret)
		return ret;
	ret = sip_strict_skb_room(skb, delta);
	if (ret)
		return ret;

	to = skb->data + protoff + sizeof(struct udphdr);
	memcpy(copy, to, len);
	msg->buf = copy;
	if (delta > 0)
		skb_put(skb, delta);
	sip_plan_apply(plan, msg, to, plan->new_total);
	memcpy(to + plan->new_total, copy + msg->total, len - msg->total);
	if (delta < 0)
		skb_trim(skb, skb->len + delta);

	len += sizeof(struct udphdr);
	sip_strict_skb_checksum(skb, protoff, v6, len, len + delta);
	if (delta > 0)
		sip_strict_skb_over_mtu(sn, skb, v6, old_len, old_len + delta);
	sip_strict_skb_lengths(skb, protoff, v6, len + delta);
	return 0;
}
