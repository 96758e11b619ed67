# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/cart/orders``: checkout and looking up an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
from aiohttp import web
from psycopg.types.json import Jsonb

from .cache import ORDER_TTL
from .database import Connection
from .web import SHOP, Refused, body_of, reply, user_of


def routes() -> list[web.RouteDef]:
    return [web.post("/api/cart/orders", checkout), web.get("/api/cart/orders/{order_number}", get_order)]


async def checkout(request: web.Request) -> web.Response:
    """Turn the cart into an order, in one transaction: 201 with ``id``, ``order_number`` and ``total``.

    Body, optional: ``shipping_address`` (an object, kept as it is). As on the platform, stock is read without a row
    lock and the CHECK on it is the only guard against overselling (409). The header ``Idempotency-Key`` is accepted and
    ignored, the schema has no place for it: what stops a repeated request from ordering twice is that checkout takes
    the items out of the cart, so that the second finds it empty (400).
    """
    shop, user = request.app[SHOP], user_of(request)
    body = await body_of(request) if request.can_read_body else {}
    address = body.get("shipping_address")
    if address is not None and not isinstance(address, dict):
        raise Refused(400, "shipping_address must be an object")
    taken: list[int] = []

    async def order(connection: Connection) -> dict[str, Any]:
        cursor = await connection.execute(
            "DELETE FROM cart_items c USING products p WHERE c.user_id = %s AND p.id = c.product_id"
            " RETURNING c.product_id, c.quantity, p.name, p.price, p.stock_quantity",
            [user],
        )
        # Always in the order of their ids, so that two checkouts cannot wait for each other's rows.
        items = sorted(await cursor.fetchall(), key=lambda item: int(item["product_id"]))
        if not items:
            raise Refused(400, "Cart is empty")
        if short := [item["name"] for item in items if item["stock_quantity"] < item["quantity"]]:
            raise Refused(409, f"Insufficient stock for {', '.join(short)}")
        taken.extend(item["product_id"] for item in items)
        return await _insert(connection, user, items, address)

    try:
        created = await shop.database.write(order)
    except psycopg.errors.CheckViolation:
        raise Refused(409, "Insufficient stock") from None
    await shop.cache.drop(f"cart:{user}", *(f"product:{number}" for number in taken))
    return reply(created, 201)


async def _insert(
    connection: Connection, user: int, items: list[dict[str, Any]], address: dict[str, Any] | None
) -> dict[str, Any]:
    total = sum((item["price"] * item["quantity"] for item in items), Decimal(0))
    cursor = await connection.execute(
        "INSERT INTO orders (user_id, total_amount, shipping_address) VALUES (%s, %s, %s)"
        " RETURNING id, order_number, total_amount::text AS total",
        [user, total, Jsonb(address) if address else None],
    )
    created = await cursor.fetchone()
    assert created is not None  # INSERT … RETURNING gives its row or raises
    await cursor.executemany(
        "INSERT INTO order_items (order_id, product_id, quantity, unit_price) VALUES (%s, %s, %s, %s)",
        [(created["id"], item["product_id"], item["quantity"], item["price"]) for item in items],
    )
    await cursor.executemany(
        "UPDATE products SET stock_quantity = stock_quantity - %s, updated_at = now() WHERE id = %s",
        [(item["quantity"], item["product_id"]) for item in items],
    )
    return created


async def get_order(request: web.Request) -> web.Response:
    """The order and its items. Cached: for an hour it answers for an order that the database has lost since."""
    shop, user, number = request.app[SHOP], user_of(request), request.match_info["order_number"]
    order = await shop.cache.get(f"order:{number}:{user}")
    if order is None:

        async def select(connection: Connection) -> dict[str, Any] | None:
            cursor = await connection.execute(
                "SELECT o.id, o.order_number, o.status, o.payment_status, o.total_amount::text AS total,"
                " o.created_at::text AS created_at,"
                " coalesce(json_agg(json_build_object('product_id', i.product_id, 'quantity', i.quantity,"
                " 'unit_price', i.unit_price::text, 'total_price', i.total_price::text) ORDER BY i.id)"
                " FILTER (WHERE i.id IS NOT NULL), '[]') AS items"
                " FROM orders o LEFT JOIN order_items i ON i.order_id = o.id"
                " WHERE o.order_number = %s AND o.user_id = %s GROUP BY o.id",
                [number, user],
            )
            return await cursor.fetchone()

        order = await shop.database.read(select)
        if order is None:
            raise Refused(404, "Order not found")
        await shop.cache.put(f"order:{number}:{user}", order, ORDER_TTL)
    return reply({"order": order})
