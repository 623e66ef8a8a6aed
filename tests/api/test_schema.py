"""GET /api/schema and /api/docs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.drainage import GENERATOR_STATS

from api.urls import v1
from api.views.schema import schema_bytes


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    schema_bytes.cache_clear()
    made: dict[str, Any] = json.loads(schema_bytes("zh-hans"))
    return made


def operations(schema: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (path, method)
        for path, methods in schema["paths"].items()
        for method in methods
        if method != "parameters"
    }


def address(pattern: URLPattern) -> str:
    text = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        text = text.replace(f"<{_word(text, name)}:{name}>", f"{{{name}}}")
        assert converter
    return f"/api/{text}"


def _word(text: str, name: str) -> str:
    return text.partition(f":{name}>")[0].rpartition("<")[2]


def test_making_the_schema_warns_of_nothing() -> None:
    schema_bytes.cache_clear()
    GENERATOR_STATS.reset()
    schema_bytes("zh-hans")
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_every_address_and_method_is_in_the_schema(schema: dict[str, Any]) -> None:
    routed = set()
    for pattern in v1:
        view = pattern.callback.view_class  # type: ignore[union-attr]
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view, method):
                routed.add((address(pattern), method))
    assert routed == operations(schema)
    assert len(routed) >= 18


def test_every_operation_documents_its_errors_as_problems(schema: dict[str, Any]) -> None:
    for path, method in operations(schema):
        responses = schema["paths"][path][method]["responses"]
        for status in ("401", "429", "500", "503"):
            assert list(responses[status]["content"]) == ["application/problem+json"], path
        assert responses["429"]["headers"]["Retry-After"]


def test_operations_have_names_of_their_own(schema: dict[str, Any]) -> None:
    names = [schema["paths"][path][method]["operationId"] for path, method in operations(schema)]
    assert len(names) == len(set(names))
    assert all(names)


def test_the_schema_is_openapi_three_one(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.1"
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_public_operations_say_that_no_key_is_needed(schema: dict[str, Any]) -> None:
    assert {} in schema["paths"]["/api/v1/verify"]["post"]["security"]
    assert schema["paths"]["/api/v1/me/statement"]["get"]["security"] == [{"key": []}]


def test_the_schema_is_served_in_the_readers_language(client: Client, db: Any) -> None:
    chinese = client.get("/api/schema", headers={"Accept-Language": "zh-CN"})
    assert chinese.status_code == 200
    assert chinese["Content-Type"] == "application/vnd.oai.openapi+json"
    summary = chinese.json()["paths"]["/api/v1/verify"]["post"]["summary"]
    assert summary == "核验学分证明"


def test_the_documentation_asks_no_other_host(client: Client, db: Any) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    body = page.content.decode()
    assert "http://" not in body
    assert "https://" not in body
    assert 'src="/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"' in body
    assert "<script>" not in body
    assert "unsafe-inline" in page["Content-Security-Policy"]
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
    script = client.get("/api/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert '"/api/schema"' in script.content.decode().replace("\\u002D", "-")
    assert not page.cookies
    assert not script.cookies


def test_only_the_documentation_relaxes_the_policy(client: Client, db: Any) -> None:
    assert "unsafe" not in client.get("/api/v1/log")["Content-Security-Policy"]
