"""Openings, commitments, leaves, and what may be shown of an opening."""

from __future__ import annotations

import base64
from hashlib import sha256

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from creditbank.proofs import canonical, commitments, merkle
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.commitments import PARTS, Disclosure

STREAM = "edu.example/2026a"
HASH = sha256(b"some leaf").digest()
HASH_TEXT = base64.b64encode(HASH).decode()

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
NAMES = st.text(st.characters(max_codepoint=127), max_size=5).filter(lambda name: name != "s")
INTEGERS = st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX)
PART = st.dictionaries(NAMES, TEXTS | INTEGERS, max_size=5)
SALTS = st.binary(min_size=64, max_size=64)


def leaves_of(stream, first, openings):
    return commitments.number(stream, first, commitments.read_openings(openings))


# -- openings and commitments -----------------------------------------------------------------------
def test_an_opening_is_four_canonical_objects_joined_by_tabs_each_with_its_salt():
    opening = commitments.join(
        core={"q": 300, "k": "award"},
        result={"grade": "良好"},
        reference={"u": "x/1"},
        holder={"a": "0"},
        salts=bytes(range(64)),
    )
    assert opening == (
        b'{"k":"award","q":300,"s":"000102030405060708090a0b0c0d0e0f"}\t'
        + '{"grade":"良好","s":"101112131415161718191a1b1c1d1e1f"}\t'.encode()
        + b'{"s":"202122232425262728292a2b2c2d2e2f","u":"x/1"}\t'
        + b'{"a":"0","s":"303132333435363738393a3b3c3d3e3f"}'
    )
    assert commitments.split(opening) == tuple(opening.split(b"\t"))
    assert commitments.commitment(opening).hex() == (
        "fdd587c52e68e4319f11735c56919773210bc778af80bfeef9f51f6686901551"
    )


def test_the_same_parts_in_another_order_are_another_commitment(an_opening):
    core, result, reference, holder = commitments.split(an_opening(1))
    for other in (
        (result, core, reference, holder),
        (core, result, holder, reference),
        (core, reference, result, holder),
    ):
        assert commitments.commitment(b"\t".join(other)) != commitments.commitment(an_opening(1))


def test_the_commitment_is_the_hash_over_the_four_part_digests(an_opening):
    opening = an_opening(1)
    digests = [
        sha256(b"llcb/part/v1\0" + name.encode() + b"\0" + part).digest()
        for name, part in zip(PARTS, opening.split(b"\t"), strict=True)
    ]
    expected = sha256(b"llcb/commit/v1\0" + b"".join(digests)).digest()
    assert commitments.commitment(opening) == commitments.commit(digests) == expected
    assert [
        commitments.part_digest(name, part)
        for name, part in zip(PARTS, commitments.split(opening), strict=True)
    ] == digests


def test_salts_are_drawn_anew_so_that_two_openings_of_one_statement_differ():
    parts = {"core": {"k": "award", "q": 1}, "result": {}, "reference": {}, "holder": {}}
    first, second = commitments.join(**parts), commitments.join(**parts)
    salts = {orjson.loads(part)["s"] for part in (first + b"\t" + second).split(b"\t")}
    assert len(salts) == 8
    assert commitments.commitment(first) != commitments.commitment(second)


def test_the_same_bytes_as_another_part_have_another_digest():
    assert len({commitments.part_digest(name, b"{}") for name in PARTS}) == 4


@pytest.mark.parametrize("length", [0, 63, 65])
def test_an_opening_has_64_bytes_of_salt(length):
    with pytest.raises(NotCanonical):
        commitments.join(core={}, result={}, reference={}, holder={}, salts=bytes(length))


@pytest.mark.parametrize("digests", [[], [HASH] * 3, [HASH] * 5, [HASH, HASH, HASH, HASH[:-1]]])
def test_a_commitment_is_over_four_digests(digests):
    with pytest.raises(NotCanonical):
        commitments.commit(digests)


@settings(max_examples=200, deadline=None)
@given(PART, PART, PART, PART, SALTS)
def test_any_opening_of_texts_and_integers_is_read_back(core, result, reference, holder, salts):
    given_parts = (core, result, reference, holder)
    opening = commitments.join(
        core=core, result=result, reference=reference, holder=holder, salts=salts
    )
    _, *read = commitments.read_opening(opening)
    for at, part in enumerate(given_parts):
        assert read[at] == part


