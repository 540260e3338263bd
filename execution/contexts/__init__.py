"""Contexts: programs that remember, from the requests of `POST /execute` to the sandbox's kernels.

requests   what a client may ask
languages  its words for the kernels
cells      the door: admission, the kernel, the bill
answers    a cell's result as an Execution
views      HTTP
plan_changes   contexts that a new plan does not hold are closed
socket     a WebSocket on one context; `frames` are what its client sends, `live_cell` what it sees
file_views HTTP, for the files of a context
"""
