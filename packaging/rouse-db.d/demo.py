"""A small site to look at: networks, machines, images, jobs in every state, boots that went well and badly.

It goes into an empty database only, and is not taken out again: jobs and events are history, which is
never deleted. Whoever has seen enough drops the database or the private cluster.
"""

from database import Trouble

COUNTS = """
select concat_ws(', ', nullif(format('%s hosts', (select count(*) from rouse_data.host)), '0 hosts'),
	nullif(format('%s subnets', (select count(*) from rouse_data.subnet)), '0 subnets'),
	nullif(format('%s images', (select count(*) from rouse_data.image)), '0 images'),
	nullif(format('%s jobs', (select count(*) from rouse_data.job)), '0 jobs'))
"""


def fill(database, file):
    owner = database.as_owner()
    there = owner.value(COUNTS)
    if there:
        raise Trouble(f"this database is in use: it has {there}",
                      remedy="Make one for the demonstration: rouse-db init --private DIR")
    owner.script(f"\\o /dev/null\nbegin;\n\\i {file}\ncommit;\n")
    print("Filled. Look at it:  rouse-db psql, then  :queue  :jobs  :boots  :why('lab-03');\n"
          "It is not taken out again: drop the database when you have seen enough.")
