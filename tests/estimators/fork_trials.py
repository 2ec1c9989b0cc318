"""Fork while another thread predicts or fits; print what became of the children, as JSON.

A process of its own: pytest has other threads.
"""

import json
import os
import signal
import time
import warnings
from threading import Event, Thread

import numpy as np
from threadpoolctl import ThreadpoolController

from sklearn_rnn import RNNRegressor
from sklearn_rnn._settings import one_blas_thread

N_CHILDREN = 12
X = np.random.default_rng(0).standard_normal((8, 5, 2))
Y = X[:, 0, 0]
BLAS = ThreadpoolController().select(user_api="blas")
MODEL = RNNRegressor(hidden_size=4, max_iter=1, random_state=0)


def n_threads():
    return [info["num_threads"] for info in BLAS.info()]


def child(expected):
    """End with 0 if BLAS has the expected numbers of threads, before and after a prediction."""
    signal.alarm(20)  # kills a child that hangs
    before = n_threads()
    MODEL.predict(X)
    return int(before != expected) + 2 * int(n_threads() != expected)


def fork(expected):
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            code = child(expected)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forks(expected, work):
    """Fork many times while a thread works."""
    stop = Event()

    def repeat():
        while not stop.is_set():
            work()

    thread = Thread(target=repeat)
    thread.start()
    codes = []
    for _ in range(N_CHILDREN):
        time.sleep(0.001)
        codes.append(fork(expected))
    stop.set()
    thread.join()
    return codes


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # Python 3.12 and later advise against forks with threads
    MODEL.fit(X, Y)
    expected = n_threads()
    works = {
        "predict": lambda: MODEL.predict(X),
        "fit": lambda: RNNRegressor(hidden_size=4, max_iter=20).fit(X, Y),
        # The limit is on all the time: the child has to take it back.
        "stay inside": lambda: one_blas_thread.run(time.sleep, 0.1),
    }
    seen = {name: forks(expected, work) for name, work in works.items()}
    # A thread that forks while it is inside stays inside in the child.
    seen["fork inside"] = [one_blas_thread.run(fork, [1] * len(expected))]
    print(json.dumps({"children": seen, "parent is as before": n_threads() == expected}))