# -- what is no opening ---------------------------------------------------------------------------
SALT = '"s":"' + "0123456789abcdef" * 2 + '"'


def salted(text: str) -> bytes:
    return text.replace("SALT", SALT).encode("utf-8", "surrogatepass")


def four(*parts: str) -> bytes:
    """An opening of the parts given, the others being plain ones; SALT stands for a salt."""
    plain = ['{"k":"award","q":1,SALT}', "{SALT}", "{SALT}", '{"a":"0",SALT}']
    return salted("\t".join([*parts, *plain[len(parts) :]]))


MALFORMED = {
    "nothing": b"",
    "one part": salted("{SALT}"),
    "three parts": b"\t".join(four().split(b"\t")[:3]),
    "five parts": four() + salted("\t{SALT}"),
    "a tab too many": four() + b"\t",
    "a comma for a tab": four().replace(b"}\t{", b"},{", 1),
    "a tab inside a text": four('{"k":"a\tb","q":1,SALT}'),
    "a tab between members, a comma between parts": salted(
        '{"k":"award"\t"q":1,SALT},{SALT}\t{SALT}\t{SALT}'
    ),
    "a text that spells a border": salted('{"k":"x}\t{y","q":1,SALT},{SALT}\t{SALT}\t{SALT}'),
    "an array": four("[]"),
    "a number": four("1"),
    "a text": four('"a"'),
    "null": four("null"),
    "a blank": four('{"k":"award", "q":1,SALT}'),
    "a leading blank": b" " + four(),
    "a trailing newline": four() + b"\n",
    "members out of order": four('{"q":1,"k":"award",SALT}'),
    "a member twice": four('{"k":"award","q":1,"q":100,SALT}'),
    "a salt twice": four('{"k":"award","q":1,SALT,SALT}'),
    "a float": four('{"k":"award","q":1.0,SALT}'),
    "a float that is no integer": four('{"k":"award","q":1,SALT,"t":0.5}'),
    "an exponent": four('{"k":"award","q":1e2,SALT}'),
    "NaN": four('{"k":"award","q":NaN,SALT}'),
    "true": four('{"k":"award","q":true,SALT}'),
    "true in the result": four('{"k":"award","q":1,SALT}', '{"a":true,SALT}'),
    "null in a member": four('{"k":"award","q":null,SALT}'),
    "an array in a member": four('{"k":"award","q":1,SALT,"t":[]}'),
    "an object in a member": four('{"k":"award","q":1,SALT,"t":{}}'),
    "an integer of 54 bits": four('{"k":"award","q":9007199254740992,SALT}'),
    "an integer of 65 bits": four('{"k":"award","q":18446744073709551616,SALT}'),
    "a name that is not ASCII": four('{"k":"award","q":1,SALT,"é":"a"}'),
    "a lone surrogate": four('{"k":"\ud800","q":1,SALT}'),
    "an escaped lone surrogate": four('{"k":"\\ud800","q":1,SALT}'),
    "another spelling of a letter": four('{"k":"\\u0061ward","q":1,SALT}'),
    "bytes that are not UTF-8": four().replace(b"award", b"\xff"),
    "no salt": four('{"k":"award","q":1}'),
    "no salt in the result": four('{"k":"award","q":1,SALT}', '{"a":"b"}'),
    "a salt of another name": four('{"k":"award","q":1,"S":"' + "0" * 32 + '"}'),
    "a salt in capitals": four('{"k":"award","q":1,"s":"' + "0123456789ABCDEF" * 2 + '"}'),
    "a salt of 31 digits": four('{"k":"award","q":1,"s":"' + "0" * 31 + '"}'),
    "a salt of 33 digits": four('{"k":"award","q":1,"s":"' + "0" * 33 + '"}'),
    "salts of 31 and 33 digits": four(
        '{"k":"award","q":1,"s":"' + "0" * 31 + '"}', '{"s":"' + "0" * 33 + '"}'
    ),
    "a salt with blanks": four('{"k":"award","q":1,"s":"' + "00 " * 10 + "00" + '"}'),
    "a salt that is no digits": four('{"k":"award","q":1,"s":"' + "g" * 32 + '"}'),
    "a salt that is an integer": four('{"k":"award","q":1,"s":12345678}'),
    "salts that are integers": four(*['{"s":1}'] * 4),
    "a salt of other digits": four('{"k":"award","q":1,"s":"' + "\u0661" * 32 + '"}'),
    "nested a hundred thousand deep": four('{"k":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "nested 1000 deep": four('{"k":' + "[" * 1000 + "]" * 1000 + ",SALT}"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_bytes_that_are_no_opening_are_refused_everywhere(name):
    opening = MALFORMED[name]
    for read in (
        commitments.read_opening,
        commitments.split,
        commitments.commitment,
        lambda data: commitments.disclose(data, PARTS),
        lambda data: leaves_of(STREAM, 0, [data]),
    ):
        with pytest.raises(NotCanonical):
            read(opening)


def test_the_plain_opening_of_these_tests_is_one():
    leaves_of(STREAM, 0, [four()])


def by_parts(opening: bytes) -> bytes:
    """Reading an opening one part at a time, by the slow and simple way."""
    pieces = opening.split(b"\t")
    if len(pieces) != 4:
        raise NotCanonical("not four parts")
    for piece in pieces:
        part = canonical.decode(piece)
        if not isinstance(part, dict):
            raise NotCanonical("not an object")
        if any(type(value) not in (str, int) for value in part.values()):
            raise NotCanonical("not flat")
        salt = part.get("s")
        if not isinstance(salt, str) or len(salt) != 32 or set(salt) - set("0123456789abcdef"):
            raise NotCanonical("no salt")
    return commitments.commit(
        [commitments.part_digest(name, piece) for name, piece in zip(PARTS, pieces, strict=True)]
    )


@settings(max_examples=600, deadline=None)
@given(
    PART,
    SALTS,
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(list(b'{}[]":,\t\\ 0159aesu.\xc3'))),
        max_size=3,
    ),
)
@example({}, bytes(64), [])
def test_the_quick_reader_accepts_exactly_what_the_simple_one_accepts(part, salts, changes):
    data = bytearray(
        commitments.join(
            core={"k": "award", "q": 1}, result=part, reference=part, holder={}, salts=salts
        )
    )
    for at, byte in changes:
        data[at % len(data)] = byte
    opening = bytes(data)
    try:
        expected = by_parts(opening)
    except NotCanonical:
        with pytest.raises(NotCanonical):
            commitments.read_opening(opening)
    else:
        assert commitments.read_opening(opening)[0] == expected


def test_an_opening_of_a_known_shape_is_read_as_strictly_as_the_first_of_its_shape():
    good = four('{"k":"award","q":1,SALT,"t":"x"}')
    commitments.read_opening(good)
    for wrong in (b"true", b"null", b"1.5", b"[]", b"{}", b"9007199254740992"):
        with pytest.raises(NotCanonical):
            commitments.read_opening(good.replace(b'"x"', wrong))
    commitments.read_opening(good.replace(b'"x"', b"9007199254740991"))


def test_many_different_parts_do_not_fill_the_memory():
    for number in range(5000):
        commitments.read_opening(four(f'{{"k":"award","q":1,SALT,"t{number}":"x"}}'))
    assert max(map(len, commitments._read)) <= commitments._READ_MAX


def test_what_was_read_once_is_read_the_same_again_whatever_the_salt():
    for salts in (bytes(64), bytes(range(64))):
        opening = commitments.join(
            core={"k": "award", "q": 300, "title": "数据结构"},
            result={"score": "86"},
            reference={"u": "x|y|/1"},
            holder={"a": "0"},
            salts=salts,
        )
        _, *read = commitments.read_opening(opening)
        assert read == [
            {"k": "award", "q": 300, "title": "数据结构"},
            {"score": "86"},
            {"u": "x|y|/1"},
            {"a": "0"},
        ]


@pytest.mark.parametrize("name", ['a\\"s', 't\\"s', '\\"s'])
def test_a_member_whose_name_ends_like_the_salts_is_not_taken_for_it(name):
    """Were the bytes after the first marker taken for the salt, two texts would be read as one."""
    digits = "0123456789abcdef" * 2
    for text in (digits, digits[::-1], "x"):
        members = sorted([f'"{name}":"{text}"', SALT, '"q":1', '"k":"award"'])
        opening = four("{" + ",".join(members) + "}")
        _, core, *_ = commitments.read_opening(opening)
        assert core == {name.replace("\\", ""): text, "q": 1, "k": "award"}
        assert commitments.read_opening(opening)[0] == by_parts(opening)


@pytest.mark.parametrize("salt", ["0123456789ABCDEF" * 2, "0123456789abcde " * 2, "g" * 32])
def test_a_salt_that_is_no_lower_case_hexadecimal_is_refused_in_a_known_part_too(salt):
    commitments.read_opening(four())
    for at in range(4):
        parts = four().split(b"\t")
        parts[at] = parts[at].replace(b"0123456789abcdef" * 2, salt.encode())
        with pytest.raises(NotCanonical):
            commitments.read_opening(b"\t".join(parts))


# -- leaves -----------------------------------------------------------------------------------------
@settings(max_examples=200, deadline=None)
@given(
    st.binary(min_size=32, max_size=32),
    st.sampled_from([STREAM, "a", "bank.example/own", "x-1.example/2026_b/c"]),
    st.sampled_from(["award", "award-reverse", "genesis"]),
    st.integers(0, canonical.INTEGER_MAX),
    st.integers(-(2**31), 2**31),
    st.none() | st.binary(min_size=32, max_size=32),
)
def test_a_leaf_written_by_hand_is_its_canonical_encoding(
    commitment, stream, kind, seq, quantity, acts_on
):
    data = commitments.leaf(
        commitment=commitment,
        stream=stream,
        kind=kind,
        seq=seq,
        quantity=quantity,
        acts_on=acts_on,
    )
    members = {
        "c": base64.b64encode(commitment).decode(),
        "i": stream,
        "k": kind,
        "n": seq,
        "q": quantity,
        "v": 1,
    }
    if acts_on is not None:
        members["r"] = base64.b64encode(acts_on).decode()
    assert data == canonical.encode(members)
    assert commitments.parse_leaf(data) == commitments.Leaf(
        commitment=commitment,
        stream=stream,
        kind=kind,
        seq=seq,
        quantity=quantity,
        acts_on=acts_on,
    )


def leaf_of(**changes: object) -> bytes:
    return commitments.leaf(
        **{
            "commitment": HASH,
            "stream": STREAM,
            "kind": "award",
            "seq": 7,
            "quantity": 300,
            **changes,
        }
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"commitment": HASH[:-1]},
        {"acts_on": HASH + b"\0"},
        {"acts_on": b""},
        {"stream": ""},
        {"stream": 'a"b'},
        {"stream": "a\\b"},
        {"stream": "a b"},
        {"stream": "a+b"},
        {"stream": "A"},
        {"stream": "a//b"},
        {"stream": "/a"},
        {"stream": "a/"},
        {"stream": "../a"},
        {"stream": "长"},
        {"stream": "a" * 129},
        {"stream": "a\n"},
        {"kind": ""},
        {"kind": "Award"},
        {"kind": 'a","q":1'},
        {"kind": "award-"},
        {"kind": "award\n"},
        {"seq": -1},
        {"seq": 2**53},
        {"quantity": 2**53},
        {"quantity": -(2**53)},
    ],
    ids=repr,
)
def test_what_no_leaf_can_say_is_not_written(changes):
    with pytest.raises(NotCanonical):
        leaf_of(**changes)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda data: b"",
        lambda data: data + b" ",
        lambda data: data.replace(b'"n":7', b'"n": 7'),
        lambda data: data.replace(b'"n":7', b'"n":7,"n":8'),
        lambda data: data.replace(b'"n":7', b'"n":"7"'),
        lambda data: data.replace(b'"n":7', b'"n":-7'),
        lambda data: data.replace(b'"n":7', b'"n":7.0'),
        lambda data: data.replace(b'"n":7', b'"n":true'),
        lambda data: data.replace(b'"n":7', b'"n":9007199254740992'),
        lambda data: data.replace(b'"n":7,', b""),
        lambda data: data.replace(b'"q":300', b'"q":null'),
        lambda data: data.replace(b'"v":1', b'"v":2'),
        lambda data: data.replace(b'"v":1', b'"v":true'),
        lambda data: data.replace(b'"v":1', b'"v":1,"w":1'),
        lambda data: data.replace(b'"v":1', b'"r":null,"v":1'),
        lambda data: data.replace(b'"v":1', b'"r":"","v":1'),
        lambda data: data.replace(b'"i":"edu', b'"i":"Edu'),
        lambda data: data.replace(b'"k":"award"', b'"k":["award"]'),
        lambda data: data.replace(b'"k":"award"', b'"k":"aw ard"'),
        lambda data: data.replace(b'="', b'"'),
        lambda data: b"[" + data + b"]",
        lambda data: b"null",
        lambda data: b"[" * 100_000,
        lambda data: b"\xff" + data,
    ],
)
def test_bytes_that_are_no_leaf_are_refused(mangle):
    data = leaf_of()
    commitments.parse_leaf(data)
    assert mangle(data) != data
    with pytest.raises(NotCanonical):
        commitments.parse_leaf(mangle(data))


