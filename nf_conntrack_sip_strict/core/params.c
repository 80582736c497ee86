// SPDX-License-Identifier: GPL-2.0-only
/*
 * params.c - ";name=value" lists, numbers and words (RFC 3261 section 25.1).
 */
#include "msg.h"
#include "token.h"

/* name [ EQUAL value ]; @i is at the first byte of the name. */
static inline int sip_param_read(const u8 *buf, u32 i, u32 *off, u32 end, struct sip_param *param)
{
	const u8 *at = buf + i;

	param->name.off = i;
	while (at < buf + end && sip_byte_is(*at, SIP_C_NAME))
		at++;
	param->name.len = (u32)(at - buf) - i;
	i += param->name.len;
	param->value.off = i;
	param->value.len = 0;
	i = sip_lws(buf, i, end);
	*off = i;
	if (i == end || buf[i] != '=')
		return param->name.len ? 1 : -1;
	if (!param->name.len)
		return -1;
	i = sip_lws(buf, i + 1, end);
	param->value.off = i;
	if (i < end && buf[i] == '"') {
		if (!sip_quoted(buf, &i, end)) {
			*off = end;
			return -1;
		}
	} else {
		i = sip_value_run(buf, i, end);
	}
	param->value.len = i - param->value.off;
	*off = sip_lws(buf, i, end);
	return 1;
}

/*
 * What stands before a parameter: semicolons, LWS, comments. 1: *off is where
 * its name should be; else as sip_param_next().
 */
static sip_noinline int sip_param_begin(const u8 *buf, u32 *off, u32 end)
{
	bool separated = false;
	u32 i = *off;

	for (;;) {
		i = sip_lws(buf, i, end);
		*off = i;
		if (i == end || buf[i] == ',')
			return 0;
		if (buf[i] == ';') {
			separated = true;
			i++;
		} else if (buf[i] == '(' && !separated) {
			if (!sip_comment(buf, &i, end))
				return -1;
		} else {
			return separated ? 1 : -1;
		}
	}
}

/**
 * sip_param_next() - walk over ";name=value" (RFC 3261 25.1: generic-param)
 * @buf: the message
 * @off: in: at a semicolon, LWS, or a comma; out: behind what was read
 * @end: where to stop
 * @param: filled in
 *
 * LWS around ';' and '=', empty parameters and comments are passed over.
 *
 * Return: 1: a parameter; 0: the end of them, *off is @end or at a comma;
 * -1: no parameter can be read at *off.
 */
int sip_param_next(const u8 *buf, u32 *off, u32 end, struct sip_param *param)
{
	u32 i = *off;
	int more;

	if (i == end)
		return 0;
	if (likely(end - i > 1 && buf[i] == ';' && sip_byte_is(buf[i + 1], SIP_C_NAME)))
		return sip_param_read(buf, i + 1, off, end, param);
	more = sip_param_begin(buf, &i, end);
	*off = i;
	return more > 0 ? sip_param_read(buf, i, off, end, param) : more;
}

/**
 * sip_text_equal() - is it this word, in any case?
 * @buf: the message
 * @s: what stands there
 * @lower: the word in lower case
 * @len: its length
 *
 * Return: true if it is.
 */
bool sip_text_equal(const u8 *buf, struct sip_span s, const char *lower, u32 len)
{
	u32 i;

	if (s.len != len)
		return false;
	for (i = 0; i < len; i++)
		if (sip_byte_lower(buf[s.off + i]) != (u8)lower[i])
			return false;
	return true;
}

/**
 * sip_span_equal_nocase() - is it this word, in any case?
 * @buf: the message
 * @s: what stands there
 * @str: the word
 *
 * Return: true if it is.
 */
bool sip_span_equal_nocase(const u8 *buf, struct sip_span s, const char *str)
{
	u32 i;

	for (i = 0; i < s.len; i++)
		if (!str[i] || sip_byte_lower(buf[s.off + i]) != sip_byte_lower((u8)str[i]))
			return false;
	return !str[i];
}

/**
 * sip_param_find() - find a parameter by its name
 * @buf: the message
 * @params: parameters, from their first ';' on
 * @name: the name; compares without case
 * @value: its value as written, a quoted string with its quotes; len 0: none
 *
 * The first one of that name counts. Behind something that is no parameter
 * nothing is found.
 *
 * Return: true if it is there.
 */
bool sip_param_find(const u8 *buf, struct sip_span params, const char *name,
		    struct sip_span *value)
{
	u32 end = params.off + params.len;
	u32 off = params.off;
	struct sip_param param;

	while (sip_param_next(buf, &off, end, &param) > 0) {
		if (sip_span_equal_nocase(buf, param.name, name)) {
			*value = param.value;
			return true;
		}
	}
	return false;
}

/**
 * sip_span_number() - read a decimal number
 * @buf: the message
 * @s: the digits; nothing else may stand there
 * @max: the largest one that is allowed
 * @num: filled in
 *
 * Leading zeros do not count, and never make it octal.
 *
 * Return: false if it is empty, no number, or larger than @max.
 */
bool sip_span_number(const u8 *buf, struct sip_span s, u32 max, u32 *num)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < s.len; i++) {
		u32 digit = (u32)buf[s.off + i] - '0';

		if (digit > 9)
			return false;
		value = value * 10 + digit;
		if (value > max)
			return false;
	}
	*num = (u32)value;
	return s.len != 0;
}
