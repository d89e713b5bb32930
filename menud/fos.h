/*
 * fos - the client system's calls (docs/reference/fos-protocol.md): form fields in, one
 * function of the database, its row out as key=value lines. The rules are the database's; this
 * is the post office.
 */
#ifndef ROUSE_MENUD_FOS_H
#define ROUSE_MENUD_FOS_H

#include "menud/menud.h"

/* POST /fos/VERB */
void fos_answer(struct menud *menud, struct http_request *request, const char *verb);
/* GET /fos/image/VERSION/PART: allowed by the bearer token, then a file of the image store. */
void fos_answer_image(struct menud *menud, struct http_request *request, const char *rest);
/* GET /fos/script/JOB: the job's script, allowed by the bearer token. */
void fos_answer_script(struct menud *menud, struct http_request *request, const char *job);

#endif
