// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz/plan.c - any bytes parsed, planned and applied.
 *
 * Promises: the properties of ../prop.c (bytes outside of the edits are kept,
 * Content-Length is right, the reply restores what was written, a message
 * without an inside address is untouched, planning is idempotent). The length
 * of the input chooses the gateway and the direction, so that seeds are plain
 * messages.
 */
#define main prop_main
#include "../prop.c"
#undef main

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const u32 ways = 2 * (u32)SIP_ARRAY_SIZE(gateways);
	const char *broken;
	u32 len = (u32)size;
	u32 way = len % ways;

	if (size > SIP_MAX_MSG)
		return 0;
	broken = prop_way(&gateways[way / 2], data, len, way % 2);
	if (broken)
		fprintf(stderr, "gateway \"%s\", %s: %s\n", gateways[way / 2].name,
			way % 2 ? "out" : "in", broken);
	MUST(!broken);
	return 0;
}
