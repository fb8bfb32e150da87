"""The related list between price books and products: what a product costs in a book.

Source: `zoho/crm-oas`, v8.0/related_records (`GET`, `PUT` and `DELETE /{module}/{id}/{related list}`), whose examples name `list_price` as
mandatory. A book holds one price a product. The prices stand in the book's document under a name that is no field of the module, so no list
and no query of books shows them. Whether a price moves its book's Modified_Time is not documented: a switch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer, integer, no_content
from sandbox.crm_zoho.errors import ApiError, RecordError, invalid, missing, param_missing
from sandbox.crm_zoho.metadata import Doc, Field, Module
from sandbox.crm_zoho.modules import MODULES
from sandbox.crm_zoho.reading import MAX_PER_PAGE, asked_for, dollars, place_of, since_header
from sandbox.crm_zoho.store import Store
from sandbox.crm_zoho.values import COERCE, id_of
from sandbox.crm_zoho.writing import MAX_BATCH, batch, mark_related, results

PRICES = "Products"
"""Where a book's document holds its prices: `[{"id": product, "list_price": number}]`, by product."""
LIST_PRICE = Field("list_price", "currency", 16, 4)
RELATIONS: Mapping[tuple[str, str], str] = {("Price_Books", "Products"): "Products", ("Products", "Price_Books"): "Price_Books"}
"""(module, related list) -> the module that the list shows."""


def listing(call: Call) -> Response:
    """`GET /{module}/{id}/{related list}`."""
    module, shown, parent = _relation(call)
    asked = asked_for(call)
    per_page = integer(call, "per_page", MAX_PER_PAGE, 1, MAX_PER_PAGE)
    prices = _prices(call.box.store, module, parent)
    place = place_of(call, "/".join(call.parts[:3]), per_page)
    table = call.box.store.tables[shown.name].docs
    chosen = set(call.query["ids"].split(",")) if call.query.get("ids") else prices.keys()
    docs = [table[key] for key in prices if key in chosen and (not place.since or table[key]["Modified_Time"] > place.since)]
    docs.sort(key=lambda doc: (doc.get(place.sort_by) or "", doc["id"]), reverse=place.down)
    if place.after is not None:
        docs = [doc for doc in docs if ((doc.get(place.sort_by) or "", doc["id"]) > place.after) is not place.down]
    docs = docs[place.skip : place.skip + per_page + 1]
    if not docs:
        return Response(304) if place.since else no_content()
    rows = [_row(call, doc, prices[doc["id"]], shown, asked) for doc in docs[:per_page]]
    return answer({"data": rows, "info": place.info(call, docs[:per_page], per_page, more=len(docs) > per_page)})


def one(call: Call) -> Response:
    """`GET /{module}/{id}/{related list}/{related id}`."""
    module, shown, parent = _relation(call)
    prices, key = _prices(call.box.store, module, parent), call.parts[3]
    if key not in prices:
        return no_content()
    doc = call.box.store.tables[shown.name].docs[key]
    if (since := since_header(call)) and doc["Modified_Time"] <= since:
        return Response(304)
    return answer({"data": [_row(call, doc, prices[key], shown, (*shown.fields, LIST_PRICE.name))]})


def update(call: Call) -> Response:
    """`PUT /{module}/{id}/{related list}`, each with its id, and `PUT …/{related id}`: relates what is not related yet, too."""
    module, shown, parent = _relation(call)
    sent = batch(call)
    if len(call.parts) > 3:
        sent = [{**sent[0], "id": call.parts[3]}]

    def each(record: Doc, at: int) -> Doc:
        path = f"$.data[{at}]"
        key, price = _checked(call.box.store, shown, record, path)
        book, product = (parent["id"], key) if module.name == "Price_Books" else (key, parent["id"])
        _store(call, book, {product: price})
        return {"code": "SUCCESS", "details": {"id": key}, "message": "record updated", "status": "success"}

    return results(call, sent, each, "relate", 200)


