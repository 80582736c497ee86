/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.h - where a message ends in a stream (RFC 3261 section 18.3).
 */
#ifndef SIP_FRAME_H
#define SIP_FRAME_H

#include "msg.h"

/* What begins at the first byte that is not delimited yet. */
enum sip_frame {
	SIP_FRAME_MORE, /* cannot be told yet, or is not whole */
	SIP_FRAME_MESSAGE, /* one whole message, read */
	SIP_FRAME_BAD, /* one whole message that is malformed: msg->reason */
	SIP_FRAME_IDLE, /* keep-alive: CRLF, NUL (RFC 5626 section 4.4.1) */
	SIP_FRAME_END, /* nothing that can be delimited, from here on: msg->reason */
};

/**
 * struct sip_framer - what is known of the message that has begun
 * @scanned: bytes that were looked at for the end of the head
 * @need: bytes of the whole message; 0: the head has not ended
 * @started: its start line was seen, and is one
 */
struct sip_framer {
	u32 scanned;
	u32 need;
	bool started;
};

enum sip_frame sip_frame_next(struct sip_framer *framer, struct sip_msg *msg, const u8 *buf,
			      u32 len, u32 *total);

#endif /* SIP_FRAME_H */
