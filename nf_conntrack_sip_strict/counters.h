/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counters.h - the one list of counters, for the module and for the operator's
 * tool, which shows the sentences. It includes nothing.
 */
#ifndef SIP_STRICT_COUNTERS_H
#define SIP_STRICT_COUNTERS_H

/* X(name, "sentence"): new ones at the end, for the file is read by line. */
#define SIP_STRICT_STATS(X) \
	X(messages, "SIP messages that were read whole") \
	X(messages_edited, "messages that went on changed") \
	X(messages_kept, "messages that went on byte-exact") \
	X(observed, "messages that are only observed, and would have been changed") \
	X(keepalives, "keep-alives: CRLF, NUL, STUN") \
	X(not_sip, "datagrams that do not begin like SIP") \
	X(malformed, "SIP that cannot be understood") \
	X(dropped, "malformed messages dropped on request (drop_malformed)") \
	X(dialogs, "calls created") \
	X(dialogs_ended, "calls ended, for whatever reason") \
	X(registrations, "registrations and subscriptions created") \
	X(registrations_ended, "registrations and subscriptions ended") \
	X(mappings, "mappings made: media ports and contacts") \
	X(mappings_closed, "mappings ended with their last user") \
	X(expect_made, "mappings that went live: pinholes") \
	X(expect_used, "connections attached to a pinhole") \
	X(expect_failed, "pinholes that the kernel refused to list as expectations") \
	X(media_refused, "media packets from a source that media_peer does not admit") \
	X(media_latched, "media sources admitted by latching") \
	X(contact_refused, "packets to a contact that signalling_peer does not admit") \
	X(clash_ended, "connections of no call ended, for they held a call's tuple") \
	X(other_uplink, "media from inside that left by another uplink") \
	X(zone_dir, "pinholes not opened from outside: directional zone") \
	X(one_way_inside, "calls in which the inside was not heard") \
	X(one_way_outside, "calls in which the outside was not heard") \
	X(refused_source, "calls in which the outside sent from a refused source only") \
	X(both_heard, "calls in which both sides were heard") \
	X(not_judged, "calls without verdict: held, or offloaded") \
	X(over_mtu, "datagrams fragmented because the edit outgrew the MTU") \
	X(gso_split, "datagrams split out of one buffer") \
	X(helper_lost, "messages of flows served without their helper") \
	X(tcp_untouched, "TCP connections left alone for good") \
	X(tcp_holds, "TCP segments held until their message was whole") \
	X(evicted, "early calls evicted for new ones") \
	X(dead_calls, "calls ended by dead_call_timeout") \
	X(edit_failed, "messages that went on unedited: no memory, or no room") \
	X(helper_assigned, "flows that auto_assign gave the helper") \
	X(address_gone, "addresses of the gateway that went away") \
	X(neither_heard, "calls in which neither side was heard") \
	X(tcp_acks, "acknowledgments to senders that waited for one with half a message sent") \
	X(tcp_resends, "bursts of a message that was acknowledged here and got lost behind us") \
	X(ice_admitted, "media sources admitted by an ICE check with the inside's ufrag")

#endif /* SIP_STRICT_COUNTERS_H */
