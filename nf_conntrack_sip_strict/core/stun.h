/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stun.h - the first packet of a media connection: STUN (RFC 8489), ICE (RFC 8445).
 */
#ifndef SIP_STUN_H
#define SIP_STUN_H

#include "span.h"

/* Of a connectivity check, what holds any USERNAME that stands among the first attributes. */
#define STUN_HEAD 320u

bool stun_is_message(const u8 *p, u32 len);
struct sip_span stun_check_ufrag(const u8 *p, u32 len);

#endif /* SIP_STUN_H */
