"""Connections that stay open: what the WebSocket and the Socket.IO surface have in common.

    connection   one client: its key, its seat, its rate; checked again whenever a key changes
    open_now     the connections of this process
    socket       a WebSocket of JSON frames: who the client is, what it hears, how it is refused
    live_streams what a client sees and feeds of one program or cell
    live_run     one program whose streams the client sees while it runs
    outbox       what waits to be sent, bounded: a slow client slows its program down, not the server

execution/websocket.py, execution/contexts/socket.py and execution/socket_io.py say what they have in their own words.
"""
