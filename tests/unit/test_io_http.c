/*
 * The server on its real loop. The client is a thread with plain blocking sockets, so that it
 * can send what no library would; the loop stops when the thread has ended.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "io/http.h"

#define ANSWER_SIZE 65536
#define BODY_MAX 1000

struct house {
	struct loop loop;
	struct loop_timer timer, deadline;
	struct http *server;
	struct http_request *parked;
	uv_async_t client_ended;
	sem_t has_delivered, has_done; /* for the client's thread to wait on */
	uint16_t port;
	int delivered, abandoned;
	/* of the last on_done */
	unsigned done_status;
	uint64_t done_sent;
	int done_count;
};

static struct house house;

/* The story of one client, told in its own thread. */
typedef void story(void);

static int file_of_digits(void)
{
	int file = memfd_create("digits", MFD_CLOEXEC);

	assert_int_equal(write(file, "0123456789", 10), 10);
	return file;
}

static void answer_echo(struct http_request *request)
{
	static const struct http_header headers[] = {{"X-Mark", "yes"}, {NULL, NULL}};
	char body[2048];
	size_t length = (size_t)snprintf(body, sizeof(body), "%s %s\n", http_method(request),
					 http_path(request));

	for (size_t i = 0; i < http_field_count(request); i++)
		length += (size_t)snprintf(body + length, sizeof(body) - length, "%s[%s]\n",
					   http_field_name(request, i),
					   http_field_value(request, i));
	http_answer_text(request, 200, "text/plain", body, length, headers);
}

static void on_abandon(void *data, struct http_request *request)
{
	struct house *it = data;

	assert_ptr_equal(it->parked, request);
	it->parked = NULL;
	it->abandoned++;
}

static void on_late(void *data)
{
	struct house *it = data;
	struct http_request *request = it->parked;

	it->parked = NULL;
	http_answer_text(request, 200, "text/plain", "late\n", 5, NULL);
}

static void answer_local(struct http_request *request)
{
	uint16_t port;
	struct ip local = http_local(request, &port);
	struct ip peer = http_peer(request);
	char text[2][IP_TEXT_SIZE];
	char body[128];
	int length;

	ip_format(&local, text[0]);
	ip_format(&peer, text[1]);
	length = snprintf(body, sizeof(body), "%s:%u %s", text[0], port, text[1]);
	http_answer_text(request, 200, "text/plain", body, (size_t)length, NULL);
}

static void answer_range(struct http_request *request)
{
	static const struct http_header headers[] = {{"Content-Range", "bytes 2-5/10"},
						     {NULL, NULL}};

	http_answer_file(request, 206, "application/octet-stream", file_of_digits(), 2, 4,
			 headers);
}

static void on_request(void *data, struct http_request *request)
{
	struct house *it = data;
	const char *path = http_path(request);

	it->delivered++;
	(void)sem_post(&it->has_delivered);
	if (strcmp(path, "/range") == 0) {
		answer_range(request);
	} else if (strcmp(path, "/file") == 0) {
		http_answer_file(request, 200, NULL, file_of_digits(), 0, 10, NULL);
	} else if (strcmp(path, "/local") == 0) {
		answer_local(request);
	} else if (strcmp(path, "/late") == 0) {
		it->parked = request;
		http_park(request, 10000, on_abandon);
		loop_timer_start(&it->timer, 30, 0);
	} else if (strcmp(path, "/never") == 0) {
		it->parked = request;
		http_park(request, 50, on_abandon);
	} else if (strcmp(path, "/parked-at-once") == 0) {
		http_park(request, 10000, on_abandon);
		http_answer_text(request, 200, NULL, "x", 1, NULL);
	} else if (strcmp(path, "/forgotten") != 0) {
		answer_echo(request);
	}
}

static void on_done(void *data, struct http_request *request, unsigned status, uint64_t sent)
{
	struct house *it = data;

	(void)http_path(request);
	it->done_status = status;
	it->done_sent = sent;
	it->done_count++;
	(void)sem_post(&it->has_done);
}

static void on_deadline(void *data)
{
	(void)data;
	(void)fprintf(stderr, "no end after 20 s\n");
	abort();
}

static void on_client_ended(uv_async_t *handle)
{
	struct house *it = handle->data;

	loop_stop(&it->loop);
}

static void *run_client(void *data)
{
	(*(story **)data)();
	(void)uv_async_send(&house.client_ended);
	return NULL;
}

