"""Signed notes (C2SP signed-note): format, keys, verification."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.proofs import notes, signatures
from creditbank.proofs.notes import NoteKey, NoteMalformed, NoteSigner, SignatureLine, SignedNote
from creditbank.proofs.signatures import KeyInvalid, SignatureInvalid

DASH = "\u2014 "


@pytest.fixture(scope="module")
def cases(vectors):
    return vectors("signed-note/vectors.json")


@pytest.fixture
def signer(seeded_signer):
    return NoteSigner("bank.example/log", notes.ED25519, seeded_signer("Ed25519", 1))


@pytest.fixture
def note(signer):
    return notes.sign_note("一条\n\n记录\n", signer)


# -- vectors -------------------------------------------------------------------------------------
def test_the_notes_of_other_programs_verify_under_their_keys(cases):
    for case in cases:
        data = (case["text"] + "\n" + "".join(case["signatures"])).encode()
        signed = SignedNote.parse(data)
        assert signed.text == case["text"]
        assert signed.encode() == data
        keys = [NoteKey.parse_vkey(vkey) for vkey in case["vkeys"]]
        assert [key.vkey for key in keys] == case["vkeys"]
        assert notes.verify_note(signed, keys, required=len(keys)) == tuple(keys)
        for key in keys:
            assert notes.verify_note(signed, [key]) == (key,)


def test_signing_gives_the_very_line_that_another_program_gives(cases):
    for case in cases:
        if "seed" not in case:
            continue
        kind, *seed = base64.b64decode(case["seed"])
        name = case["vkeys"][0].partition("+")[0]
        signed = notes.sign_note(
            case["text"], NoteSigner(name, kind, signatures.signer("Ed25519", bytes(seed)))
        )
        assert "".join(line.encode() for line in signed.lines) == case["signatures"][0]


def test_a_changed_text_is_refused_under_the_keys_of_other_programs(cases):
    for case in cases:
        data = (case["text"] + "\n" + "".join(case["signatures"])).encode()
        keys = [NoteKey.parse_vkey(vkey) for vkey in case["vkeys"]]
        wrong = SignedNote.parse(data.replace(b"is", b"IS", 1))
        with pytest.raises(SignatureInvalid):
            notes.verify_note(wrong, keys)


# -- verifier keys -------------------------------------------------------------------------------
def test_a_verifier_key_mangled_in_any_way_is_refused(cases):
    vkey = cases[1]["vkeys"][0]
    for start in range(len(vkey)):
        for end in range(start, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(KeyInvalid):
                    NoteKey.parse_vkey(vkey[start:end])
    for at in range(len(vkey)):
        with pytest.raises(KeyInvalid):
            NoteKey.parse_vkey(vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :])


@pytest.mark.parametrize(
    "vkey",
    [
        # A key of a wrong length and one of an unknown type, each with the id it would have.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "",
        "+",
        "++",
        "a+00000000+",
        "\u3000+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_verifier_key_that_cannot_be_is_refused(vkey):
    with pytest.raises(KeyInvalid):
        NoteKey.parse_vkey(vkey)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\nb", "a\x00b", "a\u2028b"]
)
def test_a_name_that_no_key_can_have_is_refused(name, seeded_signer):
    signer = seeded_signer("Ed25519", 1)
    with pytest.raises(KeyInvalid):
        NoteKey(name, notes.ED25519, signatures.verifier("Ed25519", signer.public))
    with pytest.raises(NoteMalformed):
        SignatureLine(name, b"abcd", b"x")


def test_a_key_of_a_type_that_is_not_its_algorithms_is_refused(seeded_signer):
    ed, ml = seeded_signer("Ed25519", 1), seeded_signer("ML-DSA-44", 1)
    for kind, signer in (
        (notes.ED25519, ml),
        (notes.COSIGNATURE, ml),
        (notes.ML_DSA_COSIGNATURE, ed),
        (0x02, ed),
        (0xFF, ed),
        (0, ed),
    ):
        with pytest.raises(KeyInvalid):
            NoteKey("a", kind, signatures.verifier(signer.algorithm, signer.public))


# -- format ----------------------------------------------------------------------------------------
def test_a_note_is_its_text_a_blank_line_and_its_signature_lines(note, signer):
    line = note.lines[0]
    blob = base64.b64encode(line.key_id + line.signature).decode()
    assert note.encode() == f"一条\n\n记录\n\n{DASH}bank.example/log {blob}\n".encode()
    assert SignedNote.parse(note.encode()) == note
    assert notes.verify_note(note, [signer.key()])[0].name == "bank.example/log"


def test_a_text_may_hold_what_looks_like_signature_lines(signer):
    text = f"a\n\n{DASH}bank.example/log AAAAAAA=\n"
    signed = SignedNote.parse(notes.sign_note(text, signer).encode())
    assert signed.text == text
    notes.verify_note(signed, [signer.key()])


@pytest.mark.parametrize(
    "mangle",
    [
        lambda data: data[:-1],
        lambda data: data + b"trailing",
        lambda data: data + b"\n",
        lambda data: data + b"not a line\n",
        lambda data: data + b" ",
        lambda data: data.replace(b"\n\n\xe2", b"\n\xe2"),
        lambda data: b"\x01" + data,
        lambda data: b"a\tb" + data,
        lambda data: b"a\rb" + data,
        lambda data: b"\x00" + data,
        lambda data: b"\x1f" + data,
        lambda data: b"\xff" + data,
        lambda data: b"\xed\xa0\x80" + data,
        lambda data: data.replace("\u2014".encode(), b"-"),
        lambda data: data.replace("\u2014 ".encode(), "\u2014".encode()),
        lambda data: data.replace(b"bank.example/log ", b"bank.example/log"),
        lambda data: data.replace(b"bank.example/log ", b"bank.example/log  "),
        lambda data: data.replace(b"bank.example/log", b"bank example/log"),
        lambda data: data.replace(b"bank.example/log", b"bank+example/log"),
        lambda data: data.replace(b"bank.example/log ", b" "),
        lambda data: data[:-3] + b"\n",
        lambda data: data[:-1] + b"=\n",
        lambda data: data[:-1] + b" AAAA\n",
        lambda data: data[: data.rindex(b" ")] + b" AAAAAA==\n",
        lambda data: data[: data.rindex(b" ")] + b" \n",
        lambda data: data[: data.index(b"\n\n\xe2") + 2],
        lambda data: data[: data.index(b"\n\n\xe2") + 1],
        lambda data: b"",
        lambda data: b"\n",
        lambda data: b"\n\n",
        lambda data: b"a" * (notes.NOTE_MAX + 1) + data,
    ],
)
def test_bytes_that_are_no_note_are_refused(note, mangle):
    data = note.encode()
    assert mangle(data) != data
    with pytest.raises(NoteMalformed):
        SignedNote.parse(mangle(data))


def test_a_note_has_one_to_sixteen_signature_lines(note):
    sixteen = SignedNote(note.text, note.lines * 16)
    assert SignedNote.parse(sixteen.encode()) == sixteen
    with pytest.raises(NoteMalformed):
        SignedNote.parse(sixteen.encode() + note.lines[0].encode().encode())
    for count in (0, 17):
        with pytest.raises(NoteMalformed):
            SignedNote(note.text, note.lines * count)


def test_base64_has_one_spelling():
    assert notes.unb64("AAA=") == b"\0\0"
    for text in ("AAB=", "AAA", "AAA==", "AA A=", "AAA=\n", "-_-_", "AAA=AAAA", "\u00e9AAA", "A"):
        with pytest.raises(NoteMalformed):
            notes.unb64(text)


@pytest.mark.parametrize("text", ["", "a", "a\nb", "a\tb\n", "a\x00\n", "\ud800\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text, signer):
    with pytest.raises(NoteMalformed):
        notes.sign_note(text, signer)


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)])
        | st.just("\n"),
        max_size=60,
    ),
    st.binary(min_size=1, max_size=80),
)
def test_any_note_is_read_back_as_written(text, signature):
    note = SignedNote(text + "\n", (SignatureLine("a.example/b", b"abcd", signature),))
    assert SignedNote.parse(note.encode()) == note


# -- verification ----------------------------------------------------------------------------------
def test_lines_of_unknown_keys_are_passed_over(note, signer, seeded_signer):
    stranger = NoteSigner("bank.example/log", notes.ED25519, seeded_signer("Ed25519", 9))
    both = SignedNote(note.text, notes.sign_note(note.text, stranger).lines + note.lines)
    assert [key.vkey for key in notes.verify_note(both, [signer.key()])] == [signer.key().vkey]
    with pytest.raises(SignatureInvalid):
        notes.verify_note(both, [])
    with pytest.raises(SignatureInvalid):
        notes.verify_note(both, [signer.key()], required=2)


def test_a_line_of_a_known_key_that_does_not_verify_spoils_the_note(note, signer):
    line = note.lines[0]
    bad = SignatureLine(line.name, line.key_id, bytes(64))
    for lines in ((bad,), (bad, line), (line, bad)):
        with pytest.raises(SignatureInvalid):
            notes.verify_note(SignedNote(note.text, lines), [signer.key()])


def test_one_key_that_signs_twice_counts_once(note, signer):
    twice = SignedNote(note.text, note.lines * 2)
    notes.verify_note(twice, [signer.key()])
    with pytest.raises(SignatureInvalid):
        notes.verify_note(twice, [signer.key()], required=2)


def test_a_line_under_another_name_is_a_strangers(note, signer):
    line = note.lines[0]
    for wrong in (
        SignatureLine("other.example/log", line.key_id, line.signature),
        SignatureLine(line.name, b"\0\0\0\0", line.signature),
    ):
        with pytest.raises(SignatureInvalid):
            notes.verify_note(SignedNote(note.text, (wrong,)), [signer.key()])


def test_a_cosignature_key_signs_no_plain_note(signer, seeded_signer):
    for kind, algorithm in (
        (notes.COSIGNATURE, "Ed25519"),
        (notes.ML_DSA_COSIGNATURE, "ML-DSA-44"),
    ):
        with pytest.raises(KeyInvalid):
            notes.sign_note("a\n", NoteSigner("a", kind, seeded_signer(algorithm, 1)))


def test_a_cosignature_under_a_text_that_is_no_checkpoint_is_refused(seeded_signer):
    key = NoteSigner("w", notes.COSIGNATURE, seeded_signer("Ed25519", 2))
    checkpoint = notes.Checkpoint("bank.example/log", 3, bytes(32))
    line = notes.cosign(checkpoint, name="w", signer=key.signer, timestamp=5)
    notes.verify_note(SignedNote(checkpoint.text(), (line,)), [key.key()])
    with pytest.raises(SignatureInvalid):
        notes.verify_note(SignedNote("other text\n", (line,)), [key.key()])
