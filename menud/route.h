/*
 * route - which handler a request is for, by its method and path.
 *
 *	struct route route = route_find("GET", "/files/fos/bzImage");
 *	route.to == ROUTE_FILES, route.rest is "fos/bzImage"
 */
#ifndef ROUSE_MENUD_ROUTE_H
#define ROUSE_MENUD_ROUTE_H

enum route_to {
	ROUTE_BOOT,	  /* GET, HEAD, POST /boot */
	ROUTE_FILES,	  /* GET, HEAD /files/PATH */
	ROUTE_LOADER,	  /* GET, HEAD /grub/..., /boot/..., /pxelinux.cfg/... */
	ROUTE_ANSWERS,	  /* GET, HEAD /answers/TICKET, /answers/TICKET/done */
	ROUTE_FOS,	  /* POST /fos/VERB */
	ROUTE_FOS_IMAGE,  /* GET, HEAD, PUT /fos/image/VERSION/PART */
	ROUTE_FOS_SCRIPT, /* GET, HEAD /fos/script/JOB */
	ROUTE_LOGIN,	  /* GET, HEAD, POST /login, /login/ipxe */
	ROUTE_API,	  /* GET, HEAD, POST /api/v1/NAME */
	ROUTE_HEALTH,	  /* GET, HEAD /healthz */
	ROUTE_READY,	  /* GET, HEAD /readyz */
	ROUTE_METRICS,	  /* GET, HEAD /metrics */
	ROUTE_UNKNOWN,	  /* 404 */
	ROUTE_METHOD,	  /* 405: `rest` is the value of Allow */
};

struct route {
	enum route_to to;
	const char
		*rest; /* of the path, behind the handler's prefix; a loader's name is whole */
};

struct route route_find(const char *method, const char *path);

#endif
