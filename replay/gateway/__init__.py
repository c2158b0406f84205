"""A real exchange behind the channel: REST to the exchange, the channel's messages to the loop. See docs/gateway.md."""
