# SPDX-License-Identifier: GPL-3.0-or-later
"""``/api/products``: the catalogue, cached."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from .cache import PRODUCTS_TTL
from .database import Connection
from .web import SHOP, Refused, positive, reply

ALL_PRODUCTS = """
    SELECT id, name, slug, sku, description, price::text AS price, stock_quantity, category_id, is_active
    FROM products WHERE is_active ORDER BY id"""
ONE_PRODUCT = """
    SELECT id, name, slug, sku, description, price::text AS price, stock_quantity, category_id, is_active
    FROM products WHERE id = %s"""


def routes() -> list[web.RouteDef]:
    return [web.get("/api/products", list_products), web.get("/api/products/{id}", get_product)]


async def list_products(request: web.Request) -> web.Response:
    shop = request.app[SHOP]
    products = await shop.cache.get("products:all")
    if products is None:

        async def select(connection: Connection) -> list[dict[str, Any]]:
            cursor = await connection.execute(ALL_PRODUCTS)
            return await cursor.fetchall()

        begin = time.perf_counter()
        products = await shop.database.read(select)
        shop.metrics.query_duration.labels("select_products").observe(time.perf_counter() - begin)
        await shop.cache.put("products:all", products, PRODUCTS_TTL)
    return reply({"products": products, "count": len(products)})


async def get_product(request: web.Request) -> web.Response:
    shop, number = request.app[SHOP], positive(request.match_info["id"], "id")
    product = await shop.cache.get(f"product:{number}")
    if product is None:

        async def select(connection: Connection) -> dict[str, Any] | None:
            cursor = await connection.execute(ONE_PRODUCT, [number])
            return await cursor.fetchone()

        product = await shop.database.read(select)
        if product is None:
            raise Refused(404, "Product not found")
        await shop.cache.put(f"product:{number}", product, PRODUCTS_TTL)
    shop.metrics.products_viewed.inc()
    return reply({"product": product})
