/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * match.h - which remembered address answers an unmap query.
 *
 * The state keeps memories: what an inside host wrote, and what we made of it.
 * Several may answer for one outside pair. The ranking is SIP's, not the
 * table's, so it stands here.
 */
#ifndef SIP_MATCH_H
#define SIP_MATCH_H

#include "plan.h"

enum sip_mem_kind {
	SIP_MEM_SENT_BY, /* a Via of the last 32 s, or of an INVITE whose call is known */
	SIP_MEM_REGISTRATION,
	SIP_MEM_SUBSCRIPTION,
	SIP_MEM_DIALOG,
	SIP_MEM_TRANSACTION, /* what the INVITE with this branch got as Request-URI */
};

/**
 * struct sip_mem - one memory, as far as the ranking looks at it
 * @kind: what it belongs to
 * @field: where it was written
 * @mapped: we changed it; false: it went out as written
 * @this_dialog: it belongs to the dialog of the message
 * @sender_is_peer: the sender of the message is its registrar or peer
 * @called: the user part is the number that was called to begin this dialog
 * @same_branch: the branch of the message is the one it went with
 * @user, @user_len: user part it was written with
 */
struct sip_mem {
	enum sip_mem_kind kind;
	enum sip_field field;
	bool mapped;
	bool this_dialog;
	bool sender_is_peer;
	bool same_branch;
	bool called;
	const u8 *user;
	u32 user_len;
};

/*
 * 0: does not answer; otherwise the higher the better, and among equals the
 * newest wins. A best match with !mem->mapped means: keep.
 */
u32 sip_unmap_rank(const struct sip_unmap_query *q, const struct sip_mem *mem);

/* Can no memory but those of the message's own dialog or transaction rank so high? */
bool sip_unmap_rank_is_own(const struct sip_unmap_query *q, u32 rank);

#endif /* SIP_MATCH_H */
