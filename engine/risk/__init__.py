"""What a market that turns does to each risk profile: stress scenarios and resampled markets on the real engine."""
