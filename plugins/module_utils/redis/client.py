# SPDX-License-Identifier: BSD-2-Clause
"""One Redis connection under deadlines. The only place that knows redis-py's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import reach
from ..core.errors import (
    ConfigurationError,
    Denied,
    NoAnswer,
    NotReady,
    Overloaded,
    ReadError,
    Refused,
    Unexpected,
)
from .arguments import Settings


@contextmanager
def connect(settings: Settings) -> Iterator[Any]:
    """A redis-py client, already greeted; errors inside the block become ReadErrors too.

    :raises ConfigurationError: redis-py or the token file is missing.
    :raises ReadError: Redis cannot be used; ``kind`` says why.
    """
    redis, errors = _driver()
    token = _token(settings.token_file)
    where = f"{settings.host}:{settings.port}"
    address = reach.probe(settings.host, settings.port, settings.timeout).address
    client = redis.Redis(
        # With TLS the name is needed to check the certificate; without it, spare a second lookup.
        host=settings.host if settings.tls else address,
        port=settings.port,
        username=settings.user or None,
        password=token or None,
        ssl=settings.tls,
        socket_timeout=settings.timeout,
        socket_connect_timeout=settings.timeout,
        retry=None,
        decode_responses=True,
        client_name="dhakacart-runbooks",
        protocol=2,
    )
    try:
        client.ping()
        yield client
    except errors.RedisError as error:
        raise _read_error(error, errors, where, settings.timeout) from error
    finally:
        client.close()


def _read_error(error: Any, errors: Any, where: str, timeout: float) -> ReadError:
    text = " ".join(str(error).split())[:200]
    lower = text.lower()
    if isinstance(error, errors.AuthenticationError | errors.NoPermissionError) or lower.startswith(
        ("noauth", "wrongpass", "noperm")
    ):
        return Denied(text, where=where, remedy="check the token file and the user")
    if isinstance(error, errors.TimeoutError):
        return NoAnswer(f"no answer in {timeout:g} s", where=where, remedy="Redis hangs, or TLS is on at one end only")
    if isinstance(error, errors.BusyLoadingError):
        return NotReady("is loading its data", where=where, remedy="wait")
    if "max number of clients" in lower:
        return Overloaded("max number of clients reached", where=where, remedy="find who opened them")
    if isinstance(error, errors.ConnectionError):
        return Refused(f"hung up ({text})", where=where, remedy="is it Redis, is it up, is TLS on at both ends?")
    return Unexpected(text, where=where)


def _token(path: str) -> str:
    if not path:
        return ""
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigurationError(
            f"token file is not readable: {reason}", where=path, remedy="set dhakacart_redis_token_file"
        ) from error
    if not token:
        raise ConfigurationError("token file is empty", where=path, remedy="write the Redis token into it")
    return token


def _driver() -> tuple[Any, Any]:
    try:
        import redis
        import redis.exceptions
    except ImportError as error:
        raise ConfigurationError(
            f"the Python library redis is missing ({error})",
            where="redis",
            remedy="install redis for the interpreter that runs the checks",
        ) from error
    return redis, redis.exceptions
