/*
 * base_url - what a script must name so that the machine comes back here.
 *
 * The name the client knows us by comes first: behind a proxy our own address would lead
 * nowhere.
 */
#ifndef ROUSE_MENUD_BASE_URL_H
#define ROUSE_MENUD_BASE_URL_H

#include "menud/menud.h"

#define BASE_URL_SIZE 128

/* "http://10.77.0.3:8080": the way it came, without a slash at its end. */
void base_url_of(const struct http_request *request, char url[BASE_URL_SIZE]);
/* The same for the client system, which speaks no TLS: plain HTTP, whichever way it came. */
void base_url_of_client(const struct menud *menud, const struct http_request *request,
			char url[BASE_URL_SIZE]);

#endif
