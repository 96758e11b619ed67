# SPDX-License-Identifier: BSD-2-Clause
"""Secrets that give themselves away by their form. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

_WORD = re.compile(r"[A-Za-z]?[a-z]+|[A-Z]+")


def is_word(value: str) -> bool:
    """Whether it reads as a word of a sentence: ``bearer authentication failed``."""
    return bool(_WORD.fullmatch(value.rstrip(".,:;)")))


class Pattern:
    """A form of secrets.

    :param hints: one of these, in lower case, is in every text that it matches: most texts need no regular expression.
    :param expression: with a group ``secret``.
    :param unless: tells a word in the same place from a secret.
    """

    def __init__(self, hints: str, expression: str, unless: Callable[[str], bool] | None = None) -> None:
        self.hints = tuple(hints.split())
        self._source = expression
        self.unless = unless

    @functools.cached_property
    def expression(self) -> re.Pattern[str]:
        """Compiled when a text needs it: most runs meet a few of them only, and each costs a millisecond."""
        return re.compile(self._source)


# ``name = value``: the name decides whether the value is a secret. Only whole words are tried as names, and nothing
# here can backtrack over more than one of them: lines of a megabyte occur.
NAME = re.compile(
    r"""(?x)
    (?<![\w.-])(?!secret:[0-9a-f]{8}\))(?<!checksum/)
    (?P<name>[\w.-]{2,100}) \\{0,8}["']?\]?\s?(?:[:=]=?>?|%3[DdAa])[ \t]*(?:[|>][+-]?[ \t]*\n\s+)?"""
)
# What stands after it: quoted (also inside quoted JSON), or one word.
VALUE = re.compile(
    r"""(?x)
    \\*"(?P<double>(?:\\.|[^"\\\n])*)\\*" | \\*'(?P<single>(?:\\.|''|[^'\\\n])*)\\*'
    | (?!\d+\ bytes)(?P<plain>(?:(?i:bearer|basic|token|geniekey)\s+)?[^\s,;}&"'\\<]+)"""
)

_PRIVATE_KEY = r"PRIVATE KEY(?: BLOCK)?-----"
_VENDORS = "|".join(
    (
        r"xox[abeoprs]-[\w-]{10,}",  # Slack
        r"xapp-\d-[\w-]{10,}",
        r"gh[opsur]_\w{20,}",  # GitHub
        r"github_pat_\w{20,}",
        r"glpat-[\w-]{18,}",  # GitLab
        r"[rsp]k_(?:live|test)_\w{10,}",  # Stripe
        r"whsec_\w{16,}",
        r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
        r"AIza[\w-]{30,}",  # Google
        r"ya29\.[\w-]{16,}",
        r"npm_\w{30,}",
        r"pypi-[\w-]{30,}",
        r"hv[sb]\.[\w-]{20,}",  # Vault
        r"dckr_pat_[\w-]{20,}",
        r"NRAK-[A-Z0-9]{20,}",  # New Relic
        r"sk-(?:\w+-)*\w{20,}",
        r"gls?[ac]_[\w=]{30,}",  # Grafana
        r"dop_v1_[0-9a-f]{40,}",
        r"shpat_\w{20,}",
        r"dapi[0-9a-f]{32}",
    )
)
_VENDOR_HINTS = (
    "xox xapp- ghp_ gho_ ghu_ ghs_ ghr_ github_pat glpat k_live_ k_test_ whsec sg. aiza ya29 npm_ pypi- hvs. hvb. dckr_"
    " nrak sk- glsa glc_ dop_v1 shpat dapi"
)

