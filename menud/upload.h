/*
 * upload - PUT /fos/image/VERSION/PART?offset=N[&sha256=HEX]: a part of an image that is being
 * captured comes in, in requests of at most 64 MiB, each where the stored octets end.
 *
 * The token's job decides (rouse_daemon.fos_upload). Octets go through two buffers to the file,
 * in libuv's pool; while both are full the client rests. 200 and 409 say how much is stored, so
 * that a client goes on there after a cut. With `sha256` the part ends with this request: it is
 * compared, renamed and recorded (rouse_daemon.fos_stored).
 */
#ifndef ROUSE_MENUD_UPLOAD_H
#define ROUSE_MENUD_UPLOAD_H

#include "menud/menud.h"

/* http_options' on_head and on_body, and the end of the body and of the request. `rest`: the
 * path behind /fos/image/. */
bool upload_begin(struct menud *menud, struct http_request *request, const char *rest);
size_t upload_take(struct http_request *request, const char *octets, size_t length);
void upload_end(struct http_request *request);
void upload_done(struct http_request *request);

#endif
