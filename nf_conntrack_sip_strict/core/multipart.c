// SPDX-License-Identifier: GPL-2.0-only
/*
 * multipart.c - which bytes of a body are session descriptions (RFC 2046).
 *
 * A body is SDP by what its header says, never by what it looks like: type
 * application/sdp, disposition absent, session or early-session (RFC 3261
 * 20.11, RFC 3959), not encoded. Multipart bodies are gone through line by
 * line, once, with a short stack of boundaries; a line is compared with each
 * of them and with nothing else. Parts of other types take no slot.
 *
 * Called by plan_sdp.c. Cost: one look at each byte, and at most
 * SIP_MAX_NESTING comparisons for a line that begins with "--".
 */
#include "scan.h"
#include "sdp.h"
#include "token.h"

/* RFC 2046 5.1.1 allows 70; more is tolerated, but bounded. */
#define SIP_MAX_BOUNDARY 256u

#define SIP_NO_PART 0xffu

enum sip_mime_kind { SIP_MIME_OTHER, SIP_MIME_SDP, SIP_MIME_MULTIPART, SIP_MIME_SECRET };

/**
 * struct sip_mime - what the header of a body, or of a part, says of it
 * @type: value of Content-Type
 * @disposition: of Content-Disposition
 * @encoding: of Content-Encoding
 * @transfer: of Content-Transfer-Encoding, which only parts have
 * @length: of Content-Length
 */
struct sip_mime {
	struct sip_span type;
	struct sip_span disposition;
	struct sip_span encoding;
	struct sip_span transfer;
	struct sip_span length;
};

/**
 * struct sip_mime_level - a multipart that is open
 * @boundary: without the dashes
 * @part: its own slot
 * @current: slot of the part inside that is open
 */
struct sip_mime_level {
	struct sip_span boundary;
	u8 part;
	u8 current;
};

/**
 * struct sip_mime_reader - a multipart body under way
 * @buf: the message
 * @end: where the body ends
 * @parts: what is found
 * @level: the multiparts that are open, outermost first
 * @depth: levels in use; 0: all closed
 * @in_head: between a delimiter and the empty line behind the part's header
 * @full: a part that matters found no slot
 * @mime: header of the body or part under way
 * @field: value of its last field, for folds
 */
struct sip_mime_reader {
	const u8 *buf;
	u32 end;
	struct sip_parts *parts;
	struct sip_mime_level level[SIP_MAX_NESTING];
	u32 depth;
	bool in_head;
	bool full;
	struct sip_mime mime;
	struct sip_span *field;
};

/* ---- what a header says ------------------------------------------------- */

/* A word of a structured value: up to white space, slash, semicolon. */
static struct sip_span sip_mime_word(const u8 *buf, u32 *off, u32 end)
{
	struct sip_span word = { sip_lws(buf, *off, end), 0 };
	u32 i = sip_run(buf, word.off, end, SIP_C_TOKEN);

	word.len = i - word.off;
	*off = sip_lws(buf, i, end);
	return word;
}

/* type "/" subtype, with white space around the slash; then parameters. */
static enum sip_mime_kind sip_mime_type(const u8 *buf, struct sip_span value,
					struct sip_span *params)
{
	u32 end = value.off + value.len;
	u32 off = value.off;
	struct sip_span type, subtype;

	type = sip_mime_word(buf, &off, end);
	if (off == end || buf[off] != '/')
		return SIP_MIME_OTHER;
	off++;
	subtype = sip_mime_word(buf, &off, end);
	if (!subtype.len || (off < end && buf[off] != ';'))
		return SIP_MIME_OTHER;
	params->off = off;
	params->len = end - off;
	if (sip_span_equal_nocase(buf, type, "multipart"))
		return SIP_MIME_MULTIPART;
	if (!sip_span_equal_nocase(buf, type, "application"))
		return SIP_MIME_OTHER;
	if (sip_span_equal_nocase(buf, subtype, "sdp"))
		return SIP_MIME_SDP;
	return sip_span_equal_nocase(buf, subtype, "pkcs7-mime") ? SIP_MIME_SECRET :
								   SIP_MIME_OTHER;
}

