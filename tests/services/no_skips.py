"""A pytest plugin for where a skipped test fails the run: in CI (``CI``) and in ``make test``.

There everything a test may need is to be had, so a skip is a test that silently stopped testing.
An expected failure (xfail) is no skip.
"""

import os
from collections.abc import Generator

import pytest


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    is_forbidden = any(
        os.environ.get(name, "0") not in {"", "0", "false"} for name in ("CI", "TESTS_FORBID_SKIPS")
    )
    if is_forbidden and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"No test may be skipped here. {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report
