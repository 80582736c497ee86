// SPDX-License-Identifier: GPL-2.0-only
/*
 * beyond.c - is there another NAT, or another ALG, outside of us?
 *
 * An answer shows the far side's view of its request: the source that it came
 * from (received=, RFC 3261 18.2.1) and the Via that stood in it. The core says
 * of a received= that it is not ours. A Via that is none of ours, in an answer
 * to a request that was, has been edited on the way. Both are counted as
 * reasons, and kept per call and registration for the list in procfs.
 *
 * Everything runs under sn->lock.
 */
#include "dialog.h"

/**
 * sip_strict_via_is_changed() - has somebody changed the Via that we sent on?
 * @w: the message in work, for the inside
 * @q: its topmost Via, which nobody inside wrote
 *
 * Only where the transaction is known to have begun inside: its sent-by is then
 * remembered, whether it was mapped or kept.
 *
 * Context: sn->lock held.
 * Return: true if somebody has.
 */
bool sip_strict_via_is_changed(const struct sip_strict_work *w, const struct sip_unmap_query *q)
{
	const struct sip_strict_txn *txn;

	if (q->field != SIP_F_VIA_SENT_BY || w->msg.request || !q->branch_len)
		return false;
	if (w->call_in) {
		txn = sip_strict_txn_of(w, w->call_in, w->msg.method);
		return txn && txn->out;
	}
	return (w->msg.method == SIP_M_REGISTER || w->msg.method == SIP_M_SUBSCRIBE) &&
	       sip_strict_reg_is_asked(w);
}

static bool sip_strict_is_noted(const struct sip_strict_work *w, enum sip_reason reason)
{
	u32 i;

	for (i = 0; i < w->plan.n_notes; i++)
		if (w->plan.note[i].reason == reason)
			return true;
	return false;
}

/**
 * sip_strict_beyond_learn() - what an answer to the inside says of the path
 * @w: the message in work, its plan complete
 * @beyond: of its call or registration; the newest answer counts
 *
 * Context: sn->lock held.
 */
void sip_strict_beyond_learn(const struct sip_strict_work *w, struct sip_strict_beyond *beyond)
{
	if (w->msg.request)
		return;
	if (sip_strict_is_noted(w, SIP_R_OTHER_NAT))
		beyond->nat = w->msg.via.received_ip;
	else if (w->msg.via.received_ip.family != SIP_AF_NONE)
		memset(&beyond->nat, 0, sizeof(beyond->nat));
	beyond->alg = sip_strict_is_noted(w, SIP_R_VIA_CHANGED);
}
