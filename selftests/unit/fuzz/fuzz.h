/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h - what the fuzz targets share.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the program, so that the engine keeps the input. */
#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static inline bool span_within(struct sip_span s, u32 off, u32 end)
{
	return !s.len || (s.off >= off && s.off <= end && s.len <= end - s.off);
}

#endif /* FUZZ_H */
