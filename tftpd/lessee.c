#include "tftpd/lessee.h"

#include "tftpd/server.h"

static bool read_mac(struct row *row, union inquiry_answer *ret_answer)
{
	return row_mac(row, "mac", &ret_answer->mac);
}

const struct inquiry_kind lessee_kind = {
	.sql = "select rouse_daemon.lease_mac($1::inet) as mac",
	.read = read_mac,
	.event = "lessee_unknown",
	.effect = "clients behind routers are served as unknown machines",
};

enum err lessee_recall(const struct server *server, const struct ip *address,
		       struct mac *ret_mac)
{
	char key[IP_TEXT_SIZE];
	union inquiry_answer answer;
	enum err err;

	ip_format(address, key);
	err = inquiry_recall(&server->lessees, key, loop_now_ms(server->loop), &answer);
	if (err == ERR_OK)
		*ret_mac = answer.mac;
	return err;
}

enum err lessee_find(struct server *server, const struct udp_datagram *datagram,
		     struct mac *ret_mac)
{
	char key[IP_TEXT_SIZE];
	union inquiry_answer answer;
	enum err err;

	/* a site without rules asks no machine's name */
	if (!ip_is_v4(&datagram->peer.address) ||
	    backend_site(server->backend)->rule_count == 0)
		return lessee_recall(server, &datagram->peer.address, ret_mac) == ERR_OK
			       ? ERR_OK
			       : ERR_ABSENT;
	ip_format(&datagram->peer.address, key);
	err = inquiry_find(&server->lessees, server, datagram, key, &answer);
	if (err == ERR_OK)
		*ret_mac = answer.mac;
	return err;
}
