/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core.h - what the parts of sip-strict-core share.
 */
#ifndef SIP_STRICT_CORE_H
#define SIP_STRICT_CORE_H

#include <stdio.h>

#include "msg.h"

/**
 * struct packet_info - where a message or datagram of a capture comes from
 * @time: seconds since 1970
 * @tcp: else UDP
 * @src, @dst: its ends
 */
struct packet_info {
	double time;
	bool tcp;
	struct sip_ap src;
	struct sip_ap dst;
};

/* capture.c: reads a file; calls message() for each message; 0, or 1 with a line on stderr. */
int capture_read(const char *file);

/* core.c */
void message_found(const struct packet_info *info, enum sip_parse parsed,
		   const struct sip_msg *msg, const u8 *bytes, u32 len);
void json_text(const u8 *s, u32 len);
void json_ap(const char *key, const struct sip_ap *ap);

#endif /* SIP_STRICT_CORE_H */
