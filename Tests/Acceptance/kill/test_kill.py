"""Nothing acknowledged is lost when the gateway is killed; 20 kills here, `make soak` does 200.

`KILL_SEED=n` repeats a run as far as the machine lets it: the seed decides what is sent and when the gateway dies.
"""
import os
import random

import pytest

from peers.waiting import free_port

from .siege import Siege

KILLS = int(os.environ.get("KILLS", 20))
SEED = int(os.environ.get("KILL_SEED", 0)) or random.SystemRandom().randrange(1, 2**32)


@pytest.fixture
def siege(tmp_path, mosquitto):
    siege = Siege(tmp_path, free_port(), mosquitto().port, SEED)
    try:
        yield siege
    finally:
        siege.close()


def test_what_was_acknowledged_arrives_although_the_gateway_is_killed_again_and_again(siege):
    siege.start().wait_until_listening()
    siege.open()
    siege.kill()
    siege.fight(KILLS - 1)
    siege.end()
    print(siege.counts())
    complaints = siege.complaints()
    if complaints:
        pytest.fail(f"{siege.counts()}\n" + "\n".join(complaints) + f"\nKept in {siege.keep()}", pytrace=False)
    assert siege.ledger.acknowledged_count() > 10 * KILLS, "hardly anything was sent; what does that prove?"
