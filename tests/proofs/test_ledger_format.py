"""docs/ledger-format.md is enough: a second verifier written from it agrees with ours.

The verifier below uses the standard library and `cryptography` only, and was
written from the page, not from the code. The page's worked example and its
table of kinds are recomputed as well.
"""

from __future__ import annotations

import dataclasses
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from creditbank.ledger import kinds
from creditbank.proofs import bundles, commitments
from creditbank.proofs.bundles import ProofBundle

PAGE = (Path(__file__).parents[2] / "docs" / "ledger-format.md").read_text(encoding="utf-8")
PARTS = ("core", "result", "reference", "holder")


# -- the second verifier ------------------------------------------------------------------------
class Refused(Exception):
    pass


def need(condition: object, step: int) -> None:
    if not condition:
        raise Refused(step)


def unb64(text: str) -> bytes:
    data = b64decode(text, validate=True)
    need(b64encode(data).decode() == text, 0)
    return data


def decimal(text: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]*", text) and int(text) < 2**63, 0)
    return int(text)


def canonical(text: str) -> Any:
    def whole(literal: str) -> int:
        raise Refused(0)

    value = json.loads(text, parse_float=whole, parse_constant=whole)
    again = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    need(again == text, 0)
    return value


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.3.2."""
    need(index < size, 0)
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn != 0 and len(p) == 32, 0)
        if fn & 1 or fn == sn:
            r = sha256(b"\x01" + p + r).digest()
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, 0)
    return r


def note(data: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    text, divided, tail = data.rpartition("\n\n")
    need(divided and tail.endswith("\n"), 0)
    need(all(ord(c) >= 32 or c == "\n" for c in data), 0)
    lines = []
    for line in tail[:-1].split("\n"):
        match = re.fullmatch(r"\u2014 (\S+) (\S+)", line)
        need(match and "+" not in match[1], 0)
        blob = unb64(match[2])
        lines.append((match[1], blob[:4], blob[4:]))
    return text + "\n", lines


def key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(text: str) -> tuple[str, bytes, int, bytes]:
    name, identifier, blob = text.split("+", 2)
    kind, public = unb64(blob)[0], unb64(blob)[1:]
    need(key_id(name, kind, public).hex() == identifier, 0)
    return name, bytes.fromhex(identifier), kind, public


def second_verifier(
    proof: bytes, *, log: str, cosigners: list[str], streams: dict[str, bytes]
) -> dict[str, Any]:
    """The steps of "Proof bundles", with verifier keys as texts and one key for each stream."""
    head, _, signed = proof.decode().partition("\n\n")
    lines = head.split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra "), 0)
    need(lines[2].startswith("index "), 0)
    extra = canonical(unb64(lines[1][6:]).decode())
    index, path = decimal(lines[2][6:]), [unb64(line) for line in lines[3:]]
    need(
        set(extra)
        == {
            "kind",
            "leaf",
            "manifest",
            "manifest_index",
            "manifest_path",
            "opening",
            "position",
            "v",
        },
        0,
    )
    need(extra["v"] == 1 and extra["v"] is not True, 0)
    # 1
    leaf = canonical(extra["leaf"])
    shown: dict[str, Any] = {}
    if extra["opening"] is not None:
        digests = []
        need(set(extra["opening"]) == set(PARTS), 1)
        for name in PARTS:
            part = extra["opening"][name]
            if "text" in part:
                shown[name] = canonical(part["text"])
                prefix = b"llcb/part/v1\0" + name.encode() + b"\0"
                digests.append(sha256(prefix + part["text"].encode()).digest())
            else:
                digests.append(unb64(part["digest"]))
        commitment = sha256(b"llcb/commit/v1\0" + b"".join(digests)).digest()
        need(unb64(leaf["c"]) == commitment, 1)
    if "core" in shown:
        need((shown["core"]["k"], shown["core"]["q"]) == (leaf["k"], leaf["q"]), 1)
    if "reference" in shown:
        need(shown["reference"].get("leaf") == leaf.get("r"), 1)
    # 2
    need(leaf["k"] == extra["kind"], 2)
    # 3
    text, manifest_lines = note(extra["manifest"])
    header, stream, numbers, root, previous, end = text.split("\n")
    need(header == "llcb/manifest/v1" and end == "" and len(unb64(previous)) == 32, 3)
    first, count = (decimal(number) for number in numbers.split(" "))
    leaf_hash = sha256(b"\0" + extra["leaf"].encode()).digest()
    way = [unb64(item) for item in extra["manifest_path"]]
    need(climb(leaf_hash, extra["position"], count, way) == unb64(root), 3)
    # 4
    need(len(manifest_lines) == 1 and stream in streams, 4)
    name, identifier, signature = manifest_lines[0]
    need((name, identifier) == (stream, key_id(stream, 1, streams[stream])), 4)
    Ed25519PublicKey.from_public_bytes(streams[stream]).verify(signature, text.encode())
    # 5
    need(index == extra["manifest_index"] + 1 + extra["position"], 5)
    need((leaf["i"], leaf["n"]) == (stream, first + extra["position"]), 5)
    # 6
    checkpoint, checkpoint_lines = note(signed)
    origin, size_text, root, end = checkpoint.split("\n")
    size = decimal(size_text)
    need(end == "" and climb(leaf_hash, index, size, path) == unb64(root), 6)
    # 7
    known = [vkey(log), *map(vkey, cosigners)]
    need(origin == known[0][0] and len(checkpoint_lines) == len(known) == 3, 7)
    times = set()
    for name, identifier, kind, public in known:
        found = [s for n, i, s in checkpoint_lines if (n, i) == (name, identifier)]
        need(len(found) == 1, 7)
        stamp, rest = found[0][:8], found[0][8:]
        if kind == 1:
            Ed25519PublicKey.from_public_bytes(public).verify(found[0], checkpoint.encode())
        elif kind == 4:
            seconds = int.from_bytes(stamp, "big")
            message = f"cosignature/v1\ntime {seconds}\n{checkpoint}".encode()
            Ed25519PublicKey.from_public_bytes(public).verify(rest, message)
            times.add(seconds)
        else:
            need(kind == 6, 7)
            message = (
                b"subtree/v1\n\0"
                + bytes([len(name.encode())])
                + name.encode()
                + stamp
                + bytes([len(origin.encode())])
                + origin.encode()
                + bytes(8)
                + size.to_bytes(8, "big")
                + unb64(root)
            )
            MLDSA44PublicKey.from_public_bytes(public).verify(rest, message)
            times.add(int.from_bytes(stamp, "big"))
    # 8
    need(len(times) == 1 and 0 < min(times) < 2**63, 8)
    return {"index": index, "leaf": leaf, "shown": shown, "time": times.pop()}


def by_the_second(log: Any, proof: bytes) -> dict[str, Any]:
    return second_verifier(
        proof,
        log=log.log.key().vkey,
        cosigners=[key.key().vkey for key in log.cosigners],
        streams={name: signer.public for name, signer in log.streams.items()},
    )


@pytest.mark.parametrize("parts", [(), ("core",), ("result", "reference"), PARTS])
def test_the_second_verifier_accepts_our_proofs_and_reads_the_same_from_them(log, parts):
    for index in (1, 5, 8, 14):
        proof = log.prove(index, parts).encode()
        ours = bundles.verify(bundle=ProofBundle.parse(proof), **log.keys())
        theirs = by_the_second(log, proof)
        assert (theirs["index"], theirs["time"]) == (ours.index, ours.time)
        assert (theirs["leaf"]["n"], theirs["leaf"]["i"]) == (ours.leaf.seq, ours.leaf.stream)
        assert set(theirs["shown"]) == set(parts)
        for name, part in theirs["shown"].items():
            assert ours.disclosure.part(name) == part


def test_both_verifiers_refuse_the_same_changed_proofs(log):
    proof = log.prove(8, ("core", "reference")).encode()
    for at in range(0, len(proof), 11):
        wrong = bytearray(proof)
        wrong[at] ^= 1
        with pytest.raises(ValueError):  # the four kinds of refusal
            bundles.verify(bundle=ProofBundle.parse(bytes(wrong)), **log.keys())
        with pytest.raises((Refused, InvalidSignature, ValueError, KeyError, TypeError)):
            by_the_second(log, bytes(wrong))


def test_both_verifiers_refuse_each_member_taken_from_another_proof(log):
    ours, theirs = log.prove(4), log.prove(9)
    for field in dataclasses.fields(ProofBundle):
        value = getattr(theirs, field.name)
        if field.name == "checkpoint" or value == getattr(ours, field.name):
            continue
        mixed = dataclasses.replace(ours, **{field.name: value}).encode()
        with pytest.raises((Refused, InvalidSignature)):
            by_the_second(log, mixed)


# -- the page's own figures -----------------------------------------------------------------------
def block(name: str) -> str:
    match = re.search(rf"^```{name}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert match, name
    return match[1]


def test_the_worked_example_is_what_the_page_says_it_is():
    """With nothing but hashes, JSON and Ed25519."""
    parts = block("opening").split("TAB")
    assert [canonical(part)["s"] for part in parts] == [
        bytes(range(at, at + 16)).hex() for at in (0, 16, 32, 48)
    ]
    digests = [
        sha256(b"llcb/part/v1\0" + name.encode() + b"\0" + part.encode()).digest()
        for name, part in zip(PARTS, parts, strict=True)
    ]
    commitment = sha256(b"llcb/commit/v1\0" + b"".join(digests)).digest()
    printed = dict(line.split() for line in block("digests").split("\n"))
    assert printed == {
        **{name: digest.hex() for name, digest in zip(PARTS, digests, strict=True)},
        "commitment": commitment.hex(),
    }
    leaf, leaf_hash = block("leaf").split("\n")
    assert unb64(canonical(leaf)["c"]) == commitment
    assert leaf_hash == sha256(b"\0" + leaf.encode()).hexdigest()
    manifest = block("manifest") + "\n"
    text, [(name, identifier, signature)] = note(manifest)
    assert text.split("\n")[3] == b64encode(bytes.fromhex(leaf_hash)).decode()
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert signature == key.sign(text.encode())
    assert name == "edu.example/2026a"
    assert identifier == key_id(name, 1, key.public_key().public_bytes_raw())
    manifest_hash = sha256(b"\0" + manifest.encode()).digest()
    assert block("manifest-leaf-hash") == manifest_hash.hex()
    root = sha256(b"\1" + manifest_hash + bytes.fromhex(leaf_hash)).hexdigest()
    assert block("root") == root


def test_our_code_gives_the_worked_example():
    opening = block("opening").replace("TAB", "\t").encode()
    leaf, leaf_hash = block("leaf").split("\n")
    opened = commitments.read_openings([opening])
    [derived] = commitments.number("edu.example/2026a", 0, opened)
    assert (derived[0], derived[1].hex()) == (leaf.encode(), leaf_hash)


def test_the_page_prints_the_registry_of_kinds_as_it_is():
    rows = re.findall(
        r"^\| (\d+) \| `([a-z-]+)` \| (\w+) \| (\w+) \| (?:`([a-z-]+)`)? ?\| (yes)? ?\|$",
        PAGE,
        re.MULTILINE,
    )
    assert [(int(n), *rest) for n, *rest in rows] == [
        (
            kind.number,
            kind.name,
            kind.klass,
            kind.sign,
            "".join(kind.acts_on),
            "yes" if kind.public else "",
        )
        for kind in kinds.KINDS
    ]
