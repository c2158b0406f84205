"""What was published, in Prometheus' words: the only module, beside the endpoint's, that names its library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import accumulate, chain

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from ...kernels._jit import sources_digest
from .catalog import BUILD, METRICS, STEP_BUCKETS, Metric
from .published import Distribution, Labels, Source, Value

_INF = float("inf")
_DIGITS = 16
"""Of the kernels' digest, which is told to people."""


class MetricsCollector(Collector):
    """A collector of prometheus_client over everything that publishes."""

    def __init__(self) -> None:
        self._sources: tuple[Source, ...] = ()

    def add(self, source: Source) -> None:
        """Show what a source publishes from now on."""
        self._sources = (*self._sources, source)

    def collect(self) -> Iterator[Family]:
        """The families that have values now."""
        published = [source.published for source in self._sources]
        for metric in METRICS.values():
            values = list(chain.from_iterable(each.get(metric.name, ()) for each in published))
            if values or metric is BUILD:
                yield _family(metric, values)

    def describe(self) -> Iterable[Family]:
        """All families, without values: a registry refuses names that it has already."""
        return [_family(metric, ()) for metric in METRICS.values() if metric is not BUILD]

    def registry(self) -> CollectorRegistry:
        """A registry of its own; prometheus_client's default one would add the interpreter's."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry


def _family(metric: Metric, values: Sequence[tuple[Labels, Value]]) -> Family:
    name, text = metric.shown, f"{metric.help} In {metric.unit}."
    if metric is BUILD:
        build = InfoMetricFamily(name.removesuffix("_info"), metric.help)
        build.add_metric((), {"version": version("barstep"), "kernels": sources_digest()[:_DIGITS]})
        return build
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, text, labels=metric.labels)
        for labels, value in values:
            if isinstance(value, Distribution):
                histogram.add_metric(labels, _cumulative(value), value.total)
        return histogram
    family = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(name, text, labels=metric.labels)
    for labels, value in values:
        if not isinstance(value, Distribution):
            family.add_metric(labels, value)
    return family


def _cumulative(value: Distribution) -> list[tuple[str, float]]:
    bounds = (*STEP_BUCKETS, _INF)
    return [(floatToGoString(bound), count) for bound, count in zip(bounds, accumulate(value.counts), strict=True)]
