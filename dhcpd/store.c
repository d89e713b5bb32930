#include "dhcpd/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/text.h"
#include "db/rows.h"
#include "dhcpd/asks.h"
#include "dhcpd/clienttext.h"
#include "dhcpd/declines.h"
#include "dhcpd/load.h"
#include "dhcpd/saver.h"
#include "dhcpd/store_table.h"
#include "io/log.h"

#define PARKED_MAX 1024
#define PARKED_MS 2000 /* no ACK is sent later than that */
#define SLOW_MS 1000   /* a commit that takes longer is an outage */
#define SWEEP_MS 100
#define QUERY_DEADLINE_MS 2000
#define LAST_SAVE_MS 8000 /* less than a loop waits for what is still to be finished */

struct store {
	struct store_options options;
	struct table *table;
	struct saver *saver;
	struct grants *grants;
	struct asks *asks;
	struct declines *declines;
	struct parking *granting; /* packets whose lease is being recorded */
	struct parking *asking;	  /* packets of clients that are being looked for */
	struct loop_timer sweep_timer;
	struct load *load;
	bool is_loaded;		   /* the table is the database's, and not only the file's */
	uint64_t waiting_since_ms; /* since when grants wait without an answer; 0: none do */
	struct store_counts counts;
	struct log_repeat full_log, late_log, end_log;
};

static uint64_t now_ms(const struct store *store)
{
	return loop_now_ms(store->options.loop);
}

const struct lease_table *store_leases(const struct store *store)
{
	return table_leases(store->table);
}

bool store_is_up(const struct store *store)
{
	return db_is_up(store->options.conn) && store->is_loaded &&
	       load_waits_ms(store->load) <= SLOW_MS &&
	       (store->waiting_since_ms == 0 ||
		now_ms(store) - store->waiting_since_ms <= SLOW_MS);
}

struct store_counts store_counts(const struct store *store)
{
	struct store_counts counts = store->counts;

	counts.statements = grants_statements(store->grants);
	return counts;
}

/* The network in which a client may have one lease only. */
static const struct ip4_net *net_of(const struct store *store, uint32_t address)
{
	const struct site_subnet *subnet =
		site_subnet_of(store->options.site(store->options.data), address);

	return subnet ? &subnet->net : NULL;
}

static uint64_t end_in(const struct store *store, int64_t seconds)
{
	int64_t end = (int64_t)now_ms(store) + seconds * 1000;

	return end > 0 ? (uint64_t)end : 0;
}

/* Nobody answers it: its client will ask again. */
static void forget_parked(struct parking *parking, const struct lease_client *client)
{
	struct parked parked;

	if (parking_take(parking, client, 0, &parked) != ERR_OK)
		return; /* it was past its deadline */
}

/* What changed here reaches the saved file within a sweep. */
static void keep(struct store *store, uint32_t address)
{
	const struct lease *lease = lease_at(store_leases(store), address);

	if (lease)
		saver_note(store->saver, lease);
}

/* --- grants --- */

static void note_grant(struct store *store, const struct grant *grant,
		       const struct grant_answer *answer)
{
	struct lease_holder holder = {grant->address, &grant->client,
				      grant->has_mac ? &grant->mac : NULL, now_ms(store)};
	struct lease lease = {
		.address = grant->address,
		.state = LEASE_BOUND,
		.ends_ms = end_in(store, answer->seconds_left),
		.client = lease_key_of(&answer->owner),
	};

	if (answer->is_granted) {
		store->counts.granted++;
		table_bind(store->table, &holder, lease.ends_ms, net_of(store, grant->address));
		keep(store, grant->address);
		return;
	}
	store->counts.lost_races++;
	/* its own and still not granted: it was declined */
	if (lease_client_equal(&answer->owner, &grant->client))
		lease.state = LEASE_DECLINED;
	table_put(store->table, &lease);
}

