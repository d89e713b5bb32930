/* The connection string taken apart, and what is said of one that cannot be. */
#include "unit.h"

#include <stdlib.h>

#include "db/conninfo.h"

static const char *value_of(const struct conninfo_host *host, const char *keyword)
{
	for (size_t i = 0; host->keywords[i]; i++) {
		if (strcmp(host->keywords[i], keyword) == 0)
			return host->values[i];
	}
	return NULL;
}

static void each_host_gets_its_own_port(void **state)
{
	struct conninfo info;
	char *message = NULL;

	(void)state;
	assert_int_equal(conninfo_parse("host=a,192.0.2.1,/run port=1,2,3 dbname=rouse", "x",
					&info, &message),
			 ERR_OK);
	assert_int_equal(info.host_count, 3);
	assert_string_equal(info.hosts[0].name, "a");
	assert_null(info.hosts[1].name); /* an address needs no resolver, nor does a socket */
	assert_null(info.hosts[2].name);
	assert_string_equal(value_of(&info.hosts[1], "port"), "2");
	assert_string_equal(value_of(&info.hosts[2], "host"), "/run");
	assert_string_equal(value_of(&info.hosts[2], "dbname"), "rouse");
	assert_string_equal(value_of(&info.hosts[2], "fallback_application_name"), "x");
	conninfo_free(&info);
}

static char *refusal(const char *text)
{
	struct conninfo info;
	char *message = NULL;

	assert_int_equal(conninfo_parse(text, "x", &info, &message), ERR_FORMAT);
	assert_non_null(message);
	return message;
}

static void a_refusal_names_the_mistake(void **state)
{
	char *message = refusal("hots=/run dbname=rouse");

	(void)state;
	assert_non_null(strstr(message, "hots"));
	free(message);
	message = refusal("host=a,b,c,d,e,f,g,h,i");
	assert_non_null(strstr(message, "8"));
	free(message);
}

static void a_refusal_holds_no_secret(void **state)
{
	static const char *const texts[] = {
		"host=a password=geheim geheim",
		"host=a passwort = nicht geheim",
		"postgresql://user:geheim@[::1/rouse",
		"postgresql://user:geheim@host:5432x/rouse?nonsense",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *message = refusal(texts[i]);

		assert_null(strstr(message, "geheim"));
		free(message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_host_gets_its_own_port),
		cmocka_unit_test(a_refusal_names_the_mistake),
		cmocka_unit_test(a_refusal_holds_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