# -- from openings to leaves ------------------------------------------------------------------------
def test_leaves_are_derived_from_openings_one_after_the_other(an_opening):
    openings = [
        an_opening(1),
        an_opening(2, quantity=0),
        an_opening(3, kind="award-reverse", quantity=-300, leaf=HASH_TEXT),
    ]
    derived = leaves_of(STREAM, 41, openings)
    assert len(derived) == 3
    for at, (data, leaf_hash) in enumerate(derived):
        core = orjson.loads(openings[at].split(b"\t")[0])
        assert leaf_hash == merkle.leaf_hash(data)
        assert data == commitments.leaf(
            commitment=commitments.commitment(openings[at]),
            stream=STREAM,
            kind=core["k"],
            seq=41 + at,
            quantity=core["q"],
            acts_on=HASH if at == 2 else None,
        )
        assert canonical.encode(canonical.decode(data)) == data


def test_no_openings_give_no_leaves():
    assert leaves_of(STREAM, 0, []) == []


@pytest.mark.parametrize("name", MALFORMED)
def test_the_first_opening_refused_is_named_by_its_position(name, an_opening):
    openings = [an_opening(1), an_opening(2), MALFORMED[name], an_opening(4), b""]
    with pytest.raises(NotCanonical) as caught:
        leaves_of(STREAM, 100, openings)
    assert caught.value.position == 2