/* RFC 3261 20.12, 27.5.6: absent and identity are the same. */
static bool sip_mime_is_plain(const u8 *buf, const struct sip_mime *mime)
{
	struct sip_span how = mime->transfer;

	if (mime->encoding.len && !sip_span_equal_nocase(buf, mime->encoding, "identity"))
		return false;
	return !how.len || sip_span_equal_nocase(buf, how, "binary") ||
	       sip_span_equal_nocase(buf, how, "8bit") || sip_span_equal_nocase(buf, how, "7bit");
}

static bool sip_mime_is_session(const u8 *buf, const struct sip_mime *mime)
{
	u32 end = mime->disposition.off + mime->disposition.len;
	u32 off = mime->disposition.off;
	struct sip_span word;

	if (off == end)
		return true;
	word = sip_mime_word(buf, &off, end);
	if (off < end && buf[off] != ';')
		return false;
	return sip_span_equal_nocase(buf, word, "session") ||
	       sip_span_equal_nocase(buf, word, "early-session");
}

static bool sip_mime_boundary(const u8 *buf, struct sip_span params, struct sip_span *boundary)
{
	u32 end = params.off + params.len;
	u32 off = params.off;
	struct sip_param param;

	while (sip_param_next(buf, &off, end, &param) > 0) {
		if (!sip_span_equal_nocase(buf, param.name, "boundary"))
			continue;
		*boundary = param.value;
		if (boundary->len >= 2 && buf[boundary->off] == '"') {
			boundary->off++;
			boundary->len -= 2;
		}
		return boundary->len && boundary->len <= SIP_MAX_BOUNDARY;
	}
	return false;
}

/* ---- parts -------------------------------------------------------------- */

/*
 * Take up a body: SDP that counts, or a multipart that opens one more level.
 * Its end is not known yet. SIP_NO_PART: there is nothing to look at in it.
 */
static u8 sip_mime_take(struct sip_mime_reader *r, u32 body, u8 parent)
{
	struct sip_parts *parts = r->parts;
	const struct sip_mime *mime = &r->mime;
	struct sip_span boundary = { 0, 0 };
	struct sip_span params;
	enum sip_mime_kind kind = sip_mime_type(r->buf, mime->type, &params);
	struct sip_part *part;

	if (kind == SIP_MIME_OTHER)
		return SIP_NO_PART;
	if (kind == SIP_MIME_SECRET || !sip_mime_is_plain(r->buf, mime)) {
		parts->notes |= 1ULL << SIP_R_BODY_ENCODED;
		return SIP_NO_PART;
	}
	if (kind == SIP_MIME_SDP && !sip_mime_is_session(r->buf, mime)) {
		parts->notes |= 1ULL << SIP_R_SDP_NO_OFFER;
		return SIP_NO_PART;
	}
	if (kind == SIP_MIME_MULTIPART && !sip_mime_boundary(r->buf, params, &boundary)) {
		parts->notes |= 1ULL << SIP_R_BAD_VALUE;
		return SIP_NO_PART;
	}
	if (parts->n >= SIP_MAX_PARTS ||
	    (kind == SIP_MIME_MULTIPART && r->depth >= SIP_MAX_NESTING)) {
		r->full = true;
		return SIP_NO_PART;
	}
	part = &parts->part[parts->n];
	part->body.off = body;
	part->body.len = r->end - body;
	part->content_length = mime->length;
	part->sdp = kind == SIP_MIME_SDP;
	part->delta = 0;
	part->parent = parent;
	if (kind == SIP_MIME_MULTIPART) {
		r->level[r->depth].boundary = boundary;
		r->level[r->depth].part = parts->n;
		r->level[r->depth].current = SIP_NO_PART;
		r->depth++;
	}
	return parts->n++;
}