PATTERNS = (
    Pattern(
        "private", rf"(?s)(?P<secret>-----BEGIN [A-Z0-9 ]*{_PRIVATE_KEY}.*?(?:-----END [A-Z0-9 ]*{_PRIVATE_KEY}|\Z))"
    ),
    Pattern("eyj", r"(?P<secret>(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)*)"),
    Pattern("k8s-aws-v1", r"(?P<secret>\bk8s-aws-v1\.[\w=-]+)"),
    Pattern("akia asia", r"(?P<secret>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)"),
    Pattern("iqoj fwog fqog", r"(?P<secret>\b(?:IQoJ|FwoG|FQoG)[\w+/=]{40,})"),
    Pattern("://", r"\b[A-Za-z][\w+.-]{1,30}://[^\s:/@?#\"'<>(]{0,200}:(?P<secret>[^\s/\"'<>]{1,500})@"),
    Pattern("://", r"\b[A-Za-z][\w+.-]{1,30}://(?P<secret>[\w.~%+-]{16,500})@"),
    Pattern(
        "hooks.slack webhook",
        r"(?i)(?:hooks\.slack\.com/\w+|webhook\.office\.com/\w+|discord(?:app)?\.com/api/webhooks/\d+)/"
        r"(?P<secret>[\w/@+-]+)",
    ),
    Pattern("pagerduty.com", r"(?i)events\.(?:\w+\.)?pagerduty\.com/\w+/(?P<secret>(?!enqueue)\w{16,})"),
    Pattern("u+", r"(?P<secret>(?<![\w+])u\+[\w+-]{18}(?![\w+-]))"),
    Pattern("/bot", r"/bot(?P<secret>\d{6,}:[\w-]{30,})"),
    Pattern(_VENDOR_HINTS, rf"(?P<secret>\b(?:{_VENDORS}))"),
    Pattern("bearer", r"(?i)\bbearer[ +]+(?P<secret>[\w.~+/=-]{8,})", is_word),
    Pattern("basic", r"(?i)\bbasic +(?P<secret>[\w+/=-]{8,})", is_word),
    Pattern("geniekey", r"(?i)\bgeniekey +(?P<secret>\S{8,})"),
    Pattern("signature=", r"(?i)\bSignature=(?P<secret>[0-9a-f]{32,})"),
    Pattern("cookie", r"(?i)\b(?:set-)?cookie\b\\*[\"']?[:=] *\\*[\"']?(?P<secret>[^\s=;\"'\\]+=[^\n\r\"'\\]*)"),
    Pattern("authorization", r"(?i)\bauthorization\b[\"']?[:=] *[\"']?(?:\w+ +)?(?P<secret>\w+=[^\n\r]+)"),
    Pattern("auth", r"\"auth\"\s*:\s*\"(?P<secret>[\w+/]{8,}={0,2})\""),  # a registry's login, as Docker keeps it
    Pattern("scram-sha", r"SCRAM-SHA-\d+\$\d+:(?P<secret>[\w+/=]+\$[\w+/=:]+)"),
    Pattern("md5", r"(?P<secret>(?<![\w-])md5[0-9a-f]{32}\b)"),
    Pattern("$2 $1$ $5$ $6$ $y$", r"(?P<secret>\$(?:2[aby]\$\d\d|1|5|6|y)\$[./\w$]{20,})"),
    Pattern("password", r"(?i)\bpassword\s+(?P<quote>\\*[\"'])(?P<secret>(?:(?!(?P=quote)).){1,500})(?P=quote)"),
    Pattern("identified", r"(?i)\bidentified\s+by\s+[\"'](?P<secret>[^\"']+)"),
    Pattern(
        "--",
        r"(?i)(?<![\w-])--[\w-]{0,40}?(?:password|passwd|passphrase|token|secret|api-?key|access-?key)"
        r"(?![\w-]{0,40}(?:file|ttl|name|id|arn|path))[\w-]{0,40} +[\"']?(?P<secret>[^\s=\"'-][^\s\"']*)",
        is_word,
    ),
    Pattern("-u --user", r"(?<!\w)(?:-u|--user)[ =][\"']?[^\s:\"']+:(?P<secret>[^\s\"']+)"),
    Pattern("sshpass redis-cli", r"\b(?:sshpass -p|redis-cli\b[^\n|;&]{0,200}? -a) *[\"']?(?P<secret>[^\s\"']+)"),
    Pattern("auth", r"(?m)(?:\"AUTH\"(?: \"[^\"]*\")?|^AUTH|[>$] AUTH) +\"?(?P<secret>[^\s\"]+)\"?(?= *$)", is_word),
    Pattern("requirepass masterauth", r"(?i)\b(?:requirepass|masterauth) +[\"']?(?P<secret>[^\s\"']+)"),
    Pattern("</", r"(?i)<(?P<tag>\w*(?:Password|Secret\w*|Token))>(?P<secret>[^<\s]+)</(?P=tag)>"),
    # A line of a PostgreSQL password file: host:port:database:user:password.
    Pattern(
        ":", r"(?m)(?:^|(?<=[\s\"']))[\w.*-]{1,255}:(?:\d{4,5}|\*):[\w*-]{1,99}:[\w*-]{1,99}:(?P<secret>[^\s\"']+)"
    ),
)
