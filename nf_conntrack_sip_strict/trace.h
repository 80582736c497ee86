/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - tracepoints of the group sip_strict.
 *
 * Everything that came from the network is copied bounded, with bytes outside
 * 0x21-0x7e and '\' as \xHH, so that a line of the trace is "key=value" words
 * like a line of /proc/net/nf_conntrack_sip_strict, and no sender can forge
 * one. Fields are only ever appended. Arguments are pointers to what the
 * caller has at hand: with the tracepoint off nothing is computed.
 *
 * sip_strict_message, before the skb is changed or with msg->buf on the copy:
 *	outcome: kept, edited, observed (mode 2 would have edited it), refused
 *	(by the plan), malformed, dropped, failed (no memory or room to edit)
 * sip_strict_edit, for each edit, after its message:
 *	what stood there and what stands there now
 * sip_strict_skip: why something was not edited, where, and the bytes around
 * sip_strict_dialog: kind call: event new, confirmed (its end is a sip_strict_call_end);
 *	kind registration, subscription: event confirmed, refreshed, ended
 * sip_strict_expect, of a mapping: event armed, closed, used, refused, latched,
 *	ice, clash, other_uplink, published
 * sip_strict_call_end: one call with all its streams
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sip_strict

/* This part is read once, the events below many times. */
#ifndef SIP_STRICT_TRACE_TYPES_H
#define SIP_STRICT_TRACE_TYPES_H

#include <linux/in6.h>

#include "sip_strict.h"

#define SIP_STRICT_TRACE_TEXT 64 /* bytes of an edit that are shown */
#define SIP_STRICT_TRACE_AROUND 16 /* bytes shown on each side of an offset */
#define SIP_STRICT_TRACE_STREAMS 2048 /* bytes of text for all streams of a call */

/**
 * struct sip_strict_stream - a mapping of a call when the call ends
 * @class: SIP_STRICT_CLASS_*; @kind: SIP_STRICT_RTP or SIP_STRICT_RTCP
 * @mline: number of the m= line; @verdict: SIP_STRICT_V_*
 * @in, @out: its pairs
 * @packets, @bytes: [0] from inside, [1] from outside
 * @refused: packets from sources that were not admitted
 * @offloaded: some of its packets passed in a flowtable, uncounted
 */
struct sip_strict_stream {
	u8 class;
	u8 kind;
	u8 mline;
	u8 verdict;
	bool offloaded;
	struct sip_strict_end in;
	struct sip_strict_end out;
	u64 packets[2];
	u64 bytes[2];
	u32 refused;
};

const char *sip_strict_class_name(u8 class);
const char *sip_strict_kind_name(u8 kind);

/* Address and port as a sockaddr, for %pISpc; sa holds a struct sockaddr_in6. */
void sip_strict_ap_sockaddr(void *sa, const struct sip_ap *ap);
void sip_strict_end_sockaddr(void *sa, const struct sip_strict_end *end);

/* Bytes escaped: the length they take, and the text with its NUL. */
u32 sip_strict_escaped_len(const u8 *s, u32 len, u32 max);
void sip_strict_escape(char *out, const u8 *s, u32 len, u32 max);

u32 sip_strict_streams_text(char *buf, u32 size, const struct sip_strict_stream *stream, u32 n);

/* The piece of a message around an offset; msg NULL: nothing. */
static inline u32 sip_strict_around_off(u32 off)
{
	return off > SIP_STRICT_TRACE_AROUND ? off - SIP_STRICT_TRACE_AROUND : 0;
}

static inline u32 sip_strict_around_len(const struct sip_msg *msg, u32 off)
{
	u32 from = sip_strict_around_off(off);

	if (!msg || from >= msg->len)
		return 0;
	return min(msg->len - from, off - from + SIP_STRICT_TRACE_AROUND);
}

static inline const u8 *sip_strict_around(const struct sip_msg *msg, u32 off)
{
	return msg ? msg->buf + sip_strict_around_off(off) : NULL;
}

