"""What the configuration files say: their schema, and the reader that holds them to it."""
