"""Settings in the shape that each inbound adapter asks for."""

from importlib.metadata import PackageNotFoundError, version

from adapters.http.options import HttpOptions, Limits
from adapters.ws.options import WsOptions
from bootstrap.settings import Environment, Settings


def http(settings: Settings) -> HttpOptions:
    return HttpOptions(
        base_url=settings.base_url,
        is_secure=settings.is_secure,
        is_production=settings.env is Environment.PRODUCTION,
        allowed_origins=settings.allowed_origins,
        widget_hosts=settings.widget_hosts,
        trusted_proxies=settings.trusted_proxies,
        body_limit=settings.body_limit,
        body_timeout=settings.body_timeout,
        upload_limit=settings.upload_limit,
        transfer_timeout=settings.transfer_timeout.total_seconds(),
        limits=Limits.of(settings.limits),
        version=release(),
        frontend=settings.frontend,
    )


def ws(settings: Settings) -> WsOptions:
    return WsOptions(
        base_url=settings.base_url,
        is_secure=settings.is_secure,
        is_production=settings.env is Environment.PRODUCTION,
        allowed_origins=settings.allowed_origins,
        widget_hosts=settings.widget_hosts,
        trusted_proxies=settings.trusted_proxies,
        visitor=settings.limits.visitor,
        frames=settings.limits.socket_frames,
        sockets_per_address=settings.limits.sockets_per_address,
    )


def release() -> str:
    """The version as installed; a checkout that runs in place says so."""
    try:
        return version("parley")
    except PackageNotFoundError:
        return "0.1.0"