/* A Call-ID that was not read stands as empty text. */
static inline const u8 *sip_strict_msg_id(const struct sip_msg *msg)
{
	return msg ? msg->buf + msg->call_id.off : NULL;
}

static inline u32 sip_strict_msg_id_len(const struct sip_msg *msg)
{
	return msg ? msg->call_id.len : 0;
}

#define SIP_STRICT_TEXT(name, s, len, max) \
	__dynamic_array(char, name, sip_strict_escaped_len(s, len, max) + 1)
#define SIP_STRICT_SHOW_REASON(name, str, text) { SIP_R_##name, str },
#define SIP_STRICT_SHOW_FIELD(name, str) { SIP_F_##name, str },
#define SIP_STRICT_SHOW_METHOD(name, str) { SIP_M_##name, str },
#define SIP_STRICT_DEFINE_REASON(name, str, text) TRACE_DEFINE_ENUM(SIP_R_##name);
#define SIP_STRICT_DEFINE_FIELD(name, str) TRACE_DEFINE_ENUM(SIP_F_##name);
#define SIP_STRICT_DEFINE_METHOD(name, str) TRACE_DEFINE_ENUM(SIP_M_##name);

#endif /* SIP_STRICT_TRACE_TYPES_H */

#if !defined(SIP_STRICT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SIP_STRICT_TRACE_H

#include <linux/tracepoint.h>

/* So that perf and trace-cmd can resolve the symbols too. */
SIP_REASONS(SIP_STRICT_DEFINE_REASON)
SIP_FIELDS(SIP_STRICT_DEFINE_FIELD)
SIP_METHODS(SIP_STRICT_DEFINE_METHOD)
TRACE_DEFINE_ENUM(SIP_R_OK);
TRACE_DEFINE_ENUM(SIP_F_MAX);
TRACE_DEFINE_ENUM(SIP_M_OTHER);

TRACE_EVENT(sip_strict_message,
	TP_PROTO(const struct net *net, const struct sip_msg *msg, u8 proto,
		 const struct sip_ap *src, const struct sip_ap *dst, const char *outcome,
		 u32 edits, u32 new_len),

	TP_ARGS(net, msg, proto, src, dst, outcome, edits, new_len),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, proto)
		__field(u8, request)
		__field(u8, method)
		__field(u16, status)
		__field(u32, cseq)
		__array(u8, src, sizeof(struct sockaddr_in6))
		__array(u8, dst, sizeof(struct sockaddr_in6))
		__array(char, outcome, 16)
		__field(u32, edits)
		__field(u32, len)
		__field(u32, new_len)
		SIP_STRICT_TEXT(call_id, sip_strict_msg_id(msg), sip_strict_msg_id_len(msg),
				SIP_STRICT_CALLID_SHOWN)
	),

	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->proto = proto;
		__entry->request = msg->request;
		__entry->method = msg->method;
		__entry->status = msg->status;
		__entry->cseq = msg->cseq;
		sip_strict_ap_sockaddr(__entry->src, src);
		sip_strict_ap_sockaddr(__entry->dst, dst);
		strscpy(__entry->outcome, outcome, sizeof(__entry->outcome));
		__entry->edits = edits;
		__entry->len = msg->total;
		__entry->new_len = new_len;
		sip_strict_escape(__get_str(call_id), sip_strict_msg_id(msg),
				  sip_strict_msg_id_len(msg), SIP_STRICT_CALLID_SHOWN);
	),

	TP_printk("netns=%u proto=%s %s=%s status=%u cseq=%u src=%pISpc dst=%pISpc outcome=%s edits=%u len=%u new_len=%u call_id=%s",
		  __entry->netns, __entry->proto == IPPROTO_TCP ? "tcp" : "udp",
		  __entry->request ? "request" : "response",
		  __print_symbolic(__entry->method, SIP_METHODS(SIP_STRICT_SHOW_METHOD)
				   { SIP_M_OTHER, "other" }),
		  __entry->status, __entry->cseq, __entry->src, __entry->dst, __entry->outcome,
		  __entry->edits, __entry->len, __entry->new_len, __get_str(call_id))
);

