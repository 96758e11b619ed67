# SPDX-License-Identifier: GPL-3.0-or-later
"""The shop's tables and their first rows. Run both as the shop's user, who then owns them."""

from __future__ import annotations

from importlib import resources
from typing import Any

import psycopg
from psycopg import sql

# Five orders a second over 50 products empty the stock after 115 days.
STOCK = 1_000_000
CATEGORIES = ("Electronics", "Clothing", "Books", "Home", "Groceries")
# Stands where migrations 001-006 would: the platform's own file names are not known to the lab.
MIGRATION = "lab_schema_of_001_to_006"
# No password hashes to this: nobody can log in with a lab account.
NO_LOGIN = "!"


def install(connection: psycopg.Connection[Any]) -> None:
    """Create what is missing of tables, indexes, sequence and triggers, and commit."""
    script = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    with connection.transaction():
        connection.execute(script.encode())
        connection.execute("INSERT INTO pgmigrations (name) VALUES (%s) ON CONFLICT DO NOTHING", [MIGRATION])
    connection.commit()


def seed(connection: psycopg.Connection[Any], products: int = 50, users: int = 20) -> None:
    """Fill empty tables with the same rows every time, and commit: customers 1…users, products 1…products, and the
    administrator, whose id is users + 1. Rows that are there already stay as they are."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO categories (id, name, slug) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(number, name, name.lower()) for number, name in enumerate(CATEGORIES, 1)],
        )
        cursor.executemany(
            "INSERT INTO users (id, email, password_hash, first_name, role) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [
                (number, f"customer{number}@example.com", NO_LOGIN, f"Customer {number}", "customer")
                for number in range(1, users + 1)
            ]
            + [(users + 1, "admin@dhakacart.com", NO_LOGIN, "Administrator", "admin")],
        )
        cursor.executemany(
            "INSERT INTO products (id, name, slug, sku, description, price, stock_quantity, category_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (
                    number,
                    f"Product {number}",
                    f"product-{number}",
                    f"SKU-{number:05}",
                    f"The product number {number} of the lab",
                    100 + number * 7 % 900,
                    STOCK,
                    1 + number % len(CATEGORIES),
                )
                for number in range(1, products + 1)
            ],
        )
        for table in ("categories", "users", "products"):
            cursor.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
                    sql.Literal(table), sql.Identifier(table)
                )
            )
    connection.commit()
