// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame.c - where a message ends in a stream (RFC 3261 section 18.3).
 *
 * A sender may write a message byte by byte, and each of them comes here. So
 * the start line is read when it can be, then new bytes alone are looked at for
 * the empty line, and the message is read once more when it is whole: whatever
 * the segments are, no byte of it is looked at more than a few times.
 */
#include "frame.h"
#include "token.h"

/* Behind the empty line that ends the head, from @off on; 0: not there yet. */
static u32 sip_head_end(const u8 *buf, u32 off, u32 len)
{
	u32 lf;

	for (lf = sip_find(buf, off, len, '\n'); lf < len; lf = sip_find(buf, lf + 1, len, '\n')) {
		if (lf + 1 < len && buf[lf + 1] == '\n')
			return lf + 2;
		if (lf + 2 < len && buf[lf + 1] == '\r' && buf[lf + 2] == '\n')
			return lf + 3;
	}
	return 0;
}

static u32 sip_idle_len(const u8 *buf, u32 len)
{
	u32 i = 0;

	while (i < len && (buf[i] == '\r' || buf[i] == '\n' || !buf[i]))
		i++;
	return i;
}

static enum sip_frame sip_frame_end(struct sip_msg *msg, enum sip_reason reason, u32 off)
{
	msg->reason = reason;
	msg->reason_off = off;
	return SIP_FRAME_END;
}

/* The start line: until it is whole, all of it is looked at again; it is short. */
static enum sip_frame sip_frame_start(struct sip_framer *framer, struct sip_msg *msg,
				      const u8 *buf, u32 len)
{
	enum sip_parse result = sip_msg_parse(msg, buf, len, true);

	if (result == SIP_PARSE_NOT_SIP)
		return sip_frame_end(msg, SIP_R_NOT_SIP, 0);
	framer->started = sip_find(buf, 0, len, '\n') < len;
	return SIP_FRAME_MORE;
}

/* The head is whole: read it, and with it how long the message is. */
static enum sip_frame sip_frame_read(struct sip_framer *framer, struct sip_msg *msg, const u8 *buf,
				     u32 len, u32 *total)
{
	switch (sip_msg_parse(msg, buf, len, true)) {
	case SIP_PARSE_OK:
		*total = msg->total;
		return SIP_FRAME_MESSAGE;
	case SIP_PARSE_MORE:
		framer->need = msg->total;
		return SIP_FRAME_MORE;
	case SIP_PARSE_BAD:
		if (!msg->total)
			return SIP_FRAME_END;
		framer->need = msg->total;
		if (msg->total > len || msg->total > SIP_MAX_MSG)
			return SIP_FRAME_MORE;
		*total = msg->total;
		return SIP_FRAME_BAD;
	default:
		return sip_frame_end(msg, SIP_R_NOT_SIP, 0);
	}
}

/**
 * sip_frame_next() - delimit what stands next in a stream
 * @framer: what is known of it; all zero before the first byte of it, and again
 *	after it was delimited
 * @msg: scratch; the message, where there is one
 * @buf: the bytes from there on: those of the last call, and perhaps more
 * @len: how many
 * @total: bytes of what was delimited
 *
 * Cost: a bounded number of looks at each byte, however often it is called.
 *
 * Return:
 * SIP_FRAME_MESSAGE, SIP_FRAME_BAD, SIP_FRAME_IDLE: *total bytes of that.
 * SIP_FRAME_MORE: call again with more. framer->need is how long it will be; 0:
 *	not known yet; above SIP_MAX_MSG: it is never read, pass so many bytes over.
 * SIP_FRAME_END: it does not begin like SIP, or cannot be delimited. msg->reason
 *	at msg->reason_off says why.
 */
enum sip_frame sip_frame_next(struct sip_framer *framer, struct sip_msg *msg, const u8 *buf,
			      u32 len, u32 *total)
{
	u32 from;

	if (!framer->started) {
		*total = sip_idle_len(buf, len);
		if (*total)
			return SIP_FRAME_IDLE;
		if (!len)
			return SIP_FRAME_MORE;
		if (sip_frame_start(framer, msg, buf, len) == SIP_FRAME_END)
			return SIP_FRAME_END;
		if (!framer->started)
			return SIP_FRAME_MORE;
	}
	if (framer->need)
		return len < framer->need ? SIP_FRAME_MORE :
					    sip_frame_read(framer, msg, buf, len, total);
	/* The line end may have been the last byte, or the CR behind it. */
	from = framer->scanned > 2 ? framer->scanned - 2 : 0;
	framer->scanned = len;
	if (sip_head_end(buf, from, len))
		return sip_frame_read(framer, msg, buf, len, total);
	return len > SIP_MAX_MSG ? sip_frame_end(msg, SIP_R_TOO_LONG, SIP_MAX_MSG) :
				   SIP_FRAME_MORE;
}