static void on_grant_answer(void *data, const struct grant *grant,
			    const struct grant_answer *answer)
{
	struct store *store = data;
	const struct parked *waiting = parking_find(store->granting, &grant->client);
	uint32_t seconds = 0;
	struct parked parked;

	store->waiting_since_ms = now_ms(store);
	note_grant(store, grant, answer);
	/* the client may have given up, or want another address by now */
	if (!waiting || waiting->address != grant->address ||
	    parking_take(store->granting, &grant->client, now_ms(store), &parked) != ERR_OK)
		return;
	if (answer->is_granted && answer->seconds_left > 0)
		seconds = (uint32_t)answer->seconds_left;
	store->options.on_answer(store->options.data, &parked, seconds);
}

static void on_grant_refused(void *data, const struct grant *grant)
{
	struct store *store = data;

	store->counts.refused++;
	forget_parked(store->granting, &grant->client);
}

static bool say_full(struct store *store)
{
	unsigned long left_out;

	store->counts.full++;
	if (log_repeat_due(&store->full_log, now_ms(store), 10000, &left_out))
		log_warning("too_many_waiting", "left_out=%lu remedy=%s", left_out,
			    log_text("the database is slower than the clients come: look at "
				     "its disk and at pg_stat_activity"));
	return false;
}

bool store_grant(struct store *store, const struct parked *parked, const struct grant *grant)
{
	const struct parked *before = parking_find(store->granting, &parked->client);
	bool is_under_way = before && before->address == parked->address;

	if (parking_put(store->granting, parked, now_ms(store) + PARKED_MS) != ERR_OK)
		return say_full(store);
	/* a retransmission waits for the grant that is already on its way */
	if (is_under_way)
		return true;
	if (grants_waiting(store->grants) == 0)
		store->waiting_since_ms = now_ms(store);
	if (grants_add(store->grants, grant) == ERR_OK)
		return true;
	forget_parked(store->granting, &parked->client);
	return say_full(store);
}

/* --- questions --- */

static void on_lease_found(void *data, const struct db_rows *rows, size_t position)
{
	struct store *store = data;

	table_put_row(store->table, rows, position, now_ms(store));
}

static void on_asked(void *data, const struct lease_client *client)
{
	struct store *store = data;
	struct parked parked;

	if (parking_take(store->asking, client, now_ms(store), &parked) == ERR_OK)
		store->options.on_answer(store->options.data, &parked, 0);
}

bool store_ask(struct store *store, const struct parked *parked)
{
	bool is_under_way = parking_find(store->asking, &parked->client) != NULL;

	if (parking_put(store->asking, parked, now_ms(store) + PARKED_MS) != ERR_OK)
		return say_full(store);
	if (is_under_way || asks_add(store->asks, &parked->client) == ERR_OK)
		return true;
	forget_parked(store->asking, &parked->client);
	return say_full(store);
}

/* --- offers and ends --- */

void store_hold(struct store *store, const struct lease_holder *holder, uint64_t until_ms)
{
	table_hold(store->table, holder, until_ms);
}

void store_forget(struct store *store, const struct lease_client *client,
		  const struct ip4_net *net)
{
	table_forget(store->table, client, net);
}

static void on_released(void *data, const struct db_answer *answer)
{
	struct store *store = data;
	unsigned long left_out;

	if (answer->outcome != DB_OK &&
	    log_repeat_due(&store->end_log, now_ms(store), 10000, &left_out))
		log_warning("lease_end_not_recorded", "reason=%s left_out=%lu",
			    log_text(answer->message), left_out);
}

void store_release(struct store *store, const struct lease_client *client, uint32_t address)
{
	char owner[CLIENTTEXT_SIZE], address_text[IP4_TEXT_SIZE];
	const char *params[] = {store->options.instance, address_text, owner};
	struct text out = text_into(owner, sizeof(owner));

	clienttext_put(&out, client);
	ip4_format(address, address_text);
	/* not recorded as released, it just runs to its end: nothing is lost but time */
	if (db_query(store->options.conn,
		     "select rouse_daemon.lease_end($1, array[$2::inet], array[$3::bytea], "
		     "array['released'])",
		     params, 3, QUERY_DEADLINE_MS, on_released, store) != ERR_OK) {
		log_warning("lease_end_not_recorded", "address=%s state=released reason=%s",
			    address_text, log_text("the database is away"));
		return;
	}
	table_end(store->table, address, LEASE_RELEASED, 0);
	keep(store, address);
}

