/*
 * site - what operators configured, as one immutable value.
 *
 * db/snapshot reads it from the database (or from a daemon's saved copy), checks it, and swaps
 * it in one turn of the loop; pure code only reads it. All strings and arrays belong to whoever
 * made it, and live until the next one takes its place: keep no pointer into it across a turn
 * of the loop.
 *
 *	const struct host *host = site_host_by_mac(site, &mac);
 *	const struct site_subnet *subnet = site_subnet_of(site, address);
 */
#ifndef ROUSE_CORE_SITE_H
#define ROUSE_CORE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arch.h"
#include "core/boot.h"
#include "core/err.h"
#include "core/host.h"
#include "core/ip4.h"
#include "core/mac.h"

#define SITE_ADDRESSES_MAX 4

struct site_setting {
	const char *name;
	const char *value;
};

/* How it is asked whether an address is in use, before it is offered. */
enum site_probe {
	SITE_PROBE_OFF,
	SITE_PROBE_ARP,
	SITE_PROBE_ICMP,
	SITE_PROBE_AUTO, /* by ARP on the server's own link, else by ICMP */
};

struct site_subnet {
	int64_t id;
	struct ip4_net net;
	uint32_t routers[SITE_ADDRESSES_MAX];
	size_t router_count;
	uint32_t dns[SITE_ADDRESSES_MAX];
	size_t dns_count;
	const char *domain_name; /* "" when none */
	uint32_t next_server;	 /* 0: the server's own address */
	uint32_t lease_seconds;
	uint32_t lease_seconds_min,
		lease_seconds_max;  /* of a client's wish; 0: lease_seconds */
	const char *shared_network; /* subnets of one link share this; "" or NULL: none */
	const char *menud_urls;	    /* "" : the setting's; parted by spaces */
	enum site_probe probe;
	bool loop_breaker; /* iPXE that asks for its own binary gets its script */
};

struct site_pool {
	int64_t subnet_id;
	uint32_t first, last; /* both belong to it */
};

struct site_reservation {
	struct mac mac;
	uint32_t address;
	const char *host; /* its name, "" when none */
};

/* Where a value of an option holds: the more special one wins. */
enum site_option_scope {
	SITE_OPTION_GLOBAL,
	SITE_OPTION_SUBNET,
	SITE_OPTION_CLASS,
	SITE_OPTION_GROUP,
	SITE_OPTION_HOST,
};

struct site_option {
	enum site_option_scope scope;
	int64_t owner;	   /* the subnet's, the group's or the host's id; else 0 */
	const char *class; /* "" unless the scope is SITE_OPTION_CLASS */
	uint8_t code;
	bool is_always;	       /* sent also to who does not ask for it */
	const uint8_t *octets; /* as on the wire */
	size_t length;
};

struct site_boot_file {
	uint16_t arch;	     /* option 93 */
	bool http;	     /* for UEFI HTTP Boot */
	const char *product; /* "": any */
	const char *file;
};

enum profile_kind {
	PROFILE_LINUX, /* kernel, initrd, arguments */
	PROFILE_EFI,   /* an EFI program: file */
	PROFILE_ISO,   /* a disk image for sanboot: file */
	PROFILE_CHAIN, /* another boot server's script or loader: url */
	PROFILE_LOCAL, /* the local disk */
};

struct site_profile {
	const char *name;
	const char *title;
	enum profile_kind kind;
	const char *kernel, *initrd, *arguments, *file, *url; /* "" when absent */
};

struct site_menu_item {
	const char *key;
	const char *title;
	const char *action;  /* as rouse.menu describes them */
	const char *profile; /* "" unless the action is profile */
	const char *hotkey;  /* "" or one character */
	uint8_t host_state;  /* a set as in struct boot_rule: 0 is any */
	uint8_t firmware, arch;
	const char *parent;  /* the sub-menu's key, "": in the first menu */
	const char *confirm; /* a word that must be typed, "": none */
	int64_t group_id;    /* 0: any */
	enum boot_role role; /* at least this one */
};

