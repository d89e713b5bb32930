"""Connection strings: the caller's own, turned into those of the daemons."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

# Whose connection it is, or for this program only: a daemon's string has its own.
PERSONAL = ("user", "password", "passfile", "sslcert", "sslkey", "sslpassword", "application_name", "options")


def words_of(conninfo):
    """The keywords of a connection string in any of libpq's three forms."""
    if re.match(r"postgres(ql)?://", conninfo):
        parts = urlsplit(conninfo)
        words = dict(parse_qsl(parts.query))
        places = [place.rpartition(":") if re.search(r":\d+$", place) else (place, "", "")
                  for place in parts.netloc.rpartition("@")[2].split(",")]
        hosts = ",".join(unquote(host).strip("[]") for host, _, _ in places)
        ports = ",".join(port for _, _, port in places)
        words.update({key: value for key, value in
                      (("host", hosts.strip(",")), ("port", ports.strip(",")), ("dbname", unquote(parts.path[1:])))
                      if value})
        return words
    found = re.findall(r"(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))", conninfo)
    if not found:
        return {"dbname": conninfo}
    return {key: re.sub(r"\\(.)", r"\1", quoted or plain) for key, quoted, plain in found}


def text_of(words):
    """The words as one connection string."""
    def spelled(value):
        if re.fullmatch(r"[^\s'\\]+", value):
            return value
        return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"
    return " ".join(f"{key}={spelled(value)}" for key, value in words.items())


def for_role(conninfo, role, defaults):
    """The same database for another role; `defaults`: what libpq chose where the string says nothing."""
    words = {key: value for key, value in words_of(conninfo).items() if key not in PERSONAL}
    for key, value in defaults.items():
        words.setdefault(key, value)
    return text_of({**words, "user": role})
