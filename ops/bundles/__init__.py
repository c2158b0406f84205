"""Signed bundles: made, verified, unpacked; docs/bundles.md says what is in them."""
