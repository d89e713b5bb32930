/*
 * boot - the one boot policy: given what is known of a machine, what does it get next, and why?
 *
 * The policy is an ordered table that operators edit (`rouse.boot_rules`). The first rule whose
 * predicates all hold gives the answer; `rouse.explain()` is one query over the same rows. All
 * three daemons call boot_decide() and nothing else to choose.
 *
 *	struct boot_facts facts = {.stage = BOOT_STAGE_MENU, .host_state = HOST_ACTIVE, ...};
 *	struct boot_verdict verdict = boot_decide(site->rules, site->rule_count, &facts);
 *	if (verdict.answer == BOOT_RUN_JOB)
 */
#ifndef ROUSE_CORE_BOOT_H
#define ROUSE_CORE_BOOT_H

#include <stddef.h>
#include <stdint.h>

#include "core/arch.h"
#include "core/err.h"
#include "core/host.h"

enum boot_stage {
	BOOT_STAGE_DHCP,   /* dhcpd: which boot file goes into the reply? */
	BOOT_STAGE_SCRIPT, /* tftpd: default.ipxe and its kin are asked for */
	BOOT_STAGE_MENU,   /* menud: /boot, in any dialect */
};

enum boot_loader {
	BOOT_LOADER_FIRMWARE,
	BOOT_LOADER_IPXE,
	BOOT_LOADER_GRUB,
	BOOT_LOADER_PXELINUX,
	BOOT_LOADER_OTHER,
};

/* Who has logged in at the machine; each may what the one before it may. */
enum boot_role {
	BOOT_ROLE_ANONYMOUS,
	BOOT_ROLE_VIEWER,
	BOOT_ROLE_OPERATOR,
};

enum boot_job {
	BOOT_JOB_NONE,
	BOOT_JOB_LIVE,
};

enum boot_answer {
	BOOT_NOTHING,	  /* an address, and no boot answer */
	BOOT_FIRST_STAGE, /* the file of rouse.boot_files for this architecture */
	BOOT_SCRIPT,	  /* default.ipxe */
	BOOT_RUN_JOB,	  /* the live job's kernel and ticket */
	BOOT_MENU,
	BOOT_LOCAL,   /* the local disk */
	BOOT_PROFILE, /* the profile that `argument` names */
	BOOT_REFUSE,  /* the reason is shown on the screen */
};

struct boot_facts {
	enum boot_stage stage;
	enum boot_loader loader;
	enum host_state host_state;
	enum boot_job job;
	struct arch arch;
	const char *host;    /* its name, "" when unknown */
	const char *product; /* SMBIOS product, "" when unknown */
	/* for the menu alone: no rule asks for them */
	int64_t group_id; /* of the host, 0: in none */
	enum boot_role role;
};

/* A predicate is a set of values, one bit each; 0 holds for any value. */
struct boot_rule {
	int position;
	const char *name;
	uint8_t stage, loader, host_state, job, firmware, arch;
	const char *host;    /* names parted by newlines, NULL: any */
	const char *product; /* likewise */
	enum boot_answer answer;
	const char *argument; /* "" when the answer takes none */
	const char *reason;
};

struct boot_verdict {
	enum boot_answer answer;
	const char *argument;
	const char *reason;
	int position; /* of the rule that decided; 0: none did */
};

/* The words of one row, as the database gives them; predicates NULL or parted by single spaces.
 */
struct boot_rule_words {
	const char *stage, *loader, *host_state, *job, *firmware, *arch, *answer;
};

/* Fills the rule's predicates and answer. ERR_FORMAT: *ret_bad names the word that is not
 * known. */
MUST_CHECK enum err boot_rule_parse(const struct boot_rule_words *words, struct boot_rule *rule,
				    const char **ret_bad);
struct boot_verdict boot_decide(const struct boot_rule *rules, size_t count,
				const struct boot_facts *facts);
const char *boot_answer_name(enum boot_answer answer);

#endif
