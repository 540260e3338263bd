"""Connections that stay open: what the WebSocket and the Socket.IO surface have in common.

    connection   one client: its key, its seat, its rate; checked again whenever a key changes
    open_now     the connections of this process
    live_run     one program whose streams the client sees while it runs
    outbox       what waits to be sent, bounded: a slow client slows its program down, not the server

execution/websocket.py and execution/socket_io.py say the same things in their own protocol's words.
"""
