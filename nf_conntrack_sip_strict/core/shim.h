/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shim.h - everything the core needs from the outside world.
 *
 * The core compiles unchanged in the kernel and in user space. This is its
 * only file that asks which of the two it is. The core needs fixed width
 * integers, bool, NULL, memcpy(), memcmp() and memset(): no allocator, no
 * locks, no time, no printing.
 */
#ifndef SIP_SHIM_H
#define SIP_SHIM_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define sip_noinline noinline
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define sip_noinline __attribute__((__noinline__))
#endif

#define sip_inline __attribute__((__always_inline__))
#define SIP_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A place in an array: it is worked out once, and not again for each of its members. */
static inline void *sip_once(const void *place)
{
	__asm__("" : "+r"(place));
	return (void *)place;
}

#endif /* SIP_SHIM_H */
