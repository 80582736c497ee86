/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan.h - what to change in a message, decided before a byte is changed.
 *
 * Message + ends of the path + address map -> edits sorted by offset, and the
 * facts that the state behind the map has to learn. A plan is complete or it
 * is refused with a reason and an offset; a refused plan has no edits.
 *
 * A message has two ends. Each is an endpoint as it is (real) and as the other
 * side sees it (seen). The sender's end goes through the "out" column of the
 * rules, then the receiver's through the "in" column; a value that the first
 * edited is not looked at by the second. Where real and seen agree there is no
 * NAT at that end, and it edits nothing.
 */
#ifndef SIP_PLAN_H
#define SIP_PLAN_H

#include "rules.h"
#include "sdp.h"

/**
 * struct sip_end - one end of the path of a message
 * @real: its own address and port
 * @seen: what the other end sees, and what we advertise for it
 * @inside: its values may be mapped or unmapped; false for an end that is
 *	outside although it is translated (source NAT towards an inside PBX)
 */
struct sip_end {
	struct sip_ap real;
	struct sip_ap seen;
	bool inside;
};

/**
 * struct sip_map_query - "what is this address of the sender called outside?"
 * @field: where it stands
 * @ap: the address and port named; the port is resolved to its default
 * @transport: that the value names, or the flow's
 * @said: the value itself names @transport
 * @own_only: only a live mapping will do (Refer-To, routes); make none
 * @public: @ap already is an outside address of ours: it will be kept, and
 *	gets its mapping all the same
 */
struct sip_map_query {
	enum sip_field field;
	struct sip_ap ap;
	enum sip_transport transport;
	bool said;
	bool own_only;
	bool public;
};

/**
 * struct sip_unmap_query - "did we put this here, and what stood there before?"
 * @field: where it stands
 * @ap: the address and port found; the port is resolved to its default
 * @transport: that the value names, or the flow's
 * @user: user part of the URI, may be empty
 * @branch: of the topmost Via
 * @method: of the message; @to_tag: the message has a To tag
 */
struct sip_unmap_query {
	enum sip_field field;
	struct sip_ap ap;
	enum sip_transport transport;
	const u8 *user;
	u32 user_len;
	const u8 *branch;
	u32 branch_len;
	enum sip_method method;
	bool to_tag;
};

/**
 * struct sip_media_query - one stream of the sender, as its SDP names it
 * @stream: facts of the stream
 * @rtp: address and port; @rtcp: of a=rtcp or the next port, port 0: none
 * @count: pairs that the m= line asks for
 * @self: @rtp.ip is the sender's own address
 * @public: @rtp.ip already is an outside address of ours
 * @existing_only: answer only from what the call has (hold by 0.0.0.0)
 */
struct sip_media_query {
	const struct sdp_stream *stream;
	struct sip_ap rtp;
	struct sip_ap rtcp;
	u16 count;
	bool self;
	bool public;
	bool existing_only;
};

struct sip_media_answer {
	struct sip_ap rtp;
	struct sip_ap rtcp;
};

/**
 * struct sip_map_ops - the address map, as the planner asks it
 *
 * Each returns SIP_R_OK with the answer filled in, or the reason to keep the
 * value (SIP_R_FOREIGN_ADDR where it is just none of ours: not counted).
 * SIP_R_NO_MEMORY, SIP_R_NO_PORT, SIP_R_TABLE_FULL and SIP_R_HOST_QUOTA refuse
 * the whole plan. Asking twice gives the same answer.
 *
 * @map: an address of the sender's host in a signalling field
 * @unmap: a mapping of ours for the receiver's host in a signalling field
 * @map_media: a stream of the sender
 * @unmap_media: a media address outside that is ours for the receiver
 */
struct sip_map_ops {
	enum sip_reason (*map)(void *priv, const struct sip_map_query *q, struct sip_ap *seen);
	enum sip_reason (*unmap)(void *priv, const struct sip_unmap_query *q,
				 struct sip_written *written);
	enum sip_reason (*map_media)(void *priv, const struct sip_media_query *q,
				     struct sip_media_answer *a);
	enum sip_reason (*unmap_media)(void *priv, const struct sip_ap *seen,
				       struct sip_ap *real);
};

/**
 * struct sip_ctx - all that the planner knows besides the message
 * @transport: of the packet; @snd, @rcv: its two ends
 * @ops, @priv: the address map
 */
struct sip_ctx {
	enum sip_transport transport;
	struct sip_end snd;
	struct sip_end rcv;
	const struct sip_map_ops *ops;
	void *priv;
};

