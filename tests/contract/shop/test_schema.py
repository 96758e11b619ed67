# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables the shop and the checks rely on."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from dhakacart_lab.shop import schema


def test_installing_and_seeding_again_changes_nothing(servers: Any) -> None:
    rows = "SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM users), (SELECT count(*) FROM pgmigrations)"
    with servers.cluster.connect(user="app", autocommit=False) as connection:
        before = connection.execute(rows).fetchone()
        schema.install(connection)
        schema.seed(connection)
        assert connection.execute(rows).fetchone() == before == (50, 21, 1)


def test_triggers_number_orders_and_force_totals(servers: Any) -> None:
    with servers.cluster.connect(user="app", autocommit=False) as connection:
        order, number = connection.execute(
            "INSERT INTO orders (user_id, total_amount) VALUES (1, 5) RETURNING id, order_number"
        ).fetchone()
        assert number.startswith("ORD-")
        total = connection.execute(
            "INSERT INTO order_items (order_id, product_id, quantity, unit_price, total_price)"
            " VALUES (%s, 1, 3, 2.50, 99) RETURNING total_price::text",
            [order],
        ).fetchone()
        assert total == ("7.50",)
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE products SET stock_quantity = -1 WHERE id = 1",
        "UPDATE products SET price = -1 WHERE id = 1",
        "UPDATE users SET role = 'root' WHERE id = 1",
        "INSERT INTO orders (user_id, total_amount, status) VALUES (1, 5, 'lost')",
        "INSERT INTO cart_items (user_id, product_id, quantity) VALUES (1, 1, 0)",
    ],
)
def test_checks_refuse_what_the_platform_refuses(servers: Any, statement: str) -> None:
    with servers.database() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(statement)


def test_the_indexes_worth_checking_are_there(servers: Any) -> None:
    with servers.database() as connection:
        found = {row[0] for row in connection.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    assert {"idx_products_name_search", "idx_orders_created_at", "idx_order_items_product", "idx_users_role"} <= found
