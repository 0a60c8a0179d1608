"""Waiting for what should happen, never for time to pass."""
import socket
import threading
import time


def eventually(check, what, timeout=10.0):
    """Asks until `check()` answers something true, and returns that. For what can't be waited for otherwise."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        pause.wait(0.02)


def free_port():
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    """Whether somebody answers on this port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Log:
    """What happened, in order; others can wait until something has."""

    def __init__(self):
        self._entries = []
        self._changed = threading.Condition()

    def add(self, entry):
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()

    @property
    def entries(self):
        with self._changed:
            return list(self._entries)

    def wait_until(self, check, what, timeout=10.0):
        """Waits until `check(entries)` answers something true, and returns that."""
        answer = None

        def happened():
            nonlocal answer
            answer = check(self._entries)
            return answer

        with self._changed:
            if not self._changed.wait_for(happened, timeout):
                last = "\n  ".join(str(entry) for entry in self._entries[-10:])
                raise AssertionError(f"not within {timeout:g} s: {what}; the last of {len(self._entries)}:\n  {last}")
        return answer

    def wait_for(self, matches, what, timeout=10.0, after=0):
        """Waits for the first entry that `matches`, beginning at number `after`."""
        return self.wait_until(
            lambda entries: next((entry for entry in entries[after:] if matches(entry)), None), what, timeout)
