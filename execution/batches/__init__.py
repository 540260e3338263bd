"""Batches: one program, compiled once, run on many inputs and judged.

    judging.py    one case: its run, its comparison or checker, its verdict
    cases.py      all cases of a batch, several at once, until the end or the first failure
    rows.py       the batch and its cases as rows, under a lease
    carrying.py   a batch from its row to its end: the cases, recorded as they come
    worker.py     asynchronous batches: taken from the table by whichever process is free
    answers.py    a batch as JSON
    views.py      the endpoints

A batch whose server dies is taken up where its rows end; cases have the same run id each time, so that each is
billed once.
"""