/**
 * struct sip_edit - replace @len bytes at @off by @text_len bytes of text
 */
struct sip_edit {
	u32 off;
	u32 len;
	u16 text_off;
	u16 text_len;
	u8 field;
};

/**
 * struct sip_addr_fact - an address of the sender, to be remembered
 * @field: where it stood (Via sent-by, Contact, routes)
 * @written: as written, and @hp where
 * @user: user part of the URI; @uri: the URI; len 0 in a Via
 * @seen: as mapped; equal to what was written where it was kept
 * @real: the address and port named, port resolved
 * @transport: that the value names, or the flow's
 * @mapped: it was mapped; false: kept
 * @ours: mapped, or kept because it already was a public address of ours
 * @expires: of a Contact, or of those behind a Path, seconds; -1: not said
 * @star: Contact: *
 */
struct sip_addr_fact {
	u8 field;
	bool mapped;
	bool ours;
	bool star;
	enum sip_transport transport;
	struct sip_written written;
	struct sip_span user;
	struct sip_span uri;
	struct sip_ap real;
	struct sip_ap seen;
	s64 expires;
};

/**
 * struct sip_contact_in - a Contact value of a message that comes in
 * @ap: address and port it names (of the other side, or ours)
 * @ours: it was unmapped: one of the receiver's own; @written as it was
 * @expires: seconds; -1: not said
 */
struct sip_contact_in {
	struct sip_ap ap;
	struct sip_span user;
	bool ours;
	s64 expires;
};

/**
 * struct sip_media_fact - a stream of the message, in the order of m= lines
 * @stream: the text's facts; @conn: address that counts for it
 * @rtp, @rtcp: as the sender wrote them; rtp.port 0: refused or held off
 * @mapped: there is a mapping; @seen, @seen_rtcp: its outside pair
 * @hold: c= is 0.0.0.0 or ::
 */
struct sip_media_fact {
	u8 session; /* which SDP body */
	u8 stream; /* index in plan->sdp[session].stream */
	bool mapped;
	bool hold;
	struct sip_ap rtp;
	struct sip_ap rtcp;
	struct sip_ap seen;
	struct sip_ap seen_rtcp;
};

struct sip_note {
	u8 reason;
	u32 off;
};

#define SIP_MAX_SDP 2u /* session descriptions of one message that are read */

/**
 * struct sip_plan - the transaction
 * @reason: SIP_R_OK, or why it is refused; @reason_off: where
 * @edit: @n_edits edits, sorted, not overlapping; @text: their new bytes;
 *	@next_off: where the next one may begin that needs not be sorted in
 * @new_total: length of the message after the edits
 * @body_changed: the body changes
 * @sdp_counts: SDP of this message is an offer or answer
 * @addr: what the sender's own addresses became
 * @contact_in: Contacts of the far side, in messages that come in
 * @peer_ap: IP literals of remote Contact and Record-Route of the sender,
 *	whatever side it is on: who may send in this dialog
 * @media: streams, where @sdp_counts
 * @note: reasons met on the way, first offset of each; the notes of the
 *	message are among them
 */
struct sip_plan {
	enum sip_reason reason;
	u32 reason_off;
	u32 n_edits;
	u32 next_off;
	u32 text_len;
	u32 new_total;
	bool body_changed;
	bool sdp_counts;
	u8 n_addrs;
	u8 n_contacts_in;
	u8 n_media;
	u8 n_sdp;
	u8 n_notes;
	u8 n_peers;
	struct sip_edit edit[SIP_MAX_EDITS + 1]; /* the last one: on its way to its place */
	struct sip_addr_fact addr[SIP_MAX_ADDR_FACTS];
	struct sip_contact_in contact_in[8];
	struct sip_ap peer_ap[8];
	struct sip_media_fact media[SIP_MAX_STREAMS];
	struct sip_note note[SIP_MAX_NOTES];
	struct sdp_session sdp[SIP_MAX_SDP];
	struct sip_parts parts;
	u8 text[SIP_MAX_PLAN_TEXT + SIP_NUMBER_TEXT]; /* a number is written, then counted */
};

enum sip_reason sip_plan_make(struct sip_plan *plan, const struct sip_msg *msg,
			      const struct sip_ctx *ctx);

/* apply.c */
u32 sip_plan_apply(const struct sip_plan *plan, const struct sip_msg *msg, u8 *out, u32 size);

/*
 * The order in which both NATs at once are told apart: a source that is
 * translated from a global to a private address is an outside one.
 */
bool sip_end_is_inside(const struct sip_ap *real, const struct sip_ap *seen, bool both);

#endif /* SIP_PLAN_H */