/* The empty line behind a part's header: its body begins at @body. */
static void sip_mime_head_end(struct sip_mime_reader *r, u32 body)
{
	struct sip_mime_level *level = &r->level[r->depth - 1];

	r->in_head = false;
	level->current = sip_mime_take(r, body, level->part);
}

/* A part's body ends before the line end that belongs to the delimiter. */
static void sip_mime_close(struct sip_mime_reader *r, u32 depth, u32 end)
{
	struct sip_span *body;
	u8 current;

	while (r->depth > depth) {
		current = r->level[--r->depth].current;
		if (current == SIP_NO_PART)
			continue;
		body = &r->parts->part[current].body;
		body->len = end > body->off ? end - body->off : 0;
	}
}

/* ---- lines -------------------------------------------------------------- */

/* A line of a part's header (RFC 2045 section 3), or the rest of one. */
static void sip_mime_head_line(struct sip_mime_reader *r, u32 line, u32 eol)
{
	const u8 *buf = r->buf;
	struct sip_span name, more;
	u32 colon;

	if (sip_byte_is_blank(buf[line])) {
		more = sip_trim(buf, line, eol);
		if (!r->field || !more.len)
			return;
		if (!r->field->len)
			r->field->off = more.off;
		r->field->len = more.off + more.len - r->field->off;
		return;
	}
	r->field = NULL;
	colon = sip_find(buf, line, eol, ':');
	if (colon == eol)
		return;
	name = sip_trim(buf, line, colon);
	switch (sip_hdr_lookup(buf + name.off, name.len)) {
	case SIP_H_CONTENT_TYPE:
		r->field = &r->mime.type;
		break;
	case SIP_H_CONTENT_DISPOSITION:
		r->field = &r->mime.disposition;
		break;
	case SIP_H_CONTENT_ENCODING:
		r->field = &r->mime.encoding;
		break;
	case SIP_H_CONTENT_LENGTH:
		r->field = &r->mime.length;
		break;
	default:
		if (!sip_span_equal_nocase(buf, name, "content-transfer-encoding"))
			return;
		r->field = &r->mime.transfer;
		break;
	}
	*r->field = sip_trim(buf, colon + 1, eol);
}

/*
 * Is this line a delimiter of level @i (RFC 2046 5.1.1: "--" boundary, "--"
 * behind the last part, blanks)?
 */
static bool sip_mime_delimits(const struct sip_mime_reader *r, u32 i, u32 line, u32 eol,
			      bool *last)
{
	struct sip_span boundary = r->level[i].boundary;
	u32 off = line + 2;

	if (eol - off < boundary.len ||
	    memcmp(r->buf + off, r->buf + boundary.off, boundary.len))
		return false;
	off += boundary.len;
	*last = eol - off >= 2 && r->buf[off] == '-' && r->buf[off + 1] == '-';
	if (*last)
		off += 2;
	while (off < eol && sip_byte_is_blank(r->buf[off]))
		off++;
	return off == eol;
}

/* A line that begins with "--"; @before: end of the line in front of it. */
static bool sip_mime_delimiter(struct sip_mime_reader *r, u32 line, u32 eol, u32 before)
{
	static const struct sip_mime none;
	u32 i = r->depth;
	bool last;

	while (i--) {
		if (!sip_mime_delimits(r, i, line, eol, &last))
			continue;
		sip_mime_close(r, i, before);
		if (last) {
			r->in_head = false;
			return true;
		}
		r->depth = i + 1;
		r->level[i].current = SIP_NO_PART;
		r->in_head = true;
		r->mime = none;
		r->field = NULL;
		return true;
	}
	return false;
}

static void sip_mime_line(struct sip_mime_reader *r, u32 line, u32 eol, u32 next, u32 before)
{
	if (eol - line > 2 && r->buf[line] == '-' && r->buf[line + 1] == '-' &&
	    sip_mime_delimiter(r, line, eol, before))
		return;
	if (!r->in_head)
		return;
	if (line == eol)
		sip_mime_head_end(r, next);
	else
		sip_mime_head_line(r, line, eol);
}

