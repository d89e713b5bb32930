#include "tftpd/mtu.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tftpd/packet.h"

#define HEADERS_IP4 32	    /* IPv4, UDP and TFTP before a block's octets */
#define HEADERS_IP6 52	    /* the same with IPv6 */
#define CAREFUL_OCTETS 1500 /* Ethernet's */
#define KNOWN_MS 1000

static int look_up(unsigned interface)
{
	struct ifreq wanted = {.ifr_ifindex = (int)interface};
	int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int octets = CAREFUL_OCTETS;

	if (handle < 0)
		return CAREFUL_OCTETS;
	if (ioctl(handle, SIOCGIFNAME, &wanted) == 0 && ioctl(handle, SIOCGIFMTU, &wanted) == 0)
		octets = wanted.ifr_mtu;
	(void)close(handle);
	return octets;
}

uint16_t mtu_blksize(struct mtu *known, unsigned interface, const struct ip *client,
		     uint64_t now_ms)
{
	int most;

	if (known->interface != interface || now_ms >= known->until_ms)
		*known = (struct mtu){interface, look_up(interface), now_ms + KNOWN_MS};
	most = known->octets - (ip_is_v4(client) ? HEADERS_IP4 : HEADERS_IP6);
	if (most < PACKET_BLKSIZE_DEFAULT)
		return PACKET_BLKSIZE_DEFAULT;
	return (uint16_t)(most > PACKET_BLKSIZE_MAX ? PACKET_BLKSIZE_MAX : most);
}