static void open_house(const struct http_options *special)
{
	struct http_options options = *special;

	memset(&house, 0, sizeof(house));
	(void)sem_init(&house.has_delivered, 0, 0);
	(void)sem_init(&house.has_done, 0, 0);
	options.both = true;
	options.body_max = BODY_MAX;
	options.on_request = on_request;
	options.on_done = on_done;
	options.data = &house;
	assert_int_equal(loop_open(&house.loop, NULL, NULL), ERR_OK);
	assert_int_equal(http_open(&house.loop, &options, &house.server), ERR_OK);
	house.port = http_port(house.server);
	loop_timer_open(&house.loop, &house.timer, on_late, &house);
	loop_timer_open(&house.loop, &house.deadline, on_deadline, &house);
	loop_timer_start(&house.deadline, 20000, 0);
	assert_int_equal(uv_async_init(&house.loop.uv, &house.client_ended, on_client_ended),
			 0);
	house.client_ended.data = &house;
}

static void close_house(void)
{
	http_close(house.server);
	loop_timer_close(&house.timer);
	loop_timer_close(&house.deadline);
	uv_close((uv_handle_t *)&house.client_ended, NULL);
	loop_close(&house.loop);
}

static void tell_with(story *client, const struct http_options *options)
{
	pthread_t thread;

	open_house(options);
	assert_int_equal(pthread_create(&thread, NULL, run_client, &client), 0);
	loop_run(&house.loop);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close_house();
}

static void tell(story *client)
{
	tell_with(client, &(struct http_options){0});
}

/* The client's side. CMocka's assertions jump, which only its own thread may do. */
static void must(bool holds, const char *what, const char *got)
{
	if (holds)
		return;
	(void)fprintf(stderr, "expected %s, got:\n%s\n", what, got);
	abort();
}

static int dial(const char *host)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(house.port)};
	struct timeval patience = {.tv_sec = 10};
	int line = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)inet_pton(AF_INET, host, &address.sin_addr);
	(void)setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	must(connect(line, (struct sockaddr *)&address, sizeof(address)) == 0, "a connection",
	     strerror(errno));
	return line;
}

static void say(int line, const char *text)
{
	size_t length = strlen(text);

	must(send(line, text, length, MSG_NOSIGNAL) == (ssize_t)length, "to send",
	     strerror(errno));
}

/* Everything up to the end of the connection. */
static const char *hear_all(int line)
{
	static char answer[ANSWER_SIZE];
	size_t length = 0;
	ssize_t got;

	while (length < sizeof(answer) - 1 &&
	       (got = recv(line, answer + length, sizeof(answer) - 1 - length, 0)) > 0)
		length += (size_t)got;
	answer[length] = '\0';
	close(line);
	return answer;
}

static const char *ask(const char *request)
{
	int line = dial("127.0.0.1");

	say(line, request);
	return hear_all(line);
}

static void expect(const char *request, const char *status, const char *part)
{
	const char *answer = ask(request);

	must(strncmp(answer, "HTTP/1.1 ", 9) == 0 && strncmp(answer + 9, status, 3) == 0,
	     status, answer);
	must(strstr(answer, part) != NULL, part, answer);
}

#define REST "Host: h\r\nConnection: close\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static void client_simple(void)
{
	const char *head;

	expect("GET /a%20b?x=%41&y HTTP/1.1\r\n" REST "\r\n", "200",
	       "\r\n\r\nGET /a b\nx[A]\ny[]\n");
	expect("GET / HTTP/1.1\r\n" REST "\r\n", "200", "\r\nX-Mark: yes\r\n");
	expect("GET / HTTP/1.0\r\n\r\n", "200", "GET /\n");
	expect("POST /p?q=1 HTTP/1.1\r\n" FORM REST "Content-Length: 10\r\n\r\na=1&b=+%2B",
	       "200", "POST /p\nq[1]\na[1]\nb[ +]\n");
	expect("POST /p HTTP/1.1\r\n" FORM REST
	       "Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n",
	       "200", "POST /p\na[1]\nb[2]\n");
	head = ask("HEAD /a HTTP/1.1\r\n" REST "\r\n");
	must(strstr(head, "Content-Length: 8\r\n") != NULL, "the length", head);
	must(strcmp(head + strlen(head) - 4, "\r\n\r\n") == 0, "no body", head);
}

static void test_simple(void **state)
{
	(void)state;
	tell(client_simple);
	assert_int_equal(house.delivered, 6);
	assert_int_equal(house.done_count, 6);
	assert_int_equal(house.done_status, 200);
	assert_int_equal(house.done_sent, 0); /* HEAD */
}

/* Two requests sent at once on one connection that stays open. */
static void client_keep_alive(void)
{
	int line = dial("127.0.0.1");
	const char *answer;

	say(line, "GET /one HTTP/1.1\r\nHost: h\r\n\r\nGET /two HTTP/1.1\r\n" REST "\r\n");
	answer = hear_all(line);
	must(strstr(answer, "GET /one\n") != NULL, "the first answer", answer);
	must(strstr(answer, "GET /two\n") != NULL, "the second answer", answer);
}

