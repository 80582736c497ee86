/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dialog.h - what the parts of the call state offer each other.
 *
 * call.c has the table of calls, leg.c legs and transactions, dialog.c what a
 * message teaches, lifetime.c what time does. What the rest of the module sees
 * of them is in sip_strict.h.
 */
#ifndef SIP_STRICT_DIALOG_H
#define SIP_STRICT_DIALOG_H

#include "sip_strict.h"

/* The set of a call's contact mappings: they are open while the call lives. */
#define SIP_STRICT_CONTACT_BIT BIT(31)

/* call.c */
void sip_strict_call_free(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_reap *reap);
void sip_strict_call_end(struct sip_strict_net *sn, struct sip_strict_call *call,
			 const char *why, struct sip_strict_reap *reap);
void sip_strict_call_touch(struct sip_strict_net *sn, struct sip_strict_call *call,
			   unsigned long when);

/* leg.c */
u64 sip_strict_span_hash(const struct sip_strict_work *w, struct sip_span s);
struct sip_strict_txn *sip_strict_txn_of(const struct sip_strict_work *w,
					 struct sip_strict_call *call, u8 method);
void sip_strict_txn_drop(struct sip_strict_net *sn, struct sip_strict_call *call,
			 struct sip_strict_txn *txn, struct sip_strict_reap *reap);
struct sip_strict_txn *sip_strict_txn_make(struct sip_strict_work *w,
					   struct sip_strict_call *call, bool out);
bool sip_strict_txn_bit(struct sip_strict_call *call, struct sip_strict_txn *txn);
struct sip_strict_leg *sip_strict_leg_find(struct sip_strict_call *call, u64 inside,
					   u64 outside);
struct sip_strict_leg *sip_strict_leg_of(struct sip_strict_work *w,
					 struct sip_strict_call *call, bool out, bool make);
bool sip_strict_call_has_leg(const struct sip_strict_call *call);
bool sip_strict_leg_is_of(const struct sip_strict_leg *leg, const struct sip_strict_txn *txn);
void sip_strict_legs_drop(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_reap *reap);
bool sip_strict_call_is_dialling(const struct sip_strict_call *call);
void sip_strict_leg_close(struct sip_strict_net *sn, struct sip_strict_call *call,
			  struct sip_strict_leg *leg, const char *why,
			  struct sip_strict_reap *reap);

#endif /* SIP_STRICT_DIALOG_H */
