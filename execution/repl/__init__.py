"""The server of the ReplitClient protocol: what the npm package `replit-client` speaks (docs/replit-client.md)."""
