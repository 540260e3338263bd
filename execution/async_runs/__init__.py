"""Asynchronous runs: rows first, carried out by whichever worker takes them.

    accepting.py  a request becomes a row, and is answered
    queue.py      the rows: who takes which, under a lease
    worker.py     one process's share of the work
    carrying.py   one run, from the row to its result
    service.py    the worker of a web process, and the sweep that finds the runs of dead ones
    outcomes.py   the result becomes part of the row, with its delivery beside it

A worker may be killed at any instant. Before the outcome is recorded, the lease lapses and the run is carried out
again, under the same id, so that it is billed once; afterwards nobody takes it any more, and its delivery is a row.
"""
