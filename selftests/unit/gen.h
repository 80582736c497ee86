/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gen.h - SIP messages made up from a number, for property tests.
 */
#ifndef GEN_H
#define GEN_H

#include "msg.h"

#define GEN_MAX 8192u

/**
 * struct gen - a message in the making
 * @seed: state of the random numbers; the same seed makes the same message
 * @text: @len bytes so far
 */
struct gen {
	u64 seed;
	u32 len;
	u8 text[GEN_MAX];
};

u32 gen_below(struct gen *gen, u32 n);

/* A message that is valid, in whatever form the grammar allows. */
void gen_message(struct gen *gen);

/* Damage the message in gen->text: bytes changed, cut, doubled, moved. */
void gen_damage(struct gen *gen);

#endif /* GEN_H */
