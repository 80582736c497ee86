// SPDX-License-Identifier: GPL-2.0-only
/*
 * reasons.c - the reasons as words, for counters, traces and people.
 */
#include "reasons.h"
#include "shim.h"

/* msg->notes and sdp->notes hold a bit for each: no more than 64 of them. */
enum { SIP_REASONS_FIT = 1 / (SIP_R_MAX <= 64) };

/**
 * sip_reason_name() - a reason as one word
 * @reason: the reason
 *
 * Return: its name, "ok" for none, never NULL.
 */
const char *sip_reason_name(enum sip_reason reason)
{
	static const char *const names[SIP_R_MAX] = {
		[SIP_R_OK] = "ok",
#define X(name, str, text) [SIP_R_##name] = str,
		SIP_REASONS(X)
#undef X
	};

	return (u32)reason < SIP_R_MAX ? names[reason] : "unknown";
}

/**
 * sip_reason_text() - a reason as an operator reads it
 * @reason: the reason
 *
 * Return: the text, never NULL.
 */
const char *sip_reason_text(enum sip_reason reason)
{
	static const char *const texts[SIP_R_MAX] = {
		[SIP_R_OK] = "nothing is wrong",
#define X(name, str, text) [SIP_R_##name] = text,
		SIP_REASONS(X)
#undef X
	};

	return (u32)reason < SIP_R_MAX ? texts[reason] : "unknown reason";
}
