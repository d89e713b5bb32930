/*
 * api - what an operator reads and does over HTTP: the views and verbs of schema rouse, as that
 * operator and within their limits.
 *
 *	GET  /api/v1/jobs?host=lab-01&limit=10	rows of rouse.jobs, an array of objects
 *	GET  /api/v1/openapi.json	all of them, for anybody, as OpenAPI 3
 *	POST /api/v1/inventory	target=lab-01	select rouse.inventory(target => 'lab-01')
 *
 * Whoever asks has logged in (menud/login.h). All rules are the database's: rouse_daemon.read()
 * and act().
 */
#ifndef ROUSE_MENUD_API_H
#define ROUSE_MENUD_API_H

#include "menud/menud.h"

void api_answer(struct menud *menud, struct http_request *request, const char *name);

#endif
