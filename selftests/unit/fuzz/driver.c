// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz/driver.c - run a fuzz target over files, without a fuzzing engine.
 *
 * PROGRAM FILE|DIR...  TAP: one result for each argument. Each input ends at
 * a page without access. An input that breaks a promise ends the program, and
 * its name is the last thing that is printed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "../tap.h"

/* Of the sanitizers; not there in a build without them. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static unsigned int n_files;
static char now[1024];

static void say_now(void)
{
	static const char what[] = "# the input is ";

	if (write(STDERR_FILENO, what, sizeof(what) - 1) < 0 ||
	    write(STDERR_FILENO, now, strlen(now)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(2);
}

static void on_signal(int number)
{
	say_now();
	signal(number, SIG_DFL);
	raise(number);
}

static bool run_file(const char *path)
{
	size_t len;
	u8 *bytes = read_file(path, &len);
	u8 *copy;

	if (!bytes)
		return false;
	snprintf(now, sizeof(now), "%s", path);
	copy = guard_copy(bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	guard_free(copy, len);
	free(bytes);
	n_files++;
	return true;
}

static bool run_path(const char *path)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort);
	bool good = true;
	char inside[1024];
	int i;

	if (n < 0)
		return run_file(path);
	for (i = 0; i < n; i++) {
		snprintf(inside, sizeof(inside), "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			good = run_path(inside) && good;
		free(list[i]);
	}
	free(list);
	return good;
}

int main(int argc, char **argv)
{
	int i;

	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_now);
	else
		signal(SIGSEGV, on_signal);
	for (i = 1; i < argc; i++) {
		bool good;

		n_files = 0;
		good = run_path(argv[i]);
		tap_ok(good && n_files, "%s: %u inputs", argv[i], n_files);
	}
	return tap_done();
}