@pytest.mark.parametrize(
    "core",
    [
        '{"q":1,SALT}',
        '{"k":"award",SALT}',
        '{"k":1,"q":1,SALT}',
        '{"k":"award","q":"1",SALT}',
        '{"k":"","q":1,SALT}',
        '{"k":"Award","q":1,SALT}',
        '{"k":"奖","q":1,SALT}',
        '{"k":"a\\",\\"q\\":9,\\"x\\":\\"b","q":1,SALT}',
    ],
)
def test_an_opening_that_names_no_kind_or_quantity_gives_no_leaf(core, an_opening):
    with pytest.raises(NotCanonical) as caught:
        leaves_of(STREAM, 0, [an_opening(1), four(core)])
    assert caught.value.position == 1


@pytest.mark.parametrize(
    "leaf",
    ['""', '"x"', "1", '"' + HASH_TEXT[:-1] + '"', '"a\\",\\"v\\":1}"', '"' + HASH_TEXT + '="'],
)
def test_an_opening_that_acts_on_no_leaf_hash_gives_no_leaf(leaf):
    opening = four('{"k":"award-reverse","q":-1,SALT}', "{SALT}", f'{{"leaf":{leaf},SALT}}')
    with pytest.raises(NotCanonical) as caught:
        leaves_of(STREAM, 0, [opening])
    assert caught.value.position == 0


