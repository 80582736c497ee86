/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sdp.h - session descriptions and bodies (RFC 8866, RFC 2046).
 */
#ifndef SIP_SDP_H
#define SIP_SDP_H

#include "msg.h"

enum sdp_dir { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };
enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_IMAGE, SDP_OTHER };
enum sdp_proto { SDP_UDP_RTP, SDP_UDP_RAW, SDP_TCP, SDP_PROTO_OTHER };
enum sdp_setup { SDP_SETUP_NONE, SDP_ACTIVE, SDP_PASSIVE, SDP_ACTPASS, SDP_HOLDCONN };

/**
 * struct sdp_addr - an address in the text: where, and what
 * @text: the address as written; len 0: absent
 * @ip: family SIP_AF_NONE for a name or another network type
 * @bad: cannot be read, or stands twice in its section; @text is the line
 */
struct sdp_addr {
	struct sip_span text;
	struct sip_ip ip;
	bool bad;
};

/**
 * struct sdp_stream - one m= line with its attributes
 * @kind: what is sent
 * @proto: over what
 * @line: the m= line
 * @port_text: digits of its port
 * @port: their value
 * @count: number of ports of "49170/2", 1 otherwise
 * @conn: c= of this media section; text.len 0: the session's counts
 * @rtcp_port_text: digits of a=rtcp
 * @rtcp_port: their value; 0: none
 * @rtcp_addr: address of a=rtcp, where it has one
 * @rtcp_mux: a=rtcp-mux (RFC 5761)
 * @dir: direction attribute, the session's as default
 * @setup: a=setup (RFC 4145), the session's as default
 * @ice_ufrag: a=ice-ufrag, the session's as default
 * @msrp: proto is MSRP
 * @msrp_cema: a=msrp-cema (RFC 6714)
 * @cand_first: where its candidates begin in sdp_session.cand
 * @n_cands: how many they are
 * @remote_cands: values of an a=remote-candidates line; len 0: none
 * @bad: enum sip_reason why the m= line is kept as it is; its port is 0 then
 */
struct sdp_stream {
	struct sip_span line;
	struct sip_span port_text;
	struct sdp_addr conn;
	struct sip_span rtcp_port_text;
	struct sdp_addr rtcp_addr;
	struct sip_span ice_ufrag;
	struct sip_span remote_cands;
	u16 port;
	u16 count;
	u16 rtcp_port;
	u8 kind; /* enum sdp_kind */
	u8 proto; /* enum sdp_proto */
	u8 dir; /* enum sdp_dir */
	u8 setup; /* enum sdp_setup */
	bool rtcp_mux;
	bool msrp;
	bool msrp_cema;
	u8 cand_first;
	u8 n_cands;
	u8 bad;
};

/**
 * struct sdp_cand - one a=candidate of a stream (RFC 8839 section 5.1)
 * @addr: its address; not that of raddr
 * @port_text: digits of its port
 * @port: their value
 * @host: typ host
 * @udp: transport UDP (else a tcptype candidate)
 */
struct sdp_cand {
	struct sdp_addr addr;
	struct sip_span port_text;
	u16 port;
	bool host;
	bool udp;
};

/**
 * struct sdp_session - one session description
 * @body: its bytes
 * @conn: session level c=
 * @n_streams: how many of @stream are filled in
 * @n_cands: how many of @cand
 * @stream: its m= lines, in order
 * @cand: candidates of all streams, in order
 * @notes: bit per enum sip_reason that was met and does not stop the reading
 * @reason: why it cannot be used
 * @reason_off: where, or where a second description begins
 */
struct sdp_session {
	struct sip_span body;
	struct sdp_addr conn;
	u8 n_streams;
	u8 n_cands;
	struct sdp_stream stream[SIP_MAX_STREAMS];
	struct sdp_cand cand[SIP_MAX_CANDIDATES];
	u64 notes;
	enum sip_reason reason;
	u32 reason_off;
};

/* sdp.c */
enum sip_reason sdp_parse(const u8 *buf, struct sip_span body, struct sdp_session *sdp);
/* The same; an address that is written as @known needs no second reading. */
enum sip_reason sdp_read(const u8 *buf, struct sip_span body, const struct sip_hostport *known,
			 struct sdp_session *sdp);

/**
 * struct sip_part - a body part that matters: SDP, or a multipart around it
 * @body: its bytes
 * @content_length: digits of its own Content-Length, if any
 * @sdp: type is application/sdp, disposition absent, session or early-session,
 *	not encoded
 * @delta: for the planner: growth by the edits inside
 * @parent: index of the enclosing multipart, or 0xff
 */
struct sip_part {
	struct sip_span body;
	struct sip_span content_length;
	bool sdp;
	s32 delta;
	u8 parent;
};

/**
 * struct sip_parts - the parts of a body that matter
 * @n: how many
 * @notes: bit per enum sip_reason that was met on the way
 * @part: the first is the body itself, enclosing ones stand first
 */
struct sip_parts {
	u8 n;
	u64 notes;
	struct sip_part part[SIP_MAX_PARTS];
};

/* multipart.c */
enum sip_reason sip_parts_find(const struct sip_msg *msg, struct sip_parts *parts);

#endif /* SIP_SDP_H */
