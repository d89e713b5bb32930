"""Operators' passwords for menud: hashed here, where they are typed, and stored as hashes.

A password is read from the terminal or from standard input, never from the command line; its hash
goes to the database as data of a COPY, which no log of PostgreSQL's repeats.
"""

import ctypes
import getpass
import sys

from database import Trouble, quote

LONGEST = 511  # octets, as crypt(3) takes


def yescrypt(password):
    """The hash of a password (bytes), by the system's crypt(3) at its usual cost."""
    try:
        library = ctypes.CDLL("libcrypt.so.1")
    except OSError as error:
        raise Trouble(f"libcrypt.so.1 cannot be loaded: {error}", remedy="apt-get install libcrypt1") from error
    library.crypt_gensalt.restype = library.crypt.restype = ctypes.c_char_p
    library.crypt_gensalt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]
    library.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    salt = library.crypt_gensalt(b"$y$", 0, None, 0)
    made = library.crypt(password, salt) if salt else None
    if not made or not made.startswith(b"$y$"):
        raise Trouble("the system's crypt(3) knows no yescrypt", remedy="apt-get install libcrypt1, 4.4 or newer")
    return made.decode("ascii")


def _read():
    """The new password: asked for twice at a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.buffer.readline().rstrip(b"\r\n")
    password = getpass.getpass("New password: ")
    if password != getpass.getpass("Once more: "):
        raise Trouble("the two are not the same: nothing was changed")
    return password.encode()


def set_password(database, name, remove=False):
    if remove:
        database.script(f"select rouse.set_password({quote(name)}, null)")
        print(f"{name} has no password any more")
        return
    if ":" in name:
        raise Trouble(f'"{name}" cannot log in: HTTP ends a name at the first colon',
                      remedy="update rouse.operators set name = ... where name = ...")
    password = _read()
    if not password or len(password) > LONGEST or b"\0" in password:
        raise Trouble(f"a password has 1 to {LONGEST} octets, and no zero octet among them")
    database.script("create temp table given (hash text);\ncopy given from stdin;\n"
                    f"{yescrypt(password)}\n\\.\n"
                    f"select rouse.set_password({quote(name)}, (select hash from given));\n")
    print(f"the password of {name} is set")
