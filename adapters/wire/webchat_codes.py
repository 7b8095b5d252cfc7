"""What the web chat's clients call our error codes, over HTTP and sockets alike."""

CODES = {
    "missing_token": "INVALID_JWT_TOKEN",
    "bad_token": "INVALID_JWT_TOKEN",
    "rate_limited": "RATE_LIMIT_EXCEEDED",
    "conversation_not_found": "INVALID_CONVERSATION",
    "shop_not_found": "TENANT_NOT_FOUND",
}


def code_word(code: str) -> str:
    return CODES.get(code, code.upper())
