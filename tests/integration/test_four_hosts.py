"""The three daemons on three hosts and the database on a fourth: over TLS whose certificate and name they check, with
passwords by SCRAM that stand in no argument."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from test_dhcpd_kit import Wire

ROOT = Path(__file__).resolve().parents[2]
NAME, ADDRESS = "db.lab.example", "10.77.0.4"
DAEMONS = {"rouse_dhcpd": "one", "rouse_tftpd": "two", "rouse_menud": "three"}
BIN = Path("/usr/lib/postgresql/15/bin")


def as_postgres(*command, **more):
    return subprocess.run(["runuser", "-u", "postgres", "--", *map(str, command)], check=True, text=True,
                          capture_output=True, **more)


def certify(place, authority, name=None):
    """place/AUTHORITY.pem, and with a name a key and a certificate by it, as postgres."""
    if not (place / f"{authority}.key").exists():
        as_postgres("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={authority}", "-keyout", place / f"{authority}.key", "-out", place / f"{authority}.pem")
    if name:
        as_postgres("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    f"/CN={name}", "-keyout", place / "server.key", "-out", place / "server.csr")
        (place / "names").write_text(f"subjectAltName=DNS:{name}\n", encoding="ascii")
        as_postgres("openssl", "x509", "-req", "-days", "2", "-in", place / "server.csr", "-CA", place / f"{authority}.pem",
                    "-CAkey", place / f"{authority}.key", "-CAcreateserial", "-extfile", place / "names", "-out",
                    place / "server.pem")


class Server:
    """A PostgreSQL that an administrator has set up: it takes TLS and SCRAM, and nothing else from the network."""

    def __init__(self, place):
        self.place, self.data = place, place / "data"
        certify(place, "authority", NAME)
        certify(place, "stranger")
        (place / "password").write_text("the administrator's", encoding="ascii")
        as_postgres(BIN / "initdb", "-D", self.data, "-U", "admin", "-A", "scram-sha-256", "--pwfile", place / "password",
                    "--no-sync")
        (self.data / "pg_hba.conf").write_text("hostssl all all 10.77.0.0/24 scram-sha-256\n", encoding="ascii")
        (self.data / "postgresql.auto.conf").write_text(
            f"listen_addresses = '{ADDRESS}'\nunix_socket_directories = ''\nssl = on\n"
            f"ssl_cert_file = '{place}/server.pem'\nssl_key_file = '{place}/server.key'\nfsync = off\n", encoding="ascii")

    def conninfo(self, user, authority="authority", name=NAME):
        """Passwords come from a file of that user's own."""
        passwords = self.place / f"pass-{user}"
        if not passwords.exists():
            password = "the administrator's" if user == "admin" else DAEMONS[user]
            passwords.write_text(f"*:*:*:{user}:{password}\n", encoding="ascii")
            passwords.chmod(0o600)
        return (f"host={name} hostaddr={ADDRESS} dbname=rouse user={user} sslmode=verify-full "
                f"sslrootcert={self.place}/{authority}.pem passfile={passwords}")


@pytest.fixture(name="server")
def make_server():
    place = Path(tempfile.mkdtemp(prefix="rouse-tls-", dir="/tmp"))
    place.chmod(0o755)
    shutil.chown(place, "postgres")
    yield Server(place)
    shutil.rmtree(place)


@pytest.fixture(name="site")
def make_site(lab, server):
    """{name: host}, with PostgreSQL running on the fourth and the database made from the first."""
    lab.segment("lan")
    hosts = {name: lab.host(name, [f"10.77.0.{number}/24"]) for name, number in
             (("dhcp", 2), ("menu", 3), ("db", 4), ("tftp", 5))}
    hosts["client"] = lab.host("client", ["10.77.0.9/24"])
    running = hosts["db"].spawn(["runuser", "-u", "postgres", "--", BIN / "postgres", "-D", server.data], name="postgres")
    running.wait_for("ready to accept connections", timeout=30)
    admin = server.conninfo("admin")
    hosts["dhcp"].run(["/usr/bin/psql", "-d", admin.replace("dbname=rouse", "dbname=postgres"), "-c", "create database rouse"])
    hosts["dhcp"].run([ROOT / "packaging/rouse-db", "init", admin])
    for role, password in DAEMONS.items():
        hosts["dhcp"].run(["/usr/bin/psql", "-d", admin, "-c", f"alter role {role} password '{password}'"])
    hosts["sql"] = lambda text: hosts["dhcp"].run(["/usr/bin/psql", "-XAtq", "-d", admin, "-c", text]).stdout.strip()
    yield hosts


@pytest.mark.patience(120)
def test_three_hosts_and_a_database_on_a_fourth(site, server, build, tmp_path):
    site["sql"]("insert into rouse.subnets (subnet, next_server) values ('10.77.0.0/24', '10.77.0.5');"
                "insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.100', '10.77.0.199')")
    (tmp_path / "file").write_bytes(b"x")
    flags = {"dhcp": ["dhcpd", "--interface", "eth0"], "menu": ["menud", "--root", tmp_path],
             "tftp": ["tftpd", "--root", tmp_path, "--menud-urls", "http://10.77.0.3:8080"]}
    for place, (program, *more) in flags.items():
        daemon = site[place].spawn([build / program / program, *more, "--state-dir", "", "--database",
                                    server.conninfo(f"rouse_{program}")], name=program)
        daemon.wait_for("event=snapshot_loaded", timeout=30)
        if program == "dhcpd":
            daemon.wait_for("event=serving", timeout=30)
    # address, script and menu, each from its host
    wire = Wire(site["client"], "52:54:00:00:00:01")
    assert wire.lease().yiaddr.startswith("10.77.0.1")
    wire.close()
    assert "http://10.77.0.3:8080" in site["client"].run(["curl", "-sS", "tftp://10.77.0.5/default.ipxe"]).stdout
    assert "choose" in site["client"].run(["curl", "-sS", "http://10.77.0.3:8080/boot?mac0=52:54:00:00:00:01"]).stdout
    # every session of ours is encrypted, and each daemon's work is there
    assert site["sql"]("select count(*) > 4 and bool_and(s.ssl and s.version = 'TLSv1.3') from pg_stat_ssl s "
                       "join pg_stat_activity a using (pid) where a.usename like 'rouse_%'") == "t"
    assert site["sql"]("select count(*) from rouse.leases where mac = '52:54:00:00:00:01'") == "1"
    assert set(site["sql"]("select daemon from rouse.daemons").split()) == {"dhcpd", "tftpd", "menud"}


def test_a_database_that_is_not_the_one_is_not_talked_to(site, server, build, tmp_path):
    """Another authority, another name: the reason is said, and tftpd serves."""
    (tmp_path / "file").write_bytes(b"served meanwhile")
    for conninfo, told in ((server.conninfo("rouse_tftpd", "stranger"), "certificate verify failed"),
                           (server.conninfo("rouse_tftpd", name="other.example"), "does not match host name")):
        daemon = site["tftp"].spawn([build / "tftpd/tftpd", "--root", tmp_path, "--state-dir", "", "--database", conninfo],
                                    name="tftpd")
        daemon.wait_for(told, timeout=30)
        assert site["client"].run(["curl", "-sS", "tftp://10.77.0.5/file"]).stdout == "served meanwhile"
        assert "two" not in daemon.output.split()
        daemon.stop()
