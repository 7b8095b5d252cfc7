"""How often is too often, where the environment says nothing else."""

from pydantic import BaseModel

from bootstrap.notations import RateSetting
from ports.limits import Rate


class Limits(BaseModel, frozen=True, extra="forbid"):
    """Rates as AMOUNT/SECONDS. One over the rate is answered 429 with Retry-After."""

    login_per_address: RateSetting = Rate(30, 60)
    login_per_account: RateSetting = Rate(10, 300)
    register_per_address: RateSetting = Rate(20, 3600)
    refresh_per_address: RateSetting = Rate(120, 60)
    user: RateSetting = Rate(1200, 60)
    visitor: RateSetting = Rate(120, 60)
    visitor_token_per_address: RateSetting = Rate(60, 60)
    widget_per_address: RateSetting = Rate(100, 60)
    submissions_per_address: RateSetting = Rate(30, 60)
    pages_per_address: RateSetting = Rate(3000, 60)
    shop_key: RateSetting = Rate(6000, 60)
    address: RateSetting = Rate(600, 60)
    uploads_per_address: RateSetting = Rate(120, 60)
    uploads_per_conversation: RateSetting = Rate(60, 60)
    socket_frames: RateSetting = Rate(100, 10)
    sockets_per_address: RateSetting = Rate(120, 60)
