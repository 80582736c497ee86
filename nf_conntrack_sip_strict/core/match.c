// SPDX-License-Identifier: GPL-2.0-only
/*
 * match.c - which remembered address answers an unmap query.
 *
 * Called by the state for each memory of the receiver's host whose outside
 * pair is the one that was found in the message.
 */
#include "match.h"

/*
 * Weights. The kind of field counts most, because one host may write its port
 * in Record-Route and leave it out in Contact; then its dialog, then its user.
 */
#define SIP_RANK_ANSWERS 1u
#define SIP_RANK_USER 2u
#define SIP_RANK_DIALOG 4u
#define SIP_RANK_FIELD 8u
#define SIP_RANK_BRANCH 16u

static bool sip_mem_user_equal(const struct sip_unmap_query *q, const struct sip_mem *mem)
{
	return q->user_len == mem->user_len &&
	       (!q->user_len || !memcmp(q->user, mem->user, q->user_len));
}

static bool sip_field_is_via(enum sip_field field)
{
	return field == SIP_F_VIA_SENT_BY || field == SIP_F_VIA_MADDR;
}

/* Was what stands in this field now written as that one? */
static bool sip_field_comes_from(enum sip_field now, enum sip_field then)
{
	switch (now) {
	case SIP_F_RURI:
	case SIP_F_REFER_TO:
		return then == SIP_F_CONTACT;
	case SIP_F_ROUTE:
		return then == SIP_F_RECORD_ROUTE || then == SIP_F_PATH ||
		       then == SIP_F_SERVICE_ROUTE;
	default:
		return now == then;
	}
}

/* RFC 3261 18.1.2: a response belongs to what its client wrote as sent-by. */
static u32 sip_unmap_rank_via(const struct sip_unmap_query *q, const struct sip_mem *mem)
{
	if (mem->kind != SIP_MEM_SENT_BY || mem->field != q->field)
		return 0;
	return SIP_RANK_ANSWERS + (mem->same_branch ? SIP_RANK_BRANCH : 0);
}

/*
 * A Request-URI is a Contact only where somebody was told that Contact: inside
 * its dialog, from its registrar, or with its own user part. A number that is
 * called at a port forward is not one (RFC 3261 8.2.2.1, 12.2.2, 16.4).
 */
static u32 sip_unmap_rank_ruri(const struct sip_unmap_query *q, const struct sip_mem *mem)
{
	bool user = q->user_len && sip_mem_user_equal(q, mem);
	u32 rank = SIP_RANK_ANSWERS + (user ? SIP_RANK_USER : 0) +
		   (mem->this_dialog ? SIP_RANK_DIALOG : 0);

	/* CANCEL, ACK to a non-2xx, repeats: as their INVITE (9.1, 17.1.1.3). */
	if (mem->kind == SIP_MEM_TRANSACTION)
		return mem->same_branch && q->branch_len ? SIP_RANK_BRANCH + rank : 0;
	if (mem->field != SIP_F_CONTACT)
		return 0;
	switch (mem->kind) {
	case SIP_MEM_DIALOG:
	case SIP_MEM_SUBSCRIPTION:
		/* Who calls that number again means it, not this dialog's end. */
		return (q->to_tag ? mem->this_dialog : user && !mem->called) ? rank : 0;
	case SIP_MEM_REGISTRATION:
		return !q->to_tag && (mem->sender_is_peer || user) ? rank : 0;
	default:
		return 0;
	}
}

/* Contact, Refer-To and routes: of that dialog, else the same user, else newest. */
static u32 sip_unmap_rank_addr(const struct sip_unmap_query *q, const struct sip_mem *mem)
{
	if (mem->kind == SIP_MEM_SENT_BY || mem->kind == SIP_MEM_TRANSACTION)
		return 0;
	return SIP_RANK_ANSWERS + (sip_mem_user_equal(q, mem) ? SIP_RANK_USER : 0) +
	       (mem->this_dialog ? SIP_RANK_DIALOG : 0) +
	       (sip_field_comes_from(q->field, mem->field) ? SIP_RANK_FIELD : 0);
}

/**
 * sip_unmap_rank() - how well a memory answers what was found in a message
 * @q: what was found
 * @mem: a memory of the receiver's host for the same outside pair
 *
 * The caller takes the memory of the highest rank, among equals the newest. If
 * that one was not mapped, the value is kept.
 *
 * Return: 0: not at all; else the higher the better.
 */
u32 sip_unmap_rank(const struct sip_unmap_query *q, const struct sip_mem *mem)
{
	if (sip_field_is_via(q->field))
		return sip_unmap_rank_via(q, mem);
	if (q->field == SIP_F_RURI)
		return sip_unmap_rank_ruri(q, mem);
	return sip_unmap_rank_addr(q, mem);
}

/**
 * sip_unmap_rank_is_own() - is this rank out of reach for other dialogs?
 * @q: what was found
 * @rank: of a memory
 *
 * Return: true if only the message's own dialog or transaction has such a rank.
 */
bool sip_unmap_rank_is_own(const struct sip_unmap_query *q, u32 rank)
{
	/* Those of a Request-URI are Contacts all, and no field counts. */
	return rank >= (q->field == SIP_F_RURI ? SIP_RANK_DIALOG :
						 SIP_RANK_FIELD | SIP_RANK_DIALOG);
}
