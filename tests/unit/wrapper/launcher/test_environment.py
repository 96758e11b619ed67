# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing secret stands where it can be read; everything that Ansible needs arrives."""

from __future__ import annotations

import pytest
from dhakacart_runbooks.launcher.environment import hand_over, is_secret

PERSON = {
    "PATH": "/usr/bin",
    "HOME": "/home/oncall",
    "LC_ALL": "C.UTF-8",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
    "AWS_PROFILE": "shop",
    "PGPASSWORD": "pg-hunter2",
    "DHAKACART_X_PASSWORD": "x-hunter2",
    "DHAKACART_LAB": "mine",
    "HTTPS_PROXY": "http://me:proxy-hunter2@proxy:3128",
    "GITHUB_TOKEN": "ghp_other",
    "SHOP_REGION": "eu",
    "ANSIBLE_CALLBACK_PLUGINS": "/somewhere",
    "ANSIBLE_STDOUT_CALLBACK": "minimal",
    "ANSIBLE_VAULT_PASSWORD_FILE": "/home/oncall/.vault",
}
SETTINGS = {"ANSIBLE_STDOUT_CALLBACK": "ours", "PATH": "/venv/bin:/usr/bin"}


def test_what_stands_in_the_environment_block_is_only_what_a_process_needs_to_start() -> None:
    assert hand_over(PERSON, SETTINGS).plain == {
        "PATH": "/venv/bin:/usr/bin",
        "HOME": "/home/oncall",
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_STDOUT_CALLBACK": "ours",
    }


def test_credentials_and_settings_arrive_by_the_private_way() -> None:
    private = hand_over(PERSON, SETTINGS).private
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "PGPASSWORD", "DHAKACART_LAB", "HTTPS_PROXY"):
        assert private[name] == PERSON[name]


def test_what_is_no_business_of_ansible_is_not_handed_over_unless_it_is_named() -> None:
    assert "GITHUB_TOKEN" not in hand_over(PERSON, SETTINGS).private
    assert hand_over(PERSON, SETTINGS, ["SHOP_REGION"]).private["SHOP_REGION"] == "eu"


def test_a_persons_own_callback_settings_do_not_come_between_runner_and_its_callback() -> None:
    private = hand_over(PERSON, SETTINGS).private
    assert not {"ANSIBLE_CALLBACK_PLUGINS", "ANSIBLE_STDOUT_CALLBACK"} & set(private)


def test_values_that_must_not_be_seen_are_known() -> None:
    assert set(hand_over(PERSON, SETTINGS).secrets) == {
        "wJalrXUtnFEMI",
        "pg-hunter2",
        "x-hunter2",
        "http://me:proxy-hunter2@proxy:3128",
        "proxy-hunter2",
    }


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("AWS_SESSION_TOKEN", "x", True),
        ("VAULT_TOKEN", "x", True),
        ("K8S_AUTH_API_KEY", "x", True),
        ("REDISCLI_AUTH", "x", True),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token", False),
        ("ANSIBLE_VAULT_PASSWORD_FILE", "/x", False),
        ("PGPASSFILE", "/x", False),
        ("SSH_AUTH_SOCK", "/x", False),
        ("AWS_PROFILE", "shop", False),
        ("DHAKACART_URL", "https://a:b@shop", True),
        ("DHAKACART_URL", "https://shop/a:b@c", False),
        ("PGPASSWORD", "", False),
    ],
)
def test_what_is_secret(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) is secret
