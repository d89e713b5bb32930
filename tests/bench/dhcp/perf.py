"""perfdhcp as a relay, its verdict, and the search for the highest rate that loses under 1 %."""

import re
from dataclasses import dataclass

from servers import SERVER

RELAY = "10.77.0.2"
DROPS_ALLOWED = 1.0  # per cent
LATE_SECONDS = 1.0  # how long perfdhcp waits for late answers in the end; it counts them as time of work


@dataclass
class Result:
    asked: float = 0        # exchanges a second that were wanted
    rate: float = 0         # DORA a second that were done
    renewals: float = 0     # renewals a second that were acknowledged
    done: int = 0           # exchanges and renewals acknowledged
    drops: float = 100.0    # per cent, the worse of OFFERs and ACKs
    offer_ms: float = 0
    ack_ms: float = 0
    cpu: float = 0          # seconds of server and database for 1,000 done

    @property
    def is_good(self):
        # a perfdhcp that cannot keep up with the rate asked for proves nothing about it
        return self.drops < DROPS_ALLOWED and self.rate > 0.9 * self.asked


def section(text, name):
    """The figures of one kind of exchange in perfdhcp's report."""
    part = text.partition(f"***Statistics for: {name}***")[2].partition("***Statistics")[0]

    def number(label):
        found = re.search(rf"^{label}: ([\d.]+)", part, re.MULTILINE)
        return float(found.group(1)) if found else 0.0
    return {"sent": number("sent packets"), "received": number("received packets"),
            "drops": 100.0 - 100.0 * number("received packets") / max(number("sent packets"), 1),
            "ms": number("avg delay")}


def perfdhcp(client, rate, seconds, clients=20000, renewals=0, relay=RELAY, server=SERVER, seed=1, more=()):
    """One run, with more of perfdhcp's flags; a Result without CPU."""
    base = f"mac=02:{seed:02x}:01:02:03:04"
    command = ["perfdhcp", "-4", "-l", relay, "-L", "67", "-N", "67", "-r", str(int(rate)), "-R",
               str(clients), "-b", base, "-W", str(int(LATE_SECONDS * 1e6)), "-d", "2", "-s", "1"]
    # new clients only, if no renewals: each client comes once
    if renewals:
        command += ["-f", str(int(renewals)), "-p", str(seconds)]
    else:
        command += ["-n", str(int(min(clients, rate * seconds)))]
    said = client.run([*command, *more, server], check=False, timeout=seconds * 10 + 60).stdout
    offers, acks = section(said, "DISCOVER-OFFER"), section(said, "REQUEST-ACK")
    renewed = section(said, "REQUEST-ACK (renewal)") if renewals else {"received": 0}
    found = re.search(r"Rate: ([\d.e+]+) 4-way", said)
    if not found:
        raise AssertionError(f"perfdhcp said no rate:\n{said}")
    # its rate is over the wait, too
    seconds_taken = offers["received"] / max(float(found.group(1)), 1e-9) - LATE_SECONDS
    done_rate = acks["received"] / max(seconds_taken, 1e-9)
    return Result(asked=rate, rate=done_rate, done=int(acks["received"] + renewed["received"]),
                  renewals=done_rate * renewed["received"] / max(acks["received"], 1),
                  drops=max(offers["drops"], acks["drops"]), offer_ms=offers["ms"], ack_ms=acks["ms"])


def measured(server, client, rate, seconds, **more):
    """The same with the CPU time of the server and its database."""
    before = server.cpu_seconds()
    result = perfdhcp(client, rate, seconds, **more)
    result.cpu = (server.cpu_seconds() - before) * 1000 / max(result.done, 1)
    return result


def highest(attempt, guess, steps=5):
    """The best good Result: doubles or halves from `guess` until the limit lies between, then bisects."""
    low, high, best = 0.0, None, None
    rate = guess
    for _ in range(steps):
        result = attempt(rate)
        print(f"      {rate:7.0f}/s: {result.rate:7.0f} done, {result.drops:5.2f} % lost, "
              f"{result.cpu:.3f} s/1000", flush=True)
        if result.is_good:
            best = result if best is None or result.rate > best.rate else best
            low = rate
        else:
            high = rate
        if high is None:
            rate = low * 1.3
        elif low == 0:
            rate = high * 0.6
        else:
            rate = (low + high) / 2
            if high - low < 0.05 * low:
                break
    return best
