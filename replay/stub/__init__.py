"""A venue over recorded bars that speaks the protocol of the channel, exactly or with everything that can go wrong."""
