"""Results on their way to customers: signed, tried again for a day, never sent to where only we can reach.

creation.py    a message becomes a row, in the transaction that records what it tells
endpoints.py   the secret of an API key's endpoint; a dead endpoint is paused, and resumed by its owner
deliveries.py  the rows: which are due, what an attempt changes
courier.py     one process's share of the attempts
sending.py     one attempt: signed, sent, and why it failed in words
guard.py       where nothing is sent, whatever a name resolves to
"""
