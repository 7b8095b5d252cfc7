"""Says what happened: a log line and a count per request, by route pattern, for paths hold ids."""

from bisect import bisect_left
from collections import defaultdict
from time import perf_counter
from typing import Any

import structlog

from adapters.http.call import Call

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNMATCHED = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observer:
    """Counts in plain numbers: prometheus_client is loaded only when somebody asks for the figures."""

    def __init__(self) -> None:
        self._log: Any = None
        self._requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._seconds: defaultdict[tuple[str, str], float] = defaultdict(float)

    def saw(self, call: Call, status: int) -> None:
        seconds = perf_counter() - call.started
        method = call.method if call.method in METHODS else "OTHER"
        place = (method, call.route or UNMATCHED)
        self._requests[*place, status] += 1
        self._buckets[place][bisect_left(BUCKETS, seconds)] += 1
        self._seconds[place] += seconds
        self._write(status)(
            "request", method=method, route=place[1], status=status, ms=round(seconds * 1e3, 2)
        )

    def broke(self) -> None:
        """Within an except clause: the one full account of a failure of our own."""
        self._logger().exception("request_failed")

    def broke_off(self, call: Call, error: Exception) -> None:
        """An answer whose head was sent already could not be finished."""
        self._logger().warning("answer_broken_off", route=call.route, reason=type(error).__name__)

    def exposition(self) -> bytes:
        """The figures in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

        registry = CollectorRegistry()
        registry.register(_Figures(self._requests, self._buckets, self._seconds))
        return generate_latest(registry)

    def _write(self, status: int) -> Any:
        log = self._logger()
        if status < 400:
            return log.debug
        return log.info if status < 500 else log.error

    def _logger(self) -> Any:
        """Bound at first use: by then whoever assembles the server has said how logs are written."""
        if self._log is None:
            self._log = structlog.get_logger("parley.http").bind()
        return self._log


class _Figures:
    def __init__(self, requests: Any, buckets: Any, seconds: Any) -> None:
        self._requests = requests
        self._buckets = buckets
        self._seconds = seconds

    def collect(self) -> Any:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily  # noqa: PLC0415

        counter = CounterMetricFamily(
            "parley_http_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        for (method, route, status), count in self._requests.items():
            counter.add_metric([method, route, str(status)], count)
        yield counter
        histogram = HistogramMetricFamily(
            "parley_http_request_seconds", "Time to answer.", labels=["method", "route"]
        )
        for place, counts in self._buckets.items():
            histogram.add_metric(list(place), _cumulated(counts), self._seconds[place])
        yield histogram


def _cumulated(counts: list[int]) -> list[tuple[str, float]]:
    total = 0
    result: list[tuple[str, float]] = []
    for bound, count in zip([*map(str, BUCKETS), "+Inf"], counts, strict=True):
        total += count
        result.append((bound, float(total)))
    return result
