# SPDX-License-Identifier: BSD-2-Clause
"""Calls to AWS under deadlines. The only place that knows botocore's errors."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ..core.errors import (
    ConfigurationError,
    Denied,
    Missing,
    NoAnswer,
    NoRoute,
    Overloaded,
    ReadError,
    Refused,
    Unexpected,
)
from .arguments import Settings

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "RequestExpired",
    }
)
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
_MISSING_ENDINGS = ("NotFound", "NotFoundFault", "NotFoundException")


class Aws:
    """One session; clients are made once for a service and region, and calls may come from several threads."""

    def __init__(self, settings: Settings) -> None:
        """:raises ConfigurationError: boto3, the credentials file or the profile is missing or malformed."""
        boto3, botocore = _sdk()
        self._settings = settings
        self._errors = botocore.exceptions
        self._parser_error = botocore.parsers.ResponseParserError
        core = botocore.session.Session(profile=settings.profile or None)
        if settings.credentials_file:
            if not Path(settings.credentials_file).is_file():
                raise ConfigurationError(
                    "AWS credentials file does not exist",
                    where=settings.credentials_file,
                    remedy="set dhakacart_aws_credentials_file",
                )
            core.set_config_variable("credentials_file", settings.credentials_file)
            # With a file given, keys in the environment must not win over it.
            core.set_config_variable("profile", settings.profile or "default")
        try:
            self._session = boto3.Session(botocore_session=core)
            if self._session.get_credentials() is None:
                raise ConfigurationError(
                    "no AWS credentials found",
                    where=settings.credentials_file or "environment",
                    remedy="set dhakacart_aws_profile or dhakacart_aws_credentials_file",
                )
        except self._errors.BotoCoreError as error:
            raise ConfigurationError(
                f"AWS configuration: {_one_line(error)}",
                where=settings.credentials_file or "~/.aws",
                remedy="correct the AWS credentials file or profile",
            ) from error
        self._config = botocore.config.Config(
            connect_timeout=settings.timeout,
            read_timeout=settings.timeout,
            retries={"total_max_attempts": 1},
            max_pool_connections=10,
            parameter_validation=False,
        )
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def call(self, service: str, operation: str, *, region: str = "", **arguments: Any) -> dict[str, Any]:
        """One API call and its answer, without ``ResponseMetadata``.

        :raises ReadError: ``kind`` says how it failed.
        """
        region = region or self._settings.region
        where = f"{service} {operation} in {region}"
        try:
            answer = getattr(self._client(service, region), operation)(**arguments)
        except self._errors.ClientError as error:
            raise self._refusal(error, where) from error
        except self._errors.BotoCoreError as error:
            raise self._transport(error, where) from error
        except (self._parser_error, AttributeError, KeyError, TypeError, ValueError) as error:
            # botocore's parsers take the shape of an answer for granted
            raise Unexpected(
                f"the answer makes no sense ({_one_line(error)[:100]})", where=where, remedy="is this really AWS?"
            ) from error
        if not isinstance(answer, dict):
            raise Unexpected("the answer is not a mapping", where=where)
        answer.pop("ResponseMetadata", None)
        return answer

    def presigned_identity(self, headers: dict[str, str], seconds: int) -> str:
        """A signed URL that proves who we are (STS GetCallerIdentity), made without a call; it is a secret."""
        from botocore.model import ServiceId
        from botocore.signers import RequestSigner

        region = self._settings.region
        signer = RequestSigner(
            ServiceId("STS"), region, "sts", "v4", self._session.get_credentials(), self._session.events
        )
        request = {
            "method": "GET",
            "url": f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": headers,
            "context": {},
        }
        url = signer.generate_presigned_url(request, region_name=region, expires_in=seconds, operation_name="")
        return str(url)

    def _client(self, service: str, region: str) -> Any:
        with self._lock:  # making clients is not thread-safe, using them is
            key = (service, region)
            if key not in self._clients:
                try:
                    self._clients[key] = self._session.client(
                        service,
                        region_name=region,
                        endpoint_url=self._settings.endpoint_url or None,
                        config=self._config,
                    )
                except (ValueError, self._errors.BotoCoreError) as error:
                    raise ConfigurationError(
                        _one_line(error),
                        where="endpoint_url",
                        remedy="correct dhakacart_aws_endpoint_url or the region",
                    ) from error
            return self._clients[key]

    def _refusal(self, error: Any, where: str) -> ReadError:
        details = error.response.get("Error", {})
        code = str(details.get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        message = f"{code}: {_one_line(details.get('Message', '')) or 'no message'}"
        if code in _DENIED:
            return Denied(
                message, where=where, remedy="check the credentials, their expiry, their IAM policy, the clock"
            )
        if code in _THROTTLED:
            return Overloaded(message, where=where, remedy="wait, then try again")
        if code.endswith(_MISSING_ENDINGS):
            return Missing(message, where=where, remedy="check the name in the inventory")
        if isinstance(status, int) and status >= 500:
            return NoAnswer(message, where=where, remedy="AWS has trouble: see the AWS Health Dashboard")
        return Unexpected(message, where=where)

    def _transport(self, error: Any, where: str) -> ReadError:
        errors, seconds = self._errors, self._settings.timeout
        if isinstance(error, errors.ReadTimeoutError):
            return NoAnswer(f"no answer in {seconds:g} s", where=where, remedy="check the AWS endpoint or proxy")
        if isinstance(error, errors.ConnectTimeoutError):
            return NoRoute(f"no TCP connection in {seconds:g} s", where=where, remedy="check the route to AWS")
        if isinstance(
            error, errors.NoCredentialsError | errors.PartialCredentialsError | errors.CredentialRetrievalError
        ):
            return Denied(_one_line(error), where=where, remedy="set dhakacart_aws_profile or credentials file")
        text = str(error)
        if isinstance(error, errors.EndpointConnectionError | errors.ConnectionError) and (
            "refused" in text.lower() or isinstance(error, errors.ConnectionClosedError)
        ):
            return Refused(_one_line(error), where=where, remedy="check the AWS endpoint")
        if isinstance(error, errors.EndpointConnectionError):
            return _endpoint_failure(error, where)
        if isinstance(error, errors.ConnectionError | errors.HTTPClientError):
            return NoRoute(_one_line(error), where=where, remedy="check the route to AWS")
        return Unexpected(_one_line(error), where=where)


def _endpoint_failure(error: Any, where: str) -> ReadError:
    """botocore's message names only the URL; the reason is in the urllib3 error it keeps."""
    reason = str(error.kwargs.get("error", ""))
    if "refused" in reason.lower():
        return Refused("nothing listens there (connection refused)", where=where, remedy="check the AWS endpoint")
    return NoRoute(_one_line(error), where=where, remedy="check DNS and the route to AWS")


def _sdk() -> tuple[Any, Any]:
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
        import botocore.parsers
        import botocore.session
    except ImportError as error:
        raise ConfigurationError(
            f"the Python library boto3 is missing ({error})",
            where="rds",
            remedy="install boto3 for the interpreter that runs the checks",
        ) from error
    return boto3, botocore


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())[:300]