/* The client's own entry is ended; anybody's who only used it is made. */
static void quarantine(struct store *store, const struct decline *decline)
{
	long seconds = site_setting_number(store->options.site(store->options.data),
					   "decline_quarantine_seconds", 3600);
	struct lease_holder holder = {decline->address, &decline->client,
				      decline->has_mac ? &decline->mac : NULL, 0};
	const struct lease *lease = lease_at(store_leases(store), decline->address);

	if (decline->kind == DECLINE_IN_USE || !lease || !lease_is_of(lease, &decline->client))
		table_quarantine(store->table, &holder, end_in(store, seconds), now_ms(store));
	else
		table_end(store->table, decline->address, LEASE_DECLINED,
			  end_in(store, seconds));
	keep(store, decline->address);
}

/* Once more: the table may have been read between, when the database did not know of it. */
static void on_declined(void *data, const struct decline *decline)
{
	quarantine(data, decline);
}

static void add_decline(struct store *store, const struct decline *decline)
{
	char address[IP4_TEXT_SIZE];

	quarantine(store, decline);
	if (declines_add(store->declines, decline) == ERR_OK)
		return;
	ip4_format(decline->address, address);
	log_warning("lease_end_not_recorded", "address=%s state=declined reason=%s", address,
		    log_text("too many wait for the database: kept from clients by this "
			     "process alone, until it reads the leases again"));
}

void store_decline(struct store *store, const struct lease_client *client, uint32_t address)
{
	const struct lease *lease = lease_at(store_leases(store), address);
	struct decline decline = {
		.address = address, .kind = DECLINE_LEASED, .client = *client};

	/* what nobody offered is not quarantined because somebody names it */
	if (!lease || !lease_is_of(lease, client))
		return;
	if (lease->state != LEASE_BOUND)
		decline.kind = DECLINE_OFFERED;
	decline.has_mac = lease->has_mac;
	decline.mac = lease->mac;
	add_decline(store, &decline);
}

void store_quarantine(struct store *store, const struct lease_holder *holder)
{
	struct decline decline = {.address = holder->address,
				  .kind = DECLINE_IN_USE,
				  .has_mac = holder->mac != NULL,
				  .client = *holder->client};

	if (holder->mac)
		decline.mac = *holder->mac;
	add_decline(store, &decline);
}

/* --- the whole table --- */

static void retry_all(struct store *store)
{
	declines_retry(store->declines);
	grants_retry(store->grants);
	asks_retry(store->asks);
}

static void on_loaded(void *data)
{
	struct store *store = data;

	store->is_loaded = true;
	/* only now are those sent that waited */
	store->waiting_since_ms = grants_waiting(store->grants) > 0 ? now_ms(store) : 0;
	saver_note_timeline(store->saver, load_timeline(store->load));
	/* what others have granted is in the table only now */
	saver_begin(store->saver, load_timeline(store->load));
	retry_all(store);
}

static void on_stale(void *data)
{
	struct store *store = data;

	store->is_loaded = false;
}

void store_on_up(struct store *store)
{
	/* what was not acknowledged is sent again: "already mine" is accepted */
	store->is_loaded = false;
	load_begin(store->load);
}

void store_on_down(struct store *store)
{
	store->is_loaded = false;
	load_stop(store->load);
}

/* --- the saved file --- */

static void on_saved_lease(void *data, const struct lease *lease)
{
	struct store *store = data;

	table_put(store->table, lease);
}

static void read_saved(struct store *store)
{
	struct leasefile_found found;

	saver_read(store->saver, on_saved_lease, store, &found);
	load_expect_timeline(store->load, found.timeline);
}