TRACE_EVENT(sip_strict_edit,
	TP_PROTO(const struct net *net, const struct sip_msg *msg, const struct sip_edit *edit,
		 const u8 *text),

	TP_ARGS(net, msg, edit, text),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, field)
		__field(u32, off)
		__field(u32, len)
		__field(u32, new_len)
		SIP_STRICT_TEXT(old, msg->buf + edit->off, edit->len, SIP_STRICT_TRACE_TEXT)
		SIP_STRICT_TEXT(new, text + edit->text_off, edit->text_len, SIP_STRICT_TRACE_TEXT)
		SIP_STRICT_TEXT(call_id, sip_strict_msg_id(msg), sip_strict_msg_id_len(msg),
				SIP_STRICT_CALLID_SHOWN)
	),

	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->field = edit->field;
		__entry->off = edit->off;
		__entry->len = edit->len;
		__entry->new_len = edit->text_len;
		sip_strict_escape(__get_str(old), msg->buf + edit->off, edit->len,
				  SIP_STRICT_TRACE_TEXT);
		sip_strict_escape(__get_str(new), text + edit->text_off, edit->text_len,
				  SIP_STRICT_TRACE_TEXT);
		sip_strict_escape(__get_str(call_id), sip_strict_msg_id(msg),
				  sip_strict_msg_id_len(msg), SIP_STRICT_CALLID_SHOWN);
	),

	TP_printk("netns=%u field=%s off=%u len=%u new_len=%u old=%s new=%s call_id=%s",
		  __entry->netns,
		  __print_symbolic(__entry->field, SIP_FIELDS(SIP_STRICT_SHOW_FIELD)
				   { SIP_F_MAX, "none" }),
		  __entry->off, __entry->len, __entry->new_len, __get_str(old), __get_str(new),
		  __get_str(call_id))
);

TRACE_EVENT(sip_strict_skip,
	TP_PROTO(const struct net *net, const struct sip_msg *msg, u8 reason, u32 off),

	TP_ARGS(net, msg, reason, off),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, reason)
		__field(u32, off)
		__field(u32, from)
		SIP_STRICT_TEXT(around, sip_strict_around(msg, off),
				sip_strict_around_len(msg, off), 2 * SIP_STRICT_TRACE_AROUND)
		SIP_STRICT_TEXT(call_id, sip_strict_msg_id(msg), sip_strict_msg_id_len(msg),
				SIP_STRICT_CALLID_SHOWN)
	),

	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->reason = reason;
		__entry->off = off;
		__entry->from = sip_strict_around_off(off);
		sip_strict_escape(__get_str(around), sip_strict_around(msg, off),
				  sip_strict_around_len(msg, off), 2 * SIP_STRICT_TRACE_AROUND);
		sip_strict_escape(__get_str(call_id), sip_strict_msg_id(msg),
				  sip_strict_msg_id_len(msg), SIP_STRICT_CALLID_SHOWN);
	),

	TP_printk("netns=%u reason=%s off=%u from=%u around=%s call_id=%s", __entry->netns,
		  __print_symbolic(__entry->reason, SIP_REASONS(SIP_STRICT_SHOW_REASON)
				   { SIP_R_OK, "ok" }),
		  __entry->off, __entry->from, __get_str(around), __get_str(call_id))
);

TRACE_EVENT(sip_strict_dialog,
	TP_PROTO(const struct net *net, const char *kind, const char *event, const u8 *id,
		 u32 id_len, const struct sip_ap *inside, const struct sip_ap *outside),

	TP_ARGS(net, kind, event, id, id_len, inside, outside),

	TP_STRUCT__entry(
		__field(u32, netns)
		__array(char, kind, 16)
		__array(char, event, 16)
		__array(u8, inside, sizeof(struct sockaddr_in6))
		__array(u8, outside, sizeof(struct sockaddr_in6))
		SIP_STRICT_TEXT(call_id, id, id_len, SIP_STRICT_CALLID_SHOWN)
	),

	TP_fast_assign(
		__entry->netns = net->ns.inum;
		strscpy(__entry->kind, kind, sizeof(__entry->kind));
		strscpy(__entry->event, event, sizeof(__entry->event));
		sip_strict_ap_sockaddr(__entry->inside, inside);
		sip_strict_ap_sockaddr(__entry->outside, outside);
		sip_strict_escape(__get_str(call_id), id, id_len, SIP_STRICT_CALLID_SHOWN);
	),

	TP_printk("netns=%u kind=%s event=%s inside=%pISpc outside=%pISpc call_id=%s",
		  __entry->netns, __entry->kind, __entry->event, __entry->inside,
		  __entry->outside, __get_str(call_id))
);