static void test_keep_alive(void **state)
{
	(void)state;
	tell(client_keep_alive);
	assert_int_equal(house.done_sent, strlen("GET /two\n"));
}

static void client_late(void)
{
	expect("GET /late HTTP/1.1\r\n" REST "\r\n", "200", "\r\n\r\nlate\n");
	expect("GET /parked-at-once HTTP/1.1\r\n" REST "\r\n", "200", "\r\n\r\nx");
}

static void test_late_answer(void **state)
{
	(void)state;
	tell(client_late);
	assert_int_equal(house.abandoned, 0);
	assert_int_equal(house.done_count, 2);
}

static void client_never(void)
{
	expect("GET /never HTTP/1.1\r\n" REST "\r\n", "503", "Retry-After: 2\r\n");
	expect("GET /forgotten HTTP/1.1\r\n" REST "\r\n", "500", "no answer");
}

static void test_abandoned(void **state)
{
	(void)state;
	tell(client_never);
	assert_int_equal(house.abandoned, 1);
	assert_int_equal(house.done_count, 2);
}

/* The client of a parked request goes away: its answer is nobody's, and nothing breaks. */
static void client_gone(void)
{
	int line = dial("127.0.0.1");

	say(line, "GET /late HTTP/1.1\r\n" REST "\r\n");
	(void)sem_wait(&house.has_delivered);
	close(line);
	(void)sem_wait(&house.has_done);
	expect("GET / HTTP/1.1\r\n" REST "\r\n", "200", "GET /\n");
}

static void test_client_gone(void **state)
{
	(void)state;
	tell(client_gone);
	assert_int_equal(house.delivered, 2);
	assert_int_equal(house.done_count, 2);
}

static int line_left_open;

static void client_leaves_parked(void)
{
	line_left_open = dial("127.0.0.1");
	say(line_left_open, "GET /late HTTP/1.1\r\n" REST "\r\n");
	(void)sem_wait(&house.has_delivered);
}

/* The server closes while a request is parked: 503 reaches the client. */
static void test_close_with_parked(void **state)
{
	const char *answer;

	(void)state;
	tell(client_leaves_parked);
	answer = hear_all(line_left_open);
	assert_non_null(strstr(answer, "HTTP/1.1 503 "));
	assert_int_equal(house.abandoned, 1);
	assert_int_equal(house.done_count, 1);
}

static void client_files(void)
{
	const char *head;

	expect("GET /file HTTP/1.1\r\n" REST "\r\n", "200", "\r\n\r\n0123456789");
	expect("GET /range HTTP/1.1\r\n" REST "\r\n", "206", "Content-Range: bytes 2-5/10\r\n");
	expect("GET /range HTTP/1.1\r\n" REST "\r\n", "206", "Content-Length: 4\r\n");
	head = strstr(ask("GET /range HTTP/1.1\r\n" REST "\r\n"), "\r\n\r\n");
	must(head && strcmp(head, "\r\n\r\n2345") == 0, "the range", head ? head : "");
}

static void test_files(void **state)
{
	(void)state;
	tell(client_files);
	assert_int_equal(house.done_status, 206);
	assert_int_equal(house.done_sent, 4);
}

static void client_addresses(void)
{
	char expected[64];
	int line = dial("127.0.0.7");

	say(line, "GET /local HTTP/1.1\r\n" REST "\r\n");
	(void)snprintf(expected, sizeof(expected), "\r\n\r\n127.0.0.7:%u 127.0.0.1",
		       house.port);
	must(strstr(hear_all(line), expected) != NULL, expected, "another");
}

static void test_addresses(void **state)
{
	(void)state;
	tell(client_addresses);
}

