"""What a worker process does: it makes an object, and calls its methods as it is told.

A message comes through standard input, and the reply goes through standard output, both pickled.
The worker ends when its input does: when it is closed, or when the process at the other end ends,
however that happens.
"""

import pickle
import signal
import sys
from traceback import format_exc
from typing import BinaryIO

import numpy as np

from sklearn_rnn.core.memory import with_small_ufunc_buffers


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other end decides what an interrupt ends
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints must not come between the replies
    with np.errstate(over="ignore", invalid="ignore"):
        with_small_ufunc_buffers(serve, source, sink)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Make the object that the first message asks for, and call methods until the input ends."""
    subject = None
    while True:
        try:
            method, args = pickle.load(source)
        except EOFError:
            return
        try:
            if subject is None:
                subject, reply = method(*args), None
            else:
                reply = getattr(subject, method)(*args)
        except Exception as error:
            error.add_note("It was raised in a worker process of n_jobs, by:\n" + format_exc())
            reply = Failure(error)
        pickle.dump(reply, sink, protocol=pickle.HIGHEST_PROTOCOL)
        sink.flush()


class Failure:
    """What a method raised."""

    def __init__(self, error: Exception):
        self.error = error