/* Lines end with LF, and a CR before it belongs to the line end. */
static void sip_mime_read(struct sip_mime_reader *r, u32 off)
{
	const u8 *buf = r->buf;
	u32 line = off, before = off, eol;

	while (r->depth && off < r->end) {
		while (off < r->end && buf[off] != '\n')
			off = (u32)sip_scan_control(buf, off + 1, r->end);
		eol = off;
		if (off < r->end) {
			off++;
			if (eol > line && buf[eol - 1] == '\r')
				eol--;
		}
		sip_mime_line(r, line, eol, off, before);
		before = eol;
		line = off;
	}
	sip_mime_close(r, 0, r->end);
}

static void sip_mime_of_msg(const struct sip_msg *msg, struct sip_mime *mime)
{
	if (msg->first[SIP_H_CONTENT_TYPE])
		mime->type = msg->header[msg->first[SIP_H_CONTENT_TYPE] - 1].value;
	if (msg->first[SIP_H_CONTENT_DISPOSITION])
		mime->disposition = msg->header[msg->first[SIP_H_CONTENT_DISPOSITION] - 1].value;
	if (msg->first[SIP_H_CONTENT_ENCODING])
		mime->encoding = msg->header[msg->first[SIP_H_CONTENT_ENCODING] - 1].value;
}

/* Is the body SDP and nothing else, in the words that nearly everybody uses? */
static bool sip_msg_is_sdp(const struct sip_msg *msg)
{
	const struct sip_span *type;

	if (!msg->first[SIP_H_CONTENT_TYPE] || msg->first[SIP_H_CONTENT_DISPOSITION] ||
	    msg->first[SIP_H_CONTENT_ENCODING])
		return false;
	type = &msg->header[msg->first[SIP_H_CONTENT_TYPE] - 1].value;
	return type->len == 15 && !memcmp(msg->buf + type->off, "application/sdp", 15);
}

static void sip_parts_one(const struct sip_msg *msg, struct sip_parts *parts)
{
	static const struct sip_span none;
	struct sip_part *part = parts->part;

	part->body = msg->body;
	part->content_length = none;
	part->sdp = true;
	part->delta = 0;
	part->parent = SIP_NO_PART;
	parts->n = 1;
}

/* Any other body. */
static sip_noinline enum sip_reason sip_parts_read(const struct sip_msg *msg,
						   struct sip_parts *parts)
{
	struct sip_mime_reader r = {
		.buf = msg->buf,
		.end = msg->body.off + msg->body.len,
		.parts = parts,
	};

	sip_mime_of_msg(msg, &r.mime);
	if (sip_mime_take(&r, msg->body.off, SIP_NO_PART) == SIP_NO_PART)
		return SIP_R_OK;
	if (r.depth)
		sip_mime_read(&r, msg->body.off);
	return r.full ? SIP_R_TOO_MANY_PARTS : SIP_R_OK;
}

/**
 * sip_parts_find() - find the session descriptions in the body of a message
 * @msg: a message read by sip_msg_parse()
 * @parts: filled in; all its spans lie within msg->body
 *
 * The body itself comes first, if it is SDP or a multipart; then, in the order
 * of the text, the SDP parts inside and the multiparts around them. The
 * Content-Length of the message is not repeated in the first. A multipart
 * whose last delimiter is missing ends with the body (RFC 2046 section 5.1.1
 * tolerated). RFC 3261 sections 7.4, 20.11, 20.12, 20.15.
 *
 * Return: SIP_R_OK; SIP_R_TOO_MANY_PARTS, with the first of them.
 */
enum sip_reason sip_parts_find(const struct sip_msg *msg, struct sip_parts *parts)
{
	parts->n = 0;
	parts->notes = 0;
	if (!msg->body.len)
		return SIP_R_OK;
	if (unlikely(!sip_msg_is_sdp(msg)))
		return sip_parts_read(msg, parts);
	sip_parts_one(msg, parts);
	return SIP_R_OK;
}
