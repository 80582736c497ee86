/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h - the counters of a namespace.
 *
 * The list in counters.h makes the members and the lines of the proc file; the
 * reasons for not editing and the edits by field come from the lists of the core. Per CPU,
 * never reset, written without a lock: on 32-bit machines a reader may catch a
 * counter between its two halves once in 2^32.
 */
#ifndef SIP_STRICT_STATS_H
#define SIP_STRICT_STATS_H

#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/types.h>

#include "core/reasons.h"
#include "core/rules.h"
#include "counters.h"

struct sip_strict_net;

struct sip_strict_stats {
#define X(name, text) u64 name;
	SIP_STRICT_STATS(X)
#undef X
	u64 edits[SIP_F_MAX];
	u64 reasons[SIP_R_MAX];
};

#define SIP_STRICT_INC(sn, name) this_cpu_inc((sn)->stats->name)

int sip_strict_stats_init(struct sip_strict_net *sn);
void sip_strict_stats_exit(struct sip_strict_net *sn);

void sip_strict_stat_reason(struct sip_strict_net *sn, enum sip_reason reason);
void sip_strict_stat_edit(struct sip_strict_net *sn, enum sip_field field);

/* Write all counters as "name value" lines, summed over the CPUs. */
void sip_strict_stats_show(struct seq_file *seq, const struct sip_strict_net *sn);

#endif /* SIP_STRICT_STATS_H */
