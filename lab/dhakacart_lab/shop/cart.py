# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/cart``: what a customer is about to buy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
from aiohttp import web

from .cache import CART_TTL
from .database import Connection
from .web import SHOP, Refused, body_of, positive, reply, user_of

LARGEST_QUANTITY = 1000


def routes() -> list[web.RouteDef]:
    return [web.get("/api/cart", get_cart), web.post("/api/cart", add_to_cart), web.delete("/api/cart", clear_cart)]


async def get_cart(request: web.Request) -> web.Response:
    shop, user = request.app[SHOP], user_of(request)
    items = await shop.cache.get(f"cart:{user}")
    if items is None:

        async def select(connection: Connection) -> list[dict[str, Any]]:
            cursor = await connection.execute(
                "SELECT c.product_id, p.name, p.price::text AS price, c.quantity"
                " FROM cart_items c JOIN products p ON p.id = c.product_id WHERE c.user_id = %s ORDER BY c.id",
                [user],
            )
            return await cursor.fetchall()

        items = await shop.database.read(select)
        await shop.cache.put(f"cart:{user}", items, CART_TTL)
    total = sum((Decimal(item["price"]) * item["quantity"] for item in items), Decimal("0.00"))
    return reply({"items": items, "total": total})


async def add_to_cart(request: web.Request) -> web.Response:
    """Body: ``product_id``, ``quantity`` (default 1), added to what is in the cart already."""
    shop, user, body = request.app[SHOP], user_of(request), await body_of(request)
    product = positive(body.get("product_id"), "product_id")
    quantity = positive(body.get("quantity", 1), "quantity")
    if quantity > LARGEST_QUANTITY:
        raise Refused(400, f"quantity must be at most {LARGEST_QUANTITY}")

    async def insert(connection: Connection) -> dict[str, Any] | None:
        cursor = await connection.execute(
            "INSERT INTO cart_items (user_id, product_id, quantity)"
            " SELECT %s, id, %s FROM products WHERE id = %s AND is_active"
            " ON CONFLICT (user_id, product_id) DO UPDATE"
            " SET quantity = cart_items.quantity + excluded.quantity, updated_at = now()"
            " RETURNING id, product_id, quantity",
            [user, quantity, product],
        )
        return await cursor.fetchone()

    try:
        item = await shop.database.write(insert)
    except psycopg.errors.ForeignKeyViolation:
        raise Refused(401, "Authentication required") from None
    if item is None:
        raise Refused(404, "Product not found")
    await shop.cache.drop(f"cart:{user}")
    return reply({"item": item}, 201)


async def clear_cart(request: web.Request) -> web.Response:
    shop, user = request.app[SHOP], user_of(request)

    async def delete(connection: Connection) -> None:
        await connection.execute("DELETE FROM cart_items WHERE user_id = %s", [user])

    await shop.database.write(delete)
    await shop.cache.drop(f"cart:{user}")
    return reply({"message": "Cart cleared"})
