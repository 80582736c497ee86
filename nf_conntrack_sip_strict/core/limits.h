/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * limits.h - every bound of the core in one place, each with its reason.
 */
#ifndef SIP_LIMITS_H
#define SIP_LIMITS_H

/* A UDP datagram cannot be longer; a held TCP message is not allowed to be. */
#define SIP_MAX_MSG 65535u

/*
 * A stream without a line end is not SIP behind this many bytes. Start lines
 * of 500 bytes have been seen (GRUU, history in the URI).
 */
#define SIP_MAX_START_LINE 4096u

/*
 * Header fields that the rules look at. A 6 kB request with 20 Via and 15
 * Record-Route fields uses some 50; unknown headers take no slot.
 */
#define SIP_MAX_HEADERS 96u

/* Host and port as somebody wrote them: a bracketed IPv6 literal plus port. */
#define SIP_MAX_WRITTEN 64u

/* Remembered addresses of one message: Via, Contacts, route entries. */
#define SIP_MAX_ADDR_FACTS 32u

/* m= lines of one message, all SDP bodies together. */
#define SIP_MAX_STREAMS 16u

/*
 * ICE candidates of one SDP, all streams together: audio and video with RTCP, over UDP
 * and TCP, of a host with several addresses, a STUN and a TURN server have some 60.
 */
#define SIP_MAX_CANDIDATES 128u

/* Two edits (host, port) for each address that a plan may touch. */
#define SIP_MAX_EDITS 192u

/* Replacement text of all edits; an IPv6 address and port take 47 bytes. */
#define SIP_MAX_PLAN_TEXT 4096u

/* A colon and the longest number. */
#define SIP_NUMBER_TEXT 11u

/* Reasons noted on the way while a plan goes on. */
#define SIP_MAX_NOTES 16u

/* Parts of a multipart body, nested ones counted too, and their nesting. */
#define SIP_MAX_PARTS 16u
#define SIP_MAX_NESTING 3u

#endif /* SIP_LIMITS_H */
