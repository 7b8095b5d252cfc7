"""Parley measured against its peers, alternately and on one machine: `python -m benchmarks`."""
