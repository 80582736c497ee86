// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict.c - were both sides heard?
 *
 * One-way audio is what an admin is called for. The packet counters of a
 * call's media say of each stream what was heard; the call gets the verdict of
 * its worst stream. A stream of a held call, and one that was ever offloaded
 * to a flowtable (whose counters say nothing), is not judged.
 *
 * Runs under sn->lock.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "sip_strict.h"
#include "trace.h"

static const char *const sip_strict_verdicts[] = {
	[SIP_STRICT_V_NONE] = "none",
	[SIP_STRICT_V_NOT_JUDGED] = "not_judged",
	[SIP_STRICT_V_BOTH] = "both_heard",
	[SIP_STRICT_V_INSIDE] = "inside_not_heard",
	[SIP_STRICT_V_OUTSIDE] = "outside_not_heard",
	[SIP_STRICT_V_REFUSED] = "refused_other_source",
	[SIP_STRICT_V_NEITHER] = "neither_heard",
};

/**
 * sip_strict_verdict_name() - a verdict for people
 * @verdict: enum sip_strict_verdict
 *
 * Return: its name, as in procfs and the trace.
 */
const char *sip_strict_verdict_name(u8 verdict)
{
	return verdict < ARRAY_SIZE(sip_strict_verdicts) ? sip_strict_verdicts[verdict] : "none";
}

static u8 sip_strict_verdict_of(const struct sip_strict_call *call,
				const struct sip_strict_use *use,
				const struct sip_strict_count *count)
{
	if (!call->answered || call->observe)
		return SIP_STRICT_V_NONE;
	if (!(use->mlines & ~call->held) || count->offloaded)
		return SIP_STRICT_V_NOT_JUDGED;
	if (count->packets[0] && count->packets[1])
		return SIP_STRICT_V_BOTH;
	if (count->refused && !count->packets[1])
		return SIP_STRICT_V_REFUSED;
	if (!count->packets[0] && !count->packets[1])
		return SIP_STRICT_V_NEITHER;
	return count->packets[1] ? SIP_STRICT_V_INSIDE : SIP_STRICT_V_OUTSIDE;
}

static bool sip_strict_verdict_counts(const struct sip_strict_use *use)
{
	return use->map->kind == SIP_STRICT_RTP && use->agreed;
}

/**
 * sip_strict_verdict_get() - judge a call by what its streams have carried
 * @sn: the namespace
 * @call: the call, its uses still there
 *
 * Context: sn->lock held.
 * Return: enum sip_strict_verdict, of the worst stream.
 */
u8 sip_strict_verdict_get(struct sip_strict_net *sn, struct sip_strict_call *call)
{
	struct sip_strict_count count;
	struct sip_strict_use *use;
	u8 worst = SIP_STRICT_V_NONE;

	list_for_each_entry(use, &call->uses, owner_node) {
		if (!sip_strict_verdict_counts(use))
			continue;
		sip_strict_map_count(sn, use->map, &count);
		worst = max(worst, sip_strict_verdict_of(call, use, &count));
	}
	return worst;
}

static void sip_strict_verdict_count(struct sip_strict_net *sn, u8 verdict)
{
	switch (verdict) {
	case SIP_STRICT_V_BOTH:
		SIP_STRICT_INC(sn, both_heard);
		break;
	case SIP_STRICT_V_INSIDE:
		SIP_STRICT_INC(sn, one_way_inside);
		break;
	case SIP_STRICT_V_OUTSIDE:
		SIP_STRICT_INC(sn, one_way_outside);
		break;
	case SIP_STRICT_V_REFUSED:
		SIP_STRICT_INC(sn, refused_source);
		break;
	case SIP_STRICT_V_NEITHER:
		SIP_STRICT_INC(sn, neither_heard);
		break;
	case SIP_STRICT_V_NOT_JUDGED:
		SIP_STRICT_INC(sn, not_judged);
		break;
	}
}

static void sip_strict_verdict_trace(struct sip_strict_net *sn, struct sip_strict_call *call,
				     const char *why)
{
	struct sip_strict_stream *streams;
	struct sip_strict_count count;
	struct sip_strict_use *use;
	u32 n = 0;

	streams = kcalloc(max_t(u32, call->n_uses, 1), sizeof(*streams), GFP_ATOMIC);
	if (!streams)
		return;
	list_for_each_entry(use, &call->uses, owner_node) {
		struct sip_strict_stream *stream = &streams[n];

		if (use->map->kind == SIP_STRICT_CONTACT || n == call->n_uses)
			continue;
		sip_strict_map_count(sn, use->map, &count);
		stream->class = use->map->class;
		stream->kind = use->map->kind;
		stream->mline = sip_strict_use_mline(use);
		stream->verdict = sip_strict_verdict_of(call, use, &count);
		stream->offloaded = count.offloaded;
		stream->in = use->map->in;
		stream->out = use->map->out;
		memcpy(stream->packets, count.packets, sizeof(stream->packets));
		memcpy(stream->bytes, count.bytes, sizeof(stream->bytes));
		stream->refused = count.refused;
		n++;
	}
	trace_sip_strict_call_end(sn->net, call, why, jiffies_to_msecs(jiffies - call->begun),
				  streams, n);
	kfree(streams);
}

/**
 * sip_strict_verdict_end() - judge, count and trace a call that ends
 * @sn: the namespace
 * @call: the call, its uses still there
 * @why: reason of the end
 *
 * Context: sn->lock held.
 */
void sip_strict_verdict_end(struct sip_strict_net *sn, struct sip_strict_call *call,
			    const char *why)
{
	call->verdict = sip_strict_verdict_get(sn, call);
	sip_strict_verdict_count(sn, call->verdict);
	if (trace_sip_strict_call_end_enabled())
		sip_strict_verdict_trace(sn, call, why);
}
