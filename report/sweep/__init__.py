"""Reports of sweeps: of many rows what they come to together, never all of them."""
