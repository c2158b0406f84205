"""What a run tells Prometheus: a catalog of metrics, what counts them, and the endpoint that shows them."""
