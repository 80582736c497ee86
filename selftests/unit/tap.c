// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.c - TAP 13 output, and buffers whose end is the end of the world.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

static unsigned int tap_count;
static unsigned int tap_failed;

bool tap_ok(bool passed, const char *format, ...)
{
	va_list args;

	if (!tap_count++)
		printf("TAP version 13\n");
	printf("%s %u - ", passed ? "ok" : "not ok", tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	/* What a crash would swallow names the test that ran before it. */
	fflush(stdout);
	if (!passed)
		tap_failed++;
	return passed;
}

void tap_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

int tap_done(void)
{
	printf("1..%u\n", tap_count);
	return !tap_count || tap_failed;
}

static size_t guard_size(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page + page;
}

uint8_t *guard_copy(const void *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = guard_size(len);
	uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *copy;

	if (map == MAP_FAILED || mprotect(map + size - page, page, PROT_NONE)) {
		perror("guard page");
		exit(2);
	}
	copy = map + size - page - len;
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

void guard_free(uint8_t *copy, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = guard_size(len);

	munmap(copy + len + page - size, size);
}

uint8_t *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t room = 0;
	size_t got;

	if (!file)
		return NULL;
	*len = 0;
	do {
		room = room ? 2 * room : 4096;
		bytes = realloc(bytes, room + 1);
		if (!bytes)
			exit(2);
		got = fread(bytes + *len, 1, room - *len, file);
		*len += got;
	} while (*len == room);
	bytes[*len] = 0;
	if (ferror(file) || fclose(file)) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

void print_bytes(const char *label, const uint8_t *bytes, size_t len)
{
	size_t i;

	printf("# %s: ", label);
	for (i = 0; i < len; i++) {
		switch (bytes[i]) {
		case '\r':
			printf("\\r");
			break;
		case '\n':
			printf("\\n%s", i + 1 < len ? "\n#   " : "");
			break;
		case '\t':
			printf("\\t");
			break;
		case '\\':
			printf("\\\\");
			break;
		default:
			if (bytes[i] < ' ' || bytes[i] > '~')
				printf("\\x%02x", bytes[i]);
			else
				putchar(bytes[i]);
		}
	}
	printf("\n");
}