TRACE_EVENT(sip_strict_expect,
	TP_PROTO(const struct net *net, const struct sip_strict_map *map, const char *event,
		 const struct sip_strict_end *remote),

	TP_ARGS(net, map, event, remote),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u64, id)
		__field(u8, proto)
		__array(char, event, 16)
		__array(char, class, 16)
		__array(char, kind, 16)
		__array(u8, inside, sizeof(struct sockaddr_in6))
		__array(u8, outside, sizeof(struct sockaddr_in6))
		__array(u8, remote, sizeof(struct sockaddr_in6))
	),

	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->id = map->id;
		__entry->proto = map->in.proto;
		strscpy(__entry->event, event, sizeof(__entry->event));
		strscpy(__entry->class, sip_strict_class_name(map->class),
			sizeof(__entry->class));
		strscpy(__entry->kind, sip_strict_kind_name(map->kind), sizeof(__entry->kind));
		sip_strict_end_sockaddr(__entry->inside, &map->in);
		sip_strict_end_sockaddr(__entry->outside, &map->out);
		sip_strict_end_sockaddr(__entry->remote, remote);
	),

	TP_printk("netns=%u id=%llu proto=%s event=%s class=%s kind=%s in=%pISpc out=%pISpc remote=%pISpc",
		  __entry->netns, __entry->id, __entry->proto == IPPROTO_TCP ? "tcp" : "udp",
		  __entry->event, __entry->class, __entry->kind, __entry->inside,
		  __entry->outside, __entry->remote)
);

TRACE_EVENT(sip_strict_call_end,
	TP_PROTO(const struct net *net, const struct sip_strict_call *call, const char *why,
		 u32 duration_ms, const struct sip_strict_stream *stream, u32 n_streams),

	TP_ARGS(net, call, why, duration_ms, stream, n_streams),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, outbound)
		__field(u32, duration_ms)
		__field(u32, n_streams)
		__array(char, why, 24)
		__array(char, verdict, 24)
		__array(u8, inside, sizeof(struct sockaddr_in6))
		__array(u8, outside, sizeof(struct sockaddr_in6))
		SIP_STRICT_TEXT(call_id, call->id, call->id_len, SIP_STRICT_CALLID_SHOWN)
		__dynamic_array(char, streams, sip_strict_streams_text(NULL, 0, stream,
								       n_streams) + 1)
	),

	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->outbound = call->outbound;
		__entry->duration_ms = duration_ms;
		__entry->n_streams = n_streams;
		strscpy(__entry->why, why, sizeof(__entry->why));
		strscpy(__entry->verdict, sip_strict_verdict_name(call->verdict),
			sizeof(__entry->verdict));
		sip_strict_ap_sockaddr(__entry->inside, &call->inside);
		sip_strict_ap_sockaddr(__entry->outside, &call->outside);
		sip_strict_escape(__get_str(call_id), call->id, call->id_len,
				  SIP_STRICT_CALLID_SHOWN);
		sip_strict_streams_text(__get_str(streams), __get_dynamic_array_len(streams),
					stream, n_streams);
	),

	TP_printk("netns=%u dir=%s inside=%pISpc outside=%pISpc duration_ms=%u verdict=%s why=%s streams=%u call_id=%s%s",
		  __entry->netns, __entry->outbound ? "out" : "in", __entry->inside,
		  __entry->outside, __entry->duration_ms, __entry->verdict, __entry->why,
		  __entry->n_streams, __get_str(call_id), __get_str(streams))
);

#endif /* SIP_STRICT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
