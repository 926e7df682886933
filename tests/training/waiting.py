"""What processes do that need nothing but torch."""

import os
import signal
import time

from specialize.training.checkpoint import Checkpoint
from specialize.training.process_group import process_group


def until_stopped(folder):
    """Wait for a signal to the process that has started these."""
    group = process_group()
    with Checkpoint(folder / "state", 1, {}, []) as checkpoint:
        group.wait()
        if group.first:
            os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(60)
        raise AssertionError(checkpoint)


def killed(folder):
    """One is killed, the other waits for it."""
    group = process_group()
    if not group.first:
        print("so far so good", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    group.wait()


def asleep(folder):
    """Say who is here, and do nothing for a minute."""
    group = process_group()
    (folder / f"{group.rank}.id").write_text(str(os.getpid()))
    time.sleep(60)