@pytest.mark.parametrize(
    ("stream", "first"), [("", 0), ('a"b', 0), ("A", 0), (STREAM, -1), (STREAM, 2**53 - 1)]
)
def test_a_stream_or_a_number_that_cannot_be_gives_no_leaves(stream, first, an_opening):
    with pytest.raises(NotCanonical):
        leaves_of(stream, first, [an_opening(1)])


# -- disclosure -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "shown", [(), ("core",), ("core", "result"), ("holder",), ("reference", "core"), PARTS]
)
def test_a_disclosure_shows_the_parts_chosen_and_commits_to_all(shown, an_opening):
    opening = an_opening(1)
    disclosure = commitments.disclose(opening, shown)
    assert disclosure.commitment() == commitments.commitment(opening)
    read = Disclosure.from_json(canonical.decode(canonical.encode(disclosure.to_json())))
    assert read == disclosure
    pieces = dict(zip(PARTS, opening.split(b"\t"), strict=True))
    written = canonical.encode(read.to_json())
    for name in PARTS:
        if name in shown:
            assert read.part(name) == orjson.loads(pieces[name])
        else:
            assert read.part(name) is None
            assert orjson.loads(pieces[name])["s"].encode() not in written
            assert orjson.loads(pieces[name]).get("grade", "\0").encode() not in written


