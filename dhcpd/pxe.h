/*
 * pxe - what boots here? Reads a client's architecture, UUID and loader from its options
 * (RFC 4578; user class RFC 3004; iPXE's option 175) and writes what firmware wants back.
 *
 * iPXE is known by its user class alone, since some of its builds still carry the ROM's vendor
 * class; option 175 counts only when no user class was sent, so that a site may give an iPXE
 * another user class and have it treated as plain firmware.
 */
#ifndef ROUSE_DHCPD_PXE_H
#define ROUSE_DHCPD_PXE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arch.h"
#include "core/bytes.h"
#include "core/uuid.h"
#include "dhcpd/packet.h"

enum pxe_class {
	PXE_CLASS_OS,	    /* an operating system: no boot answer */
	PXE_CLASS_FIRMWARE, /* vendor class PXEClient */
	PXE_CLASS_HTTP,	    /* vendor class HTTPClient (UEFI 2.10 section 24.7) */
	PXE_CLASS_IPXE,
	PXE_CLASS_UBOOT, /* asks for architecture 21 or 22, and for no boot file */
};

struct pxe_client {
	enum pxe_class class;
	bool has_arch, has_uuid;
	bool is_raspberry;  /* a Raspberry Pi's ROM: it says that it is a PC's BIOS */
	uint16_t arch_code; /* option 93's first; 0 (BIOS) when a PXE client sent none */
	struct arch arch;
	struct uuid uuid; /* has_uuid: neither absent nor a vendor's placeholder */
};

struct pxe_client pxe_client(const struct packet *packet);
/* "firmware", "http", "ipxe", "uboot", "os". */
const char *pxe_class_name(enum pxe_class class);
/* The stage of rouse.events that a client of this class is in. */
const char *pxe_class_stage(enum pxe_class class);
/*
 * Is it of the class that an operator names: a word of pxe_class_name(), the beginning of its
 * vendor class (option 60), or one of its user classes (option 77, both ways of RFC 3004)?
 */
bool pxe_is_of_class(const struct pxe_client *client, const struct packet *packet,
		     const char *class);
/*
 * Option 43 as this firmware wants it, if it does; false for want of space. To a BIOS ROM:
 * discovery control 8 (PXE 2.1), take the file of this reply, ask no other boot server; and the
 * boot item (tag 71) that it asked for.
 */
bool pxe_put_vendor_specific(struct bytes_writer *out, const struct pxe_client *client,
			     const struct packet *request);
/*
 * Options 60, 43, 97 and 175 as this client's boot answer needs them; false when one was left
 * out for want of space.
 */
bool pxe_put_options(struct bytes_writer *out, const struct pxe_client *client,
		     const struct packet *request);

#endif
