/*
 * menu - what one machine gets from the boot service, before any dialect: a menu of entries, a
 * system to start, the local disk, a wait, or a refusal with its reason. Renderers (core/ipxe)
 * turn it into text.
 *
 *	struct menu menu = menu_start(site, &facts);
 *
 *	menu.base_url = "http://10.77.0.1:8080";
 *	menu_from_verdict(site, &verdict, &facts, &menu);
 *	ipxe_render(&menu, &text);
 */
#ifndef ROUSE_CORE_MENU_H
#define ROUSE_CORE_MENU_H

#include "core/boot.h"
#include "core/err.h"
#include "core/site.h"
#include "core/text.h"

#define MENU_ENTRIES_MAX 64
#define MENU_DEPTH_MAX 8   /* of sub-menus in each other: the database lets no more lie so */
#define MENU_TOP ".."	   /* chosen: back to the first menu; no item's key is like it */
#define MENU_NEW ".new"	   /* chosen among images: one whose name is typed; no image's is so */
#define MENU_EXIT_SIZE 128 /* of one way to the local disk: the database's are shorter */
#define MENU_TRIES_MAX 12  /* asked in vain so often, a machine goes to its local disk */

enum menu_kind {
	MENU_ITEMS,
	MENU_LINUX, /* kernel, initrd, arguments: a job's, or a profile's */
	MENU_EFI,   /* an EFI program */
	MENU_ISO,   /* an image for sanboot */
	MENU_CHAIN, /* somebody else's script or loader */
	MENU_LOCAL,
	MENU_WAIT,     /* ask again after wait_seconds */
	MENU_REFUSE,   /* message, then the local disk */
	MENU_CONFIRM,  /* the one entry wants a word typed */
	MENU_NAME,     /* the one entry wants the name of a new image typed */
	MENU_IDENTIFY, /* what is known of the machine, until a key is pressed */
	MENU_SHELL,    /* the loader's own command line */
	MENU_LOGIN,    /* a name and a password, for a session of menud's */
	MENU_REBOOT,
	MENU_DONE, /* message, and the first menu again after wait_seconds */
};

/* A loader that cannot ask again gets sub-menus whole: the entries that lie in one follow it,
 * one deeper. */
struct menu_entry {
	const char *key;
	const char *title;
	const char *hotkey; /* "" when none */
	/* for loaders that cannot ask again: what the entry does */
	const char *action;		    /* as in struct site_menu_item */
	const struct site_profile *profile; /* NULL unless the action is profile */
	const char *confirm;		    /* the word to type, "" when none */
	unsigned depth;			    /* 0: in the first menu */
};

/* What came back from a menu. */
struct menu_choice {
	const char *key;
	const char *typed; /* the word, "" when none was typed */
	const char *image; /* of an item that wants one, "" when none was chosen yet */
};

/* One of the images among which an item lets choose. */
struct menu_image {
	const char *name;
	const char *title;
};

/* Strings are the caller's, a site's, or literals; none is copied. */
struct menu {
	enum menu_kind kind;
	const char *base_url;	/* of the menud that answers, no slash at its end */
	const char *client_url; /* the same for the client system; NULL: base_url */
	const char
		*query;	 /* the machine's facts again, URL-encoded: behind every URL of ours */
	const char *mac; /* with dashes, "" when not known: tells whose kernel is fetched */
	bool is_http;	 /* the loader fetches files from menud itself, not by TFTP */
	enum arch_firmware firmware;
	const char *host; /* its name, "" when unknown */
	enum host_state host_state;
	const char *manufacturer, *product, *serial; /* as the firmware says; "" when unknown */
	const char *message;			     /* shown on the screen; "" when none */

	struct menu_entry entries[MENU_ENTRIES_MAX];
	size_t entry_count;
	const char *default_key;
	unsigned timeout_seconds; /* 0: for ever; when hidden: the default at once */
	const char *image_for; /* the entries are images for the item of this key; "": items */
	const char *image;     /* MENU_CONFIRM: what was chosen among them, or "" */
	const char
		*hidden_key; /* the key that shows it: any, esc, or one character; "": shown */

	const char *kernel, *initrd; /* paths below the served roots; initrd may be "" */
	const char *arguments;	     /* an operator's words */
	const char *ticket;	     /* of a job; "" otherwise */
	const char *file;	     /* MENU_EFI, MENU_ISO: a path; MENU_CHAIN: a URL */

	/* how the machine gets to its local disk, tried in turn: words of exit, sanboot, or a
	 * path below the served roots, parted by single blanks */
	const char *exits;
	unsigned wait_seconds;
	unsigned attempt; /* of MENU_TRIES_MAX; the next request says try=attempt */
};

/* A menu about the machine of these facts, with the site's way to its local disk, and every
 * other text empty: the caller adds where it came from. */
struct menu menu_start(const struct site *site, const struct boot_facts *facts);
/*
 * Fills kind and what belongs to it from boot_decide()'s verdict. BOOT_RUN_JOB is not handled
 * here, for a job's words come from the database: ERR_REFUSED. ERR_ABSENT: a profile that does
 * not exist.
 */
MUST_CHECK enum err menu_from_verdict(const struct site *site,
				      const struct boot_verdict *verdict,
				      const struct boot_facts *facts, struct menu *menu);
/*
 * The entry that was chosen: what it does, or a question for its word. ERR_ABSENT: no such key,
 * or hidden from this machine. ERR_REFUSED: it needs the database, which makes a job of it, or
 * has the images to choose among.
 */
MUST_CHECK enum err menu_from_choice(const struct site *site, const struct menu_choice *choice,
				     const struct boot_facts *facts, struct menu *menu);
/* The images for an item, the first nine by the keys 1 to 9, MENU_NEW by n, with a way back;
 * those that are too many are left out, and it says so. */
void menu_list_images(const struct site *site, const struct boot_facts *facts, const char *key,
		      const struct menu_image *images, size_t count, struct menu *menu);
/*
 * Whether a loader that reads one file and asks no more starts this entry by itself: GRUB
 * kernels and EFI programs, PXELINUX kernels, both the local disk. A sub-menu is none.
 */
bool menu_loader_starts(enum boot_loader loader, const struct menu_entry *entry);
/* How a loader that reads one file writes a menu down. */
struct menu_writer {
	enum boot_loader loader;
	void (*put_entry)(struct text *out, const struct menu *menu,
			  const struct menu_entry *entry);
	void (*open_menu)(struct text *out, const struct menu_entry *entry);
	const char *close_menu;
};

/* Writes the entries that this loader starts, those of a sub-menu between its beginning and
 * its end. */
void menu_put_tree(const struct menu *menu, const struct menu_writer *writer, struct text *out);
/* The next word of `*exits`, and its length; NULL at the end. Goes on behind it. */
const char *menu_next_exit(const char **exits, size_t *ret_length);
/*
 * Where menud has a file below the roots, "/files/fos/bzImage?as=kernel&mac=52-54-..": `as` and
 * the MAC, where it is known, tell the timeline whose kernel or initial disk is fetched.
 */
void menu_put_file(const struct menu *menu, const char *path, const char *as, struct text *out);
/* Where the client system, or an installer, finds its menud. */
const char *menu_client_url(const struct menu *menu);
/*
 * Kernel arguments with %answers% replaced by the URL from which an installer fetches its
 * answers, by menu_client_url() and the ticket; nothing else is touched.
 */
void menu_expand(const struct menu *menu, const char *arguments, struct text *out);
/* May this machine see that item, and the sub-menus that it is in? */
bool menu_item_is_visible(const struct site *site, const struct site_menu_item *item,
			  const struct boot_facts *facts);

#endif
