"""A network in which a server can't be reached, for one program: `deadend.py KIND PROGRAM …`, under `unshare --net --mount`.

    dropped    192.0.2.9 is routed, and whatever is sent there vanishes
    silent     a server on 127.0.0.1:18830 takes connections and never says a word
    resolver   the only name server is on this machine and never answers

Sockets that nobody reads are left to the program: it keeps them open, and the kernel takes connections for it.
"""
import os
import socket
import subprocess
import sys
import tempfile

ADDRESS, PORT = "192.0.2.9", 18830


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def drop():
    """A cable whose other end belongs to nobody; the address is known, so nothing is asked that goes unanswered."""
    ip("link", "add", "out", "type", "veth", "peer", "name", "nowhere")
    ip("address", "add", "192.0.2.1/24", "dev", "out")
    ip("link", "set", "nowhere", "up")
    ip("link", "set", "out", "up")
    ip("neighbour", "add", ADDRESS, "lladdr", "02:00:00:00:00:09", "dev", "out")


def fall_silent():
    listener = socket.create_server(("127.0.0.1", PORT), backlog=1000)
    os.set_inheritable(listener.detach(), True)


def lose_names():
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind(("127.0.0.1", 53))
    os.set_inheritable(resolver.detach(), True)
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", file.name, os.path.realpath("/etc/resolv.conf")], check=True)
    os.unlink(file.name)


KINDS = {"none": lambda: None, "dropped": drop, "silent": fall_silent, "resolver": lose_names}
URLS = {"dropped": f"mqtt://{ADDRESS}:{PORT}", "silent": f"mqtt://127.0.0.1:{PORT}",
        "resolver": f"mqtt://mqtt.example.org:{PORT}"}


def command(kind):
    """What to put in front of a program's command line."""
    unshare = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    return [*unshare, sys.executable, os.path.abspath(__file__), kind]


def can_make_networks():
    return subprocess.run([*command("dropped"), "true"], capture_output=True).returncode == 0


if __name__ == "__main__":
    ip("link", "set", "lo", "up")
    KINDS[sys.argv[1]]()
    os.execvp(sys.argv[2], sys.argv[2:])
