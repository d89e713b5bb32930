/*
 * err - what can go wrong in a function of ours.
 *
 * A function that can fail returns `enum err`; its outputs come last and are written only on
 * success. Pure code never logs: the shell that called it does, once, where it decides.
 *
 *	struct mac mac;
 *	if (mac_parse(text, strlen(text), &mac) != ERR_OK)
 *		return ERR_FORMAT;
 */
#ifndef ROUSE_CORE_ERR_H
#define ROUSE_CORE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
	ERR_OK = 0,
	ERR_SHORT,   /* the input ends too early */
	ERR_FORMAT,  /* the input is not of the form it should have */
	ERR_RANGE,   /* a number or length is outside its limits */
	ERR_SPACE,   /* the caller's buffer is too small */
	ERR_ABSENT,  /* there is no such thing */
	ERR_REFUSED, /* understood, and not allowed */
	ERR_MEMORY,  /* an allocation failed */
	ERR_SYSTEM,  /* a system call failed: errno says why */
	ERR_AWAY,    /* the other side (database, peer) cannot be reached now */
};

/* A short English name for an error; never NULL. */
const char *err_text(enum err err);

#endif
