#include "tftpd/archs.h"

#include "tftpd/server.h"

/* By option 93 of DHCP, else in iPXE's words. */
static bool read_arch(struct row *row, union inquiry_answer *ret_answer)
{
	struct arch arch;

	if (row_nullable(row, "code")) {
		int64_t code = row_number(row, "code");

		if (code < 0 || code > UINT16_MAX)
			return false;
		arch = arch_from_client((uint16_t)code);
	} else {
		arch = arch_from_ipxe(row_text(row, "cpu"), row_text(row, "firmware"));
	}
	ret_answer->arch = arch;
	return arch.cpu != ARCH_OTHER && arch.firmware != FIRMWARE_OTHER;
}

const struct inquiry_kind archs_kind = {
	.sql = "select * from rouse_daemon.machine_arch($1::macaddr)",
	.read = read_arch,
	.event = "arch_unknown",
	.effect = "by-arch/ is passed over, the common files are served",
};

enum err archs_find(struct server *server, const struct udp_datagram *datagram,
		    const struct mac *mac, struct arch *ret_arch)
{
	char key[MAC_TEXT_SIZE];
	union inquiry_answer answer;
	enum err err;

	mac_format(mac, key);
	err = inquiry_find(&server->archs, server, datagram, key, &answer);
	if (err == ERR_OK)
		*ret_arch = answer.arch;
	return err;
}
