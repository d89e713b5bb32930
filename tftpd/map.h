/*
 * map - a site's own rules that turn one name into another, in the form of tftp-hpa's map
 * files, so that a file written for that server serves here.
 *
 * A line is: letters, a POSIX extended regular expression, and for "r" a replacement.
 *	r  replace what matched		g  again, until it matches no more
 *	i  in any letter case		e  end after this rule, when it matches
 *	s  begin again at the first	a  refuse the request
 *	~  when it does not match	G, P  for read, or write, requests only
 *	4, 6  for clients of IPv4, or of IPv6, only
 * In a replacement: \0 to \9 what matched, \i and \x the client's address as text and as 8
 * (IPv4) or 32 hexadecimal digits, \U \L \E upper case, lower case and neither from here on,
 * \\ \# and "\ " themselves. "#" begins a comment. Behind "a" it is what the client is told,
 * in place of what matched. What tftp-hpa ignores is a mistake here: letters that say nothing
 * together, words behind the last one.
 *
 *	map_read("/etc/rouse/tftpd.map", &map);
 *	switch (map_apply(&map, false, address, name, mapped)) ...
 */
#ifndef ROUSE_TFTPD_MAP_H
#define ROUSE_TFTPD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "core/path.h"

#define MAP_RULES_MAX 256
#define MAP_STEPS_MAX 256 /* rules that may match for one name: "g" and "s" can go round */

struct map_rule;

struct map {
	struct map_rule *rules;
	size_t count;
};

/* Reads the file; "" gives an empty map. The message of a mistake, with its line, is logged.
 * ERR_SYSTEM, ERR_FORMAT, ERR_SPACE (too many rules), ERR_MEMORY. */
MUST_CHECK enum err map_read(const char *file, struct map *ret_map);
/*
 * The name that a client is to have asked for; ERR_REFUSED: a rule says so, and ret_name is
 * its message, or "". ERR_SPACE: the name becomes too long, or the rules go round for ever.
 */
MUST_CHECK enum err map_apply(const struct map *map, bool is_write, const struct ip *address,
			      const char *name, char ret_name[PATH_SIZE]);
void map_free(struct map *map);

#endif
