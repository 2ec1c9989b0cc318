"""Several processes that work on one network: `n_jobs`.

Threads would wait for each other: a network of usual size spends much of its time between the calls
of NumPy, where only one thread can run. So each part of a batch goes to a process of its own. This
package needs NumPy alone, because what a worker imports, everyone waits for.
"""
