"""The register's own pages: its state, one entry in words, a proof checked step by step."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import pytest
from django.test import Client

from creditbank.ledger import operations, queries
from creditbank.proofs import merkle, notes
from tests.certificates.holders import Holder, make_holder
from tests.ledger.cast import published


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=3)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def test_the_log_shows_its_size_root_and_newest_leaves(holder: Holder, client: Client) -> None:
    state = queries.log_state()
    answer = client.get("/log")
    assert answer.status_code == 200
    page = text_of(answer)
    assert f"{state.published_size} 条" in page
    assert base64.b64encode(state.root).decode() in page
    assert "存入学分" in page
    assert holder.college.institution.name in page
    assert state.checkpoint.decode().split("\n")[0] in page


def test_before_anything_is_published_the_log_says_so(signer: Any, client: Client) -> None:
    answer = client.get("/log")
    assert answer.status_code == 200
    assert "还没有公布第一个检查点" in text_of(answer)
    assert client.get("/log/0").status_code == 404
    assert client.post("/log", {"proof": "x"}).status_code == 200


def test_every_leaf_has_a_page_and_none_names_a_person(holder: Holder, client: Client) -> None:
    transcript = holder.issue()
    published(operations.reverse_entry(index=holder.indexes()[0], reason="成绩误录"))
    size = queries.log_state().published_size
    for index in range(size):
        answer = client.get(f"/log/{index}")
        assert answer.status_code == 200, index
        page = text_of(answer)
        for personal in ("金明", "新能源", "成绩误录", "良好"):
            assert personal not in page
    assert client.get(f"/log/{size}").status_code == 404
    assert client.get(f"/log/0{size - 1}").status_code == 404
    index = transcript.register_index
    assert transcript.number in text_of(client.get(f"/log/{index}"))


def test_a_reversed_entry_and_its_reversal_lead_to_each_other(
    holder: Holder, client: Client
) -> None:
    index = holder.indexes()[1]
    receipt = published(operations.reverse_entry(index=index, reason="误录"))
    award = client.get(f"/log/{index}")
    assert "已冲正" in text_of(award)
    assert f'href="/log/{receipt.first_index}"' in award.content.decode()
    reversal = client.get(f"/log/{receipt.first_index}")
    assert f'href="/log/{index}"' in reversal.content.decode()
    assert "-3.00" in text_of(reversal)


def test_a_manifest_leads_to_its_entries(holder: Holder, client: Client) -> None:
    manifest = queries.entry(holder.indexes()[0]).manifest_index
    answer = client.get(f"/log/{manifest}")
    assert "这是一份清单" in text_of(answer)
    for index in (manifest + 1, manifest + 3):
        assert f'href="/log/{index}"' in answer.content.decode()


def test_a_number_typed_leads_to_the_entry_and_a_wrong_one_back(
    holder: Holder, client: Client
) -> None:
    assert client.get("/log", {"index": " 1 "})["Location"] == "/log/1"
    for wrong in ("9999999", "-1", "abc", "１", "1" * 30):
        answer = client.get("/log", {"index": wrong})
        assert answer.status_code == 200
        assert "没有这个序号" in text_of(answer)


def test_the_proof_shown_can_be_computed_again_from_the_page(
    holder: Holder, client: Client
) -> None:
    index = holder.indexes()[2]
    body = client.get(f"/log/{index}").content.decode()
    rows = re.findall(
        r"<td>\d+</td><td><code>([^<]+)</code></td><td>(左|右)</td><td><code>([^<]+)</code></td>",
        body,
    )
    value = merkle.leaf_hash(queries.entry(index).leaf)
    for sibling, side, result in rows:
        other = base64.b64decode(sibling)
        value = merkle.node_hash(other, value) if side == "左" else merkle.node_hash(value, other)
        assert base64.b64encode(value).decode() == result
    assert value == queries.log_state().root


def test_a_ledger_proof_is_checked_step_by_step(holder: Holder, client: Client) -> None:
    proof = queries.proof(holder.indexes()[1]).encode().decode()
    later = make_holder(lines=1, college=holder.college)
    assert later.indexes()
    answer = client.post("/log", {"proof": proof.replace("\n", "\r\n")})
    page = text_of(answer)
    assert "核对通过" in page
    for step in (
        "出示的内容与条目的承诺值一致",
        "条目在机构签名的清单里",
        "清单由当时有效的机构密钥签名",
        "条目在登记簿里，序号相符",
        "检查点由登记簿和见证密钥签名",
        "今天的登记簿是那时的延续，没有改写",
    ):
        assert f"{step} 通过" in page
    assert not answer.cookies


def extra_of(lines: list[str]) -> str:
    return base64.b64decode(lines[1].removeprefix("extra ")).decode()


def with_extra(lines: list[str], old: str, new: str) -> list[str]:
    extra = extra_of(lines)
    assert old in extra
    changed = base64.b64encode(extra.replace(old, new, 1).encode()).decode()
    return [lines[0], f"extra {changed}", *lines[2:]]


def test_a_proof_that_was_altered_fails_at_its_step(holder: Holder, client: Client) -> None:
    bundle = queries.proof(holder.indexes()[1])
    lines = bundle.encode().decode().split("\n")
    root = lines.index("bank.example/log") + 2
    nothing = base64.b64encode(bytes(32)).decode()
    stream = holder.college.hosted
    in_log = "条目在登记簿里，序号相符"
    altered = {
        "出示的内容与条目的承诺值一致": with_extra(lines, r"\"86\"", r"\"96\""),
        "清单由当时有效的机构密钥签名": with_extra(lines, f"{stream}\\n", f"{stream}x\\n"),
        "编号、类别与数量前后相符": with_extra(
            lines, f'"manifest_index":{bundle.manifest_index}', '"manifest_index":7'
        ),
    }
    tampered = [
        *altered.items(),
        (in_log, [*lines[:2], f"index {bundle.index + 1}", *lines[3:]]),
        (in_log, [*lines[:3], nothing, *lines[4:]]),
        (in_log, [*lines[:root], nothing, *lines[root + 1 :]]),
        ("检查点由登记簿和见证密钥签名", lines[: root + 2] + lines[root + 3 :]),
    ]
    for step, text in tampered:
        page = text_of(client.post("/log", {"proof": "\n".join(text)}))
        assert "核对不通过" in page, step
        assert f"{step} 未通过" in page, page


def test_a_saved_checkpoint_is_shown_to_be_a_prefix_of_today(
    holder: Holder, client: Client
) -> None:
    saved = client.get("/log/checkpoint").content.decode()
    make_holder(lines=2, college=holder.college)
    page = text_of(client.post("/log", {"proof": saved}))
    assert "检查点是真的，今天的登记簿是它的延续" in page
    other = saved.replace(saved.split("\n")[2], base64.b64encode(bytes(32)).decode())
    assert "核对不通过" in text_of(client.post("/log", {"proof": other}))


def test_what_is_no_proof_is_told_apart_from_a_bad_one(holder: Holder, client: Client) -> None:
    for text in ("hello", "c2sp.org/tlog-proof@v1\nindex x\n\n", "\u2014 x", "x" * 70_000):
        page = text_of(client.post("/log", {"proof": text}))
        assert "没有核对" in page
        assert "核对不通过" not in page


def test_a_leaf_hash_is_found_at_its_index_and_nowhere_else(holder: Holder, client: Client) -> None:
    index = holder.indexes()[0]
    leaf = queries.entry(index).leaf_hash
    for spelling in (leaf.hex(), leaf.hex().upper(), base64.b64encode(leaf).decode()):
        page = text_of(client.post("/log", {"leaf": spelling, "leaf_index": str(index)}))
        assert "核对通过" in page
    page = text_of(client.post("/log", {"leaf": leaf.hex(), "leaf_index": str(index + 1)}))
    assert "核对不通过" in page
    page = text_of(client.post("/log", {"leaf": leaf.hex(), "leaf_index": "99999"}))
    assert "没有核对" in page
    page = text_of(client.post("/log", {"leaf": "zz", "leaf_index": "1"}))
    assert "没有核对" in page


def test_the_proof_file_of_a_learners_entry_does_not_open_it(
    holder: Holder, client: Client
) -> None:
    answer = client.get(f"/log/{holder.indexes()[0]}/proof")
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    text = answer.content.decode()
    assert text.startswith(notes.PROOF_HEADER)
    extra = base64.b64decode(text.split("\n")[1].removeprefix("extra ")).decode()
    assert '"opening":null' in extra
    assert "核对通过" in text_of(client.post("/log", {"proof": text}))
    public = client.get("/log/1/proof").content.decode()
    assert "bank.example" in base64.b64decode(public.split("\n")[1].removeprefix("extra ")).decode()