static void client_refused(void)
{
	char big[4096];
	char body[BODY_MAX + 2];

	memset(body, 'a', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	(void)snprintf(big, sizeof(big),
		       "POST / HTTP/1.1\r\n" FORM REST "Content-Length: %zu\r\n\r\n%s",
		       strlen(body), body);
	expect(big, "413", "too large");
	expect("POST / HTTP/1.1\r\n" FORM REST "Content-Length: 99999999\r\n\r\n", "413",
	       "too large");
	(void)snprintf(big, sizeof(big),
		       "POST / HTTP/1.1\r\n" FORM REST
		       "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
		       strlen(body), body);
	expect(big, "413", "too large");
	expect("POST / HTTP/1.1\r\n" FORM REST "Content-Length: 3\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n0\r\n\r\n",
	       "400", "told twice");
	expect("POST / HTTP/1.1\r\n" FORM REST
	       "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=1",
	       "400", "told twice");
	expect("POST / HTTP/1.1\r\n" FORM REST "Transfer-Encoding: gzip, chunked\r\n\r\n",
	       "501", "Transfer-Encoding");
	expect("POST / HTTP/1.1\r\n" FORM REST "Expect: a miracle\r\n\r\n", "417",
	       "100-continue");
	expect("GET / HTTP/1.1\r\n" REST "Content-Length : 3\r\n\r\n", "400", "blank");
	expect("GET / HTTP/1.1\r\n" REST REST "\r\n", "400", "one Host");
	expect("GET / HTTP/1.0\r\n" REST "Host: x\r\n\r\n", "400", "one Host");
	expect("POST / HTTP/1.1\r\nContent-Type: text/json\r\n" REST
	       "Content-Length: 2\r\n\r\n{}",
	       "415", "urlencoded");
	expect("POST / HTTP/1.1\r\n" REST "Content-Length: 2\r\n\r\n{}", "415", "urlencoded");
	expect("GET /%00 HTTP/1.1\r\n" REST "\r\n", "400", "path");
	expect("GET /%4 HTTP/1.1\r\n" REST "\r\n", "400", "path");
	expect("GET /a?b=%00 HTTP/1.1\r\n" REST "\r\n", "400", "field");
	expect("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400", "");
	expect("NONSENSEMETHODNAME / HTTP/1.1\r\n" REST "\r\n", "501", "method");
}

static void test_refused(void **state)
{
	(void)state;
	tell(client_refused);
	assert_int_equal(house.delivered, 0);
	assert_int_equal(house.done_count, 0);
}

static void client_many_fields(void)
{
	char request[4096] = "GET /?";

	for (int i = 0; i < 129; i++)
		strcat(request, "a=1&");
	strcat(request, " HTTP/1.1\r\n" REST "\r\n");
	expect(request, "400", "too many fields");
}

static void test_many_fields(void **state)
{
	(void)state;
	tell(client_many_fields);
}

/*
 * Every place is taken by clients that say nothing. When they expire, the one who waits in the
 * backlog must be let in: libmicrohttpd by itself never looks at its listening socket again.
 */
static void client_stall(void)
{
	int silent[4];
	int waiting;

	for (size_t i = 0; i < 4; i++)
		silent[i] = dial("127.0.0.1");
	waiting = dial("127.0.0.1");
	say(waiting, "GET /at-last HTTP/1.1\r\n" REST "\r\n");
	must(strstr(hear_all(waiting), "GET /at-last\n") != NULL, "an answer", "none in 10 s");
	for (size_t i = 0; i < 4; i++)
		close(silent[i]);
}

static void test_connection_limit_stall(void **state)
{
	(void)state;
	tell_with(client_stall,
		  &(struct http_options){.connections_max = 4, .idle_seconds = 1});
}

#define DRIPS_MAX 8

/* All places are taken by clients that send an octet now and then, and never a whole request.
 */
static void drip(size_t count)
{
	int drips[DRIPS_MAX];
	int waiting;

	for (size_t i = 0; i < count; i++)
		drips[i] = dial("127.0.0.1");
	waiting = dial("127.0.0.1");
	say(waiting, "GET /at-last HTTP/1.1\r\n" REST "\r\n");
	for (bool is_answered = false; !is_answered;) {
		char first;

		for (size_t i = 0; i < count; i++)
			(void)send(drips[i], "G", 1, MSG_NOSIGNAL);
		(void)usleep(50000);
		is_answered = recv(waiting, &first, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
	}
	must(strstr(hear_all(waiting), "GET /at-last\n") != NULL, "an answer", "another");
	for (size_t i = 0; i < count; i++)
		close(drips[i]);
}

static void client_four_drips(void)
{
	drip(4);
}

static void client_drips(void)
{
	drip(DRIPS_MAX);
}

static void test_drips_hold_no_place(void **state)
{
	(void)state;
	tell_with(client_four_drips,
		  &(struct http_options){.connections_max = 4, .idle_seconds = 1});
}

/* A minute is the rule, and five seconds when nearly all places are taken. */
static void test_patience_is_short_when_places_are_scarce(void **state)
{
	(void)state;
	tell_with(client_drips, &(struct http_options){.connections_max = DRIPS_MAX});
}

static void test_occupied_port(void **state)
{
	struct http_options options = {.on_request = on_request};
	struct http *second = NULL;

	(void)state;
	open_house(&options);
	options.port = house.port;
	assert_int_equal(http_open(&house.loop, &options, &second), ERR_SYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	assert_null(second);
	close_house();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_close_with_parked),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many_fields),
		cmocka_unit_test(test_connection_limit_stall),
		cmocka_unit_test(test_drips_hold_no_place),
		cmocka_unit_test(test_patience_is_short_when_places_are_scarce),
		cmocka_unit_test(test_occupied_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
