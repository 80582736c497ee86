// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats.c - the counters of a namespace.
 *
 * Counted on the packet path from any context, read by proc.c. A reason or
 * field out of range is the caller's bug; it is not allowed to write beside
 * the arrays.
 */
#include <linux/cpumask.h>

#include "sip_strict.h"

static const char *const sip_strict_stat_names[] = {
#define X(name, text) #name,
	SIP_STRICT_STATS(X)
#undef X
};

/* The named counters stand in front of the arrays, in the order of the list. */
static_assert(offsetof(struct sip_strict_stats, edits) ==
	      ARRAY_SIZE(sip_strict_stat_names) * sizeof(u64));
static_assert(sizeof(struct sip_strict_stats) % sizeof(u64) == 0);

/**
 * sip_strict_stats_init() - allocate the counters of a namespace
 * @sn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int sip_strict_stats_init(struct sip_strict_net *sn)
{
	sn->stats = alloc_percpu(struct sip_strict_stats);
	return sn->stats ? 0 : -ENOMEM;
}

/**
 * sip_strict_stats_exit() - free the counters, when nothing counts any more
 * @sn: the namespace
 */
void sip_strict_stats_exit(struct sip_strict_net *sn)
{
	free_percpu(sn->stats);
	sn->stats = NULL;
}

/**
 * sip_strict_stat_reason() - count a reason for not editing
 * @sn: the namespace
 * @reason: SIP_R_*; SIP_R_OK is not counted
 *
 * Context: any.
 */
void sip_strict_stat_reason(struct sip_strict_net *sn, enum sip_reason reason)
{
	if (reason > SIP_R_OK && reason < SIP_R_MAX)
		this_cpu_inc(sn->stats->reasons[reason]);
}

/**
 * sip_strict_stat_edit() - count an edit that was made
 * @sn: the namespace
 * @field: SIP_F_*, where it was made
 *
 * Context: any.
 */
void sip_strict_stat_edit(struct sip_strict_net *sn, enum sip_field field)
{
	if (field < SIP_F_MAX)
		this_cpu_inc(sn->stats->edits[field]);
}

/* Counter number @i of the struct, seen as one array. */
static u64 sip_strict_stats_sum(const struct sip_strict_net *sn, size_t i)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(((u64 *)per_cpu_ptr(sn->stats, cpu))[i]);
	return sum;
}

/* "sdp-m" is "edit_sdp_m": a name is one word for every tool. */
static void sip_strict_stats_line(struct seq_file *seq, const char *prefix, const char *name,
				  u64 value)
{
	seq_puts(seq, prefix);
	for (; *name; name++)
		seq_putc(seq, *name == '-' ? '_' : *name);
	seq_printf(seq, " %llu\n", value);
}

/**
 * sip_strict_stats_show() - write all counters of a namespace
 * @seq: where to
 * @sn: the namespace
 *
 * "name value" a line: the named ones, edit_<field>, skip_<reason>.
 *
 * Context: process.
 */
void sip_strict_stats_show(struct seq_file *seq, const struct sip_strict_net *sn)
{
	size_t base = offsetof(struct sip_strict_stats, edits) / sizeof(u64);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sip_strict_stat_names); i++)
		sip_strict_stats_line(seq, "", sip_strict_stat_names[i],
				      sip_strict_stats_sum(sn, i));
	for (i = 0; i < SIP_F_MAX; i++)
		sip_strict_stats_line(seq, "edit_", sip_field_name(i),
				      sip_strict_stats_sum(sn, base + i));
	base = offsetof(struct sip_strict_stats, reasons) / sizeof(u64);
	for (i = SIP_R_OK + 1; i < SIP_R_MAX; i++)
		sip_strict_stats_line(seq, "skip_", sip_reason_name(i),
				      sip_strict_stats_sum(sn, base + i));
}
