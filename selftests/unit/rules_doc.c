// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_doc.c - print the table of rules for users: docs/rules.md.
 *
 * rules_doc            prints it
 * rules_doc --check F  compares it with a file, line by line
 *
 * The table in core/rules.c is the policy; this page cannot say anything else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "tap.h"

static const char *const head[] = {
	"# What is rewritten, field by field",
	"",
	"<!-- Printed from the table in nf_conntrack_sip_strict/core/rules.c: `make -C selftests/unit "
	"docs` -->",
	"",
	"- **map**: the value is an address of the endpoint that sends, and the message goes out:",
	"  the address and port that the outside sees are put in its place.",
	"- **unmap**: the message comes in, and the value is one that this gateway put there for the",
	"  host that the message goes to: what that host had written is put back, byte for byte.",
	"- **follow**: the number changes if, and only if, the body changes its length.",
	"- **keep**: byte-exact, always, even if the bytes happen to equal an address of ours.",
	"",
	"A message between two inside hosts passes the sender's *out* column, then the receiver's",
	"*in* column. A port that is absent stays absent where the mapped port is the default of its",
	"transport, and is written where it is not. Where there is no NAT, nothing is changed.",
	"",
	"| field | request out | response out | request in | response in | RFC | condition |",
	"|---|---|---|---|---|---|---|",
};

/* A cell must not end at a bar in its text. */
static void cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void row(FILE *out, const struct sip_rule *rule)
{
	u32 way;

	fputs("| ", out);
	cell(out, rule->where);
	for (way = 0; way < SIP_WAYS; way++) {
		enum sip_action action = (enum sip_action)rule->action[way];

		fprintf(out, action == SIP_KEEP ? " | %s" : " | **%s**",
			sip_action_name(action));
	}
	fputs(" | ", out);
	cell(out, rule->rfc);
	fputs(" | ", out);
	cell(out, rule->when);
	fputs(" |\n", out);
}

static void page(FILE *out)
{
	u32 i;

	for (i = 0; i < SIP_ARRAY_SIZE(head); i++)
		fprintf(out, "%s\n", head[i]);
	for (i = 0; i < SIP_F_MAX; i++)
		row(out, &sip_rules[i]);
}

static void check_rows(void)
{
	u32 i, j;

	for (i = 0; i < SIP_F_MAX; i++) {
		const struct sip_rule *rule = &sip_rules[i];

		if (!tap_ok(rule->rfc && *rule->rfc && rule->where && *rule->where && rule->when &&
			   *rule->when, "%s has RFC sections, a place and a condition",
			   sip_field_name((enum sip_field)i)))
			continue;
		for (j = 0; j < i; j++)
			if (!strcmp(rule->where, sip_rules[j].where))
				break;
		tap_ok(j == i, "%s is described once", sip_field_name((enum sip_field)i));
		tap_ok(rule->action[SIP_REQ_IN] != SIP_MAP && rule->action[SIP_RSP_IN] != SIP_MAP,
		      "%s is never mapped on the way in", sip_field_name((enum sip_field)i));
	}
}

static void check_page(const char *name)
{
	char *want = NULL, *line, *end;
	size_t size = 0;
	size_t got_len = 0;
	u8 *got = read_file(name, &got_len);
	FILE *out = open_memstream(&want, &size);
	unsigned int no = 1;
	char *at;

	if (!out || !got) {
		tap_ok(false, "%s can be read", name);
		free(got);
		return;
	}
	page(out);
	fclose(out);
	at = (char *)got;
	for (line = want; *line; line = end + 1, no++) {
		size_t len;

		end = strchr(line, '\n');
		len = (size_t)(end - line) + 1;
		if (strncmp(at, line, len)) {
			printf("# wanted: %.*s\n# stands: %.*s\n", (int)len - 1, line,
			       (int)strcspn(at, "\n"), at);
			break;
		}
		at += len;
	}
	tap_ok(!*line && !*at, "%s says what the table says, to line %u", name, no - 1);
	free(want);
	free(got);
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		page(stdout);
		return EXIT_SUCCESS;
	}
	if (argc != 3 || strcmp(argv[1], "--check")) {
		fprintf(stderr, "usage: rules_doc [--check FILE]\n");
		return 2;
	}
	check_rows();
	check_page(argv[2]);
	return tap_done();
}
