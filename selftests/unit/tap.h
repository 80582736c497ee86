/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h - TAP 13 output, and buffers whose end is the end of the world.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One result. Returns @passed, so that a test can stop there. */
bool tap_ok(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of explanation, behind "# ". */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the plan; the exit code of the program. */
int tap_done(void);

/*
 * A copy of @len bytes that ends at a page without access: reading one byte
 * too many is a crash, with or without sanitizers. Writable; guard_free()
 * gives it back.
 */
uint8_t *guard_copy(const void *bytes, size_t len);
void guard_free(uint8_t *copy, size_t len);

/* Whole file; a NUL that is not counted follows. NULL: cannot be read. */
uint8_t *read_file(const char *path, size_t *len);

/* Bytes as C would write them: CR, LF, tabs and all else visible. */
void print_bytes(const char *label, const uint8_t *bytes, size_t len);

#endif /* TAP_H */