static void on_sweep(void *data)
{
	struct store *store = data;
	uint64_t now = now_ms(store);
	size_t late = parking_expire(store->granting, now);
	unsigned long left_out;

	store->counts.expired += late + parking_expire(store->asking, now);
	if (late > 0 && log_repeat_due(&store->late_log, now, 10000, &left_out))
		log_warning("acks_given_up", "count=%zu left_out=%lu reason=%s", late, left_out,
			    log_text("the database did not commit within 2 s"));
	if (grants_waiting(store->grants) == 0)
		store->waiting_since_ms = 0;
	saver_flush(store->saver);
	/* the file of an earlier run is worth more than a table that was never loaded */
	if (store->is_loaded && saver_is_due(store->saver))
		saver_begin(store->saver, load_timeline(store->load));
	if (!db_is_up(store->options.conn))
		return;
	load_tick(store->load);
	/* before the table is the database's nothing is granted, nor sent again */
	if (store->is_loaded)
		retry_all(store);
	table_tend(store->table, now);
}

static enum err open_parts(struct store *store)
{
	const struct grants_options grants = {store->options.loop,     store->options.conn,
					      store->options.instance, on_grant_answer,
					      on_grant_refused,	       store};
	const struct asks_options asks = {store->options.loop, store->options.conn,
					  on_lease_found, on_asked, store};
	const struct declines_options declines = {store->options.loop, store->options.conn,
						  store->options.instance, on_declined, store};
	struct load_options load = {.loop = store->options.loop,
				    .conn = store->options.conn,
				    .instance = store->options.instance,
				    .on_done = on_loaded,
				    .on_stale = on_stale,
				    .data = store};
	struct hash_key seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return ERR_SYSTEM;
	if (table_open(seed, &store->table) != ERR_OK ||
	    saver_open(store->options.loop, store->options.saved_file, store_leases(store),
		       &store->saver) != ERR_OK ||
	    grants_open(&grants, &store->grants) != ERR_OK ||
	    asks_open(&asks, &store->asks) != ERR_OK ||
	    declines_open(&declines, &store->declines) != ERR_OK ||
	    parking_open(PARKED_MAX, &store->granting) != ERR_OK ||
	    parking_open(PARKED_MAX, &store->asking) != ERR_OK)
		return ERR_MEMORY;
	load.table = store->table;
	return load_open(&load, &store->load);
}

static void free_store(void *data)
{
	struct store *store = data;

	parking_close(store->granting);
	parking_close(store->asking);
	grants_close(store->grants);
	asks_close(store->asks);
	declines_close(store->declines);
	load_close(store->load);
	table_close(store->table);
	free(store);
}

/* What could be opened of it. */
static void discard(struct store *store)
{
	if (store->saver)
		saver_close(store->saver,
			    &(struct saver_end){.on_closed = free_store, .data = store});
	else
		free_store(store);
}

enum err store_open(const struct store_options *options, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	enum err err;

	if (!store)
		return ERR_MEMORY;
	store->options = *options;
	err = open_parts(store);
	if (err != ERR_OK) {
		discard(store);
		return err;
	}
	loop_timer_open(options->loop, &store->sweep_timer, on_sweep, store);
	loop_timer_start(&store->sweep_timer, SWEEP_MS, SWEEP_MS);
	read_saved(store);
	*ret_store = store;
	return ERR_OK;
}

static void on_saver_closed(void *data)
{
	struct store *store = data;

	loop_timer_close_then(&store->sweep_timer, free_store);
}

void store_close(struct store *store)
{
	bool is_worth_saving;

	if (!store)
		return;
	is_worth_saving = store->counts.granted > 0 || store->is_loaded;
	loop_timer_stop(&store->sweep_timer);
	saver_close(store->saver,
		    &(struct saver_end){
			    .timeline = is_worth_saving ? load_timeline(store->load) : NULL,
			    .most_ms = LAST_SAVE_MS,
			    .on_closed = on_saver_closed,
			    .data = store,
		    });
}
