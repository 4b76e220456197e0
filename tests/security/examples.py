"""Requests that should succeed, made from an OpenAPI document: known ids where a name asks for one,
plausible values where a name is known, else the least that the schema takes."""

from __future__ import annotations

from typing import Any

from tests.factories.market import HOME

Ids = dict[str, str]
VALUES: dict[str, Any] = {
    "address": HOME,
    "shipping_address": HOME,
    "country": "DE",
    "currency": "EUR",
    "email": "ada@buyers.test",
    "city": "Berlin",
    "postal_code": "10115",
    "line1": "Lindenweg 7",
    "name": "Fern and moss",
    "title": "Fern and moss",
    "display_name": "Ada",
    "code": "leaf_shape",
    "type": "text",
    "reason": "Because it is so.",
    "scientific_name": "Ficus carica",
    "prefix": "fer",
    "zone": "7a",
    "carrier": "dhl",
    "decision": "approve",
    "kind": "goods",
    "rates": [{"countries": ["DE"], "amount": 490}],
    "scope": "platform",
    "rate_bp": 1_000,
    "valid_from": "2040-01-01T00:00:00Z",
    "locale": "en",
    "markdown": "# Terms\n\nBe kind.",
    "method": "pm_card_visa",
    "keys": ["AAAA-1", "AAAA-2"],
    "filename": "goods.csv",
    "alt": "A leaf",
    "gateway": "sandbox",
    "role": "support",
    "start": "2030-01-01",
    "end": "2030-01-08",
    "delta": 1,
    "price": 1_250,
    "as_of": "2030-01-01T00:00:00Z",
    "password": "a quiet market at seven in the morning",
    "accept_terms": True,
}
# The same word means another thing elsewhere.
PLACES: dict[tuple[str, str], Any] = {
    ("/api/v1/legal/{kind}", "kind"): "terms",
    ("/api/v1/shipping-methods", "kind"): "delivery",
    ("/api/v1/inventory/stock/{variant_id}/adjustments", "reason"): "restock",
    ("/api/v1/imports/{run_id}/results", "phase"): "preview",
    ("/api/v1/sellers/apply", "kind"): "private",
}


class Examples:
    """`ids` are things that exist, by the name of the parameter that takes them."""

    def __init__(self, document: dict[str, Any], ids: Ids) -> None:
        self._document = document
        self.ids = ids

    def value(self, path: str, name: str, schema: dict[str, Any]) -> Any:
        """What to send for `name` somewhere in a request to `path`."""
        schema = self._resolved(schema)
        for (start, word), given in PLACES.items():
            if word == name and path.startswith(start):
                return given
        if name in self.ids:
            return self.ids[name]
        choices = schema.get("enum")
        if name in VALUES and (not choices or VALUES[name] in choices):
            return VALUES[name]
        if choices:
            return choices[0]
        return self._plain(path, name, schema)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        for several in ("oneOf", "anyOf"):
            known = [each for each in schema.get(several, ()) if each.get("type") != "null"]
            if known:
                return self._resolved(known[0])
        return schema

    def _plain(self, path: str, name: str, schema: dict[str, Any]) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next(each for each in kind if each != "null")
        if kind == "object" or "properties" in schema:
            wanted = schema.get("required", ())
            return {key: self.value(path, key, schema["properties"][key]) for key in wanted}
        if kind == "array":
            count = schema.get("minItems", 0)
            return [self.value(path, name.removesuffix("s"), schema["items"])] * count
        if kind in {"integer", "number"}:
            return schema.get("minimum", 1)
        if kind == "boolean":
            return False
        return "x" * max(schema.get("minLength", 0), 3)

    def request(self, path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call: `url`, `params` and perhaps `json`."""
        url, query = path, dict[str, Any]()
        for given in operation.get("parameters", ()):
            parameter = self._resolved(given)
            name, schema = parameter["name"], parameter.get("schema", {})
            if parameter["in"] == "path":
                url = url.replace("{" + name + "}", str(self.value(path, name, schema)))
            elif parameter["in"] == "query" and parameter.get("required"):
                query[name] = self.value(path, name, schema)
        made: dict[str, Any] = {"method": method.upper(), "url": url, "params": query}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            schema = self._resolved(body["schema"])
            names = [
                name
                for name in schema.get("properties", {})
                if name in schema.get("required", ()) or name in SENT.get((method, path), ())
            ]
            made["json"] = {
                name: self.value(path, name, schema["properties"][name]) for name in names
            }
        return made


SENT: dict[tuple[str, str], tuple[str, ...]] = {
    ("post", "/api/v1/checkouts"): ("email", "items", "shipping_address"),
    ("post", "/api/v1/inventory/stock/{variant_id}/adjustments"): ("delta",),
    ("post", "/api/v1/checkouts/{checkout_id}/payment"): ("method",),
    ("patch", "/api/v1/listings/{listing_id}"): ("title",),
    ("patch", "/api/v1/auth/profile"): ("display_name",),
    ("post", "/api/v1/auth/register"): ("terms_version", "privacy_version"),
}
"""Fields that may be left out, and without which the call says nothing."""
