"""A browser without scripts: it keeps cookies, sends forms with their token, and follows redirects."""

from __future__ import annotations

import html
import re
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back at last."""

    status: int
    url: str
    body: bytes

    @property
    def text(self) -> str:
        return html.unescape(self.body.decode(errors="replace"))


class Visitor:
    """One person at one browser."""

    def __init__(self, site: str, *, agent: str = "Visitor/1.0") -> None:
        self._site = site
        self._agent = agent
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.seen: list[Answer] = []

    def _ask(self, path: str, data: bytes | None = None, **headers: str) -> Answer:
        url = path if path.startswith("http") else self._site + path
        sent = {"User-Agent": self._agent, "Accept-Language": "zh-CN", "Referer": url} | headers
        try:
            with self._opener.open(Request(url, data, sent), timeout=60) as response:
                answer = Answer(response.status, response.url, response.read())
        except HTTPError as error:
            answer = Answer(error.code, error.url or url, error.read())
        self.seen.append(answer)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask(path, **headers)

    def post(self, path: str, *, page: str = "", **fields: Any) -> Answer:
        """Send a form, with the token of its page where that has one."""
        token = _TOKEN.search(self.get(page or path).body.decode())
        if token is not None:
            fields["csrfmiddlewaretoken"] = token[1]
        body = encode_multipart(BOUNDARY, fields)
        return self._ask(path, body, **{"Content-Type": MULTIPART_CONTENT})

    def send(self, path: str, body: bytes, **headers: str) -> Answer:
        return self._ask(path, body, **headers)

    def sign_in(self, username: str, password: str) -> None:
        answer = self.post("/account/login/", login=username, password=password)
        assert "/account/login" not in answer.url, answer.text[:3000]

    def until(self, path: str, words: str, seconds: float = 60) -> Answer:
        """Look at a page until it says something."""
        limit = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if words in answer.text:
                return answer
            assert time.monotonic() < limit, answer.text
            time.sleep(0.3)


def file(name: str, data: bytes, kind: str = "application/octet-stream") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, kind)
