/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - results of a test program: TAP lines, counts, bytes made visible.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../nf_conntrack_sip_strict/core/plan.h"

static unsigned int check_count;
static unsigned int check_failed;

/* One result. Returns @good, so that a caller can add details. */
__attribute__((format(printf, 2, 3))) static inline bool check(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", ++check_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	if (!good)
		check_failed++;
	return good;
}

/* Prints the plan; the exit code comes from the counts alone. */
static inline int check_end(void)
{
	printf("1..%u\n", check_count);
	if (!check_count)
		return EXIT_FAILURE;
	return check_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Bytes as lines of a TAP comment, with CR, LF, tab and others visible. */
static inline void check_show(const char *what, const u8 *bytes, u32 len)
{
	u32 i;

	printf("# %s:\n# ", what);
	for (i = 0; i < len; i++) {
		if (bytes[i] == '\r')
			printf("\\r");
		else if (bytes[i] == '\n')
			printf(i + 1 < len ? "\\n\n# " : "\\n");
		else if (bytes[i] == '\t')
			printf("\\t");
		else if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			printf("\\x%02x", bytes[i]);
		else
			putchar(bytes[i]);
	}
	putchar('\n');
}

/* The whole of a file, or NULL. The caller frees it. */
static inline u8 *check_read(const char *path, u32 *len)
{
	FILE *file = fopen(path, "rb");
	u8 *bytes = NULL;
	long size;

	if (!file)
		return NULL;
	if (!fseek(file, 0, SEEK_END) && (size = ftell(file)) >= 0 && !fseek(file, 0, SEEK_SET)) {
		bytes = malloc((size_t)size + 1);
		if (bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size) {
			bytes[size] = 0;
			*len = (u32)size;
		} else {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* Every promise that a finished plan makes by itself; NULL: all kept. */
static inline const char *check_plan(const struct sip_plan *plan, const struct sip_msg *msg)
{
	u32 total = msg->total;
	u32 end = 0;
	u32 i;

	if (plan->reason && (plan->n_edits || plan->n_addrs || plan->n_media || plan->n_peers ||
			     plan->n_contacts_in))
		return "a refused plan has edits or facts";
	for (i = 0; i < plan->n_edits; i++) {
		const struct sip_edit *edit = &plan->edit[i];

		if (edit->off < end || (i && edit->off == plan->edit[i - 1].off))
			return "edits overlap or are not sorted";
		if (edit->off + edit->len > msg->total)
			return "an edit is outside of the message";
		if (edit->text_off + edit->text_len > plan->text_len)
			return "the text of an edit is outside of the plan";
		if (edit->len == edit->text_len &&
		    !memcmp(msg->buf + edit->off, plan->text + edit->text_off, edit->len))
			return "an edit changes nothing";
		if (edit->field >= SIP_F_MAX)
			return "an edit has no field";
		end = edit->off + edit->len;
		total = total + edit->text_len - edit->len;
	}
	if (plan->new_total != total)
		return "new_total is not the length after the edits";
	return NULL;
}

#endif /* CHECK_H */