def delink(call: Call) -> Response:
    """`DELETE /{module}/{id}/{related list}?ids=a,b` and `DELETE …/{related id}`: ends the relation, the records stay."""
    module, _, parent = _relation(call)
    keys = [key for key in (call.parts[3] if len(call.parts) > 3 else call.query.get("ids", "")).split(",") if key]
    if not keys:
        raise param_missing("ids")
    if len(keys) > MAX_BATCH:
        raise ApiError(400, "LIMIT_EXCEEDED", "The maximum number of ids is exceeded", param_name="ids", limit=str(MAX_BATCH))

    def each(record: Doc, _: int) -> Doc:
        key = record["id"]
        if key not in _prices(call.box.store, module, _parent(call, module)):
            raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name="id", id=key)
        book, product = (parent["id"], key) if module.name == "Price_Books" else (key, parent["id"])
        _store(call, book, {product: None})
        return {"code": "SUCCESS", "details": {"id": key}, "message": "record deleted", "status": "success"}

    return results(call, [{"id": key} for key in keys], each, "delink", 200)


def prices_of(store: Store, book: Doc) -> list[Doc]:
    """A book's prices, those of deleted products left out, by product."""
    live = store.tables["Products"].docs
    return [row for row in book.get(PRICES) or () if row["id"] in live]


def with_prices(store: Store, book: Doc, given: Any, path: str) -> Doc:
    """The book with prices as a user enters them: `[{"id", "list_price"}]`; with `_delete` one goes. Raises: RecordError."""
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise invalid(path, PRICES, "jsonarray")
    changes: dict[str, Any] = {}
    for at, row in enumerate(given):
        if "_delete" in row:
            changes[str(id_of(row))] = None
        else:
            key, price = _checked(store, MODULES["Products"], row, f"{path}[{at}]")
            changes[key] = price
    return {**book, PRICES: _changed(book, changes)}


def _relation(call: Call) -> tuple[Module, Module, Doc]:
    module = call.module()
    shown = RELATIONS.get((module.name, call.parts[2]))
    if shown is None:
        raise ApiError(400, "INVALID_DATA", "The related name given seems to be invalid", resource_path_index=2)
    return module, MODULES[shown], _parent(call, module)


def _parent(call: Call, module: Module) -> Doc:
    found = call.box.store.tables[module.name].docs.get(call.parts[1])
    if found is None:
        raise ApiError(400, "INVALID_DATA", "The related id given seems to be invalid", resource_path_index=1)
    return found


def _prices(store: Store, module: Module, parent: Doc) -> dict[str, Any]:
    """Price by the id of what the list shows."""
    if module.name == "Price_Books":
        return {row["id"]: row["list_price"] for row in prices_of(store, parent)}
    books = store.tables["Price_Books"].docs.values()
    return {book["id"]: row["list_price"] for book in books for row in prices_of(store, book) if row["id"] == parent["id"]}


def _row(call: Call, doc: Doc, price: Any, shown: Module, asked: Sequence[str]) -> Doc:
    fields = {name: doc.get(name) for name in asked if name in shown.fields}
    return {**fields, **({LIST_PRICE.name: price} if LIST_PRICE.name in asked else {}), "id": doc["id"], **dollars(call)}


def _checked(store: Store, shown: Module, record: Doc, path: str) -> tuple[str, Any]:
    if record.get("id") is None:
        raise missing(f"{path}.id", "id")
    key = id_of(record)
    if key is None or key not in store.tables[shown.name].docs:
        raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name="id", json_path=f"{path}.id", id=key)
    price = record.get(LIST_PRICE.name)
    if price is None:
        raise missing(f"{path}.{LIST_PRICE.name}", LIST_PRICE.name)
    return key, COERCE[LIST_PRICE.type](store, LIST_PRICE, price, f"{path}.{LIST_PRICE.name}")


def _store(call: Call, book: str, changes: Mapping[str, Any]) -> None:
    doc = call.box.store.tables["Price_Books"].docs[book]
    mark_related(call, MODULES["Price_Books"], {**doc, PRICES: _changed(doc, changes)})


def _changed(book: Doc, changes: Mapping[str, Any]) -> list[Doc]:
    kept = {row["id"]: row["list_price"] for row in book.get(PRICES) or ()} | dict(changes)
    return [{"id": key, "list_price": kept[key]} for key in sorted(kept) if kept[key] is not None]