/* Where menu and local disk differ from the settings: for a group, a model or a host. */
struct site_default {
	int64_t group_id;	  /* 0: not for a group */
	const char *product;	  /* "" : not for a model */
	const char *host;	  /* "" : not for a host */
	const char *menu_default; /* a menu item's key; "" here and below: says nothing */
	int64_t timeout_seconds;  /* -1: says nothing */
	const char *menu_key;	  /* none, any, esc, or one character */
	const char *exits_bios, *exits_efi; /* words as in struct menu */
};

struct site {
	struct site_setting *settings; /* sorted by name */
	size_t setting_count;
	struct site_subnet *subnets;
	size_t subnet_count;
	struct site_pool *pools;
	size_t pool_count;
	struct site_reservation *reservations; /* sorted by mac */
	size_t reservation_count;
	uint32_t *reserved; /* their addresses, sorted */
	struct site_option
		*options; /* in the order of scope, owner, class (short ones first) */
	size_t option_count;
	struct host *hosts;
	size_t host_count;
	struct site_boot_file *boot_files;
	size_t boot_file_count;
	struct boot_rule *rules; /* in order of position */
	size_t rule_count;
	struct site_profile *profiles;
	size_t profile_count;
	struct site_menu_item *menu; /* in order of position */
	size_t menu_count;
	struct site_default *defaults; /* the most special ones last */
	size_t default_count;
	/* open addressing over hosts: slot -> index + 1, 0 is free; sizes are powers of two */
	uint32_t *mac_index;
	uint32_t *uuid_index;
	size_t index_size;
};

/* How many slots mac_index and uuid_index need each. */
size_t site_index_size(const struct site *site);
/*
 * Fills both indices (index_size slots each, zeroed, given by the caller) and `reserved` (as
 * long as reservations, the caller's), and sorts settings, reservations and options. ERR_RANGE
 * when two hosts claim one MAC: *ret_bad is the second one's position.
 */
MUST_CHECK enum err site_index(struct site *site, size_t *ret_bad);

/* NULL when nothing matches. */
const struct host *site_host_by_mac(const struct site *site, const struct mac *mac);
const struct host *site_host_by_uuid(const struct site *site, const struct uuid *uuid);
/* The host that a request is about: by the first of its MACs that is known, else by its UUID
 * (or NULL). */
const struct host *site_host_of(const struct site *site, const struct mac *macs, size_t count,
				const struct uuid *uuid);
const struct site_subnet *site_subnet_of(const struct site *site, uint32_t address);
/* The next subnet of the same link after `at`, in a circle; `subnet` alone has no shared one.
 */
const struct site_subnet *site_subnet_beside(const struct site *site,
					     const struct site_subnet *at);
const struct site_subnet *site_subnet_by_id(const struct site *site, int64_t id);
const struct site_reservation *site_reservation_of(const struct site *site,
						   const struct mac *mac);
/* Is the address reserved for some machine? */
bool site_is_reserved(const struct site *site, uint32_t address);
/* Is this path one of iPXE's own binaries: as boot_files has them, or as they are usually
 * called where that is empty? */
bool site_is_first_stage(const struct site *site, const char *path);
/* The options of one scope and owner: the first of *ret_count, or NULL when there are none. */
const struct site_option *site_options_of(const struct site *site, enum site_option_scope scope,
					  int64_t owner, size_t *ret_count);
/* The most special row: one that names the product before one that does not. */
const struct site_boot_file *site_boot_file_for(const struct site *site, uint16_t arch,
						bool http, const char *product);
const struct site_profile *site_profile_named(const struct site *site, const char *name);
const struct site_menu_item *site_menu_item_keyed(const struct site *site, const char *key);
/* A setting's value, or `fallback` when the database has none of that name. */
const char *site_setting(const struct site *site, const char *name, const char *fallback);
/* The same as a number or a truth value ("true", "on", "yes"); `fallback` when it is none. */
long site_setting_number(const struct site *site, const char *name, long fallback);
bool site_setting_truth(const struct site *site, const char *name, bool fallback);

#endif