def test_no_changed_part_or_digest_commits_to_the_same(an_opening):
    disclosure = commitments.disclose(an_opening(1), ("core", "holder"))
    good = disclosure.to_json()
    for changed in (
        {**good, "core": {"text": good["core"]["text"].replace("300", "900")}},
        {**good, "core": {"text": good["holder"]["text"]}},
        {**good, "result": {"digest": good["reference"]["digest"]}},
        {**good, "holder": {"digest": HASH_TEXT}},
    ):
        assert Disclosure.from_json(changed).commitment() != disclosure.commitment()


@pytest.mark.parametrize(
    "change",
    [
        lambda good: None,
        lambda good: [],
        lambda good: {},
        lambda good: {name: good[name] for name in PARTS[:3]},
        lambda good: {**good, "other": {"digest": HASH_TEXT}},
        lambda good: {**good, "core": {}},
        lambda good: {**good, "core": None},
        lambda good: {**good, "core": good["core"]["text"]},
        lambda good: {**good, "core": {**good["core"], "digest": HASH_TEXT}},
        lambda good: {**good, "core": {"text": 1}},
        lambda good: {**good, "core": {"text": ""}},
        lambda good: {**good, "core": {"text": "{}"}},
        lambda good: {**good, "core": {"text": good["core"]["text"] + " "}},
        lambda good: {**good, "core": {"text": "\ud800"}},
        lambda good: {**good, "core": {"text": "[" * 5000}},
        lambda good: {**good, "core": {"text": f'{{"a":true,{SALT}}}'}},
        lambda good: {**good, "core": {"text": f'{{"a":[],{SALT}}}'}},
        lambda good: {**good, "core": {"text": '{"s":"' + "g" * 32 + '"}'}},
        lambda good: {**good, "core": {"text": '{"s":"' + "A" * 32 + '"}'}},
        lambda good: {**good, "result": {"digest": ""}},
        lambda good: {**good, "result": {"digest": None}},
        lambda good: {**good, "result": {"digest": HASH_TEXT[:-4]}},
        lambda good: {**good, "result": {"digest": HASH_TEXT + "\n"}},
        lambda good: {**good, "result": {"digest": [HASH_TEXT]}},
        lambda good: {**good, "result": {"hash": HASH_TEXT}},
    ],
)
def test_what_is_no_disclosure_is_refused(change, an_opening):
    good = commitments.disclose(an_opening(1), ("core",)).to_json()
    Disclosure.from_json(good)
    with pytest.raises(NotCanonical):
        Disclosure.from_json(change(good))


def test_a_part_that_does_not_exist_cannot_be_shown(an_opening):
    with pytest.raises(KeyError):
        commitments.disclose(an_opening(1), ("core", "name"))


def test_two_people_with_the_same_result_have_unrelated_digests():
    """The salt: a short part cannot be guessed from its digest."""
    parts = {
        "core": {"k": "award", "q": 1},
        "result": {"score": "86"},
        "reference": {},
        "holder": {},
    }
    first, second = (commitments.disclose(commitments.join(**parts), ()) for _ in range(2))
    assert not set(first.digests) & set(second.digests)
