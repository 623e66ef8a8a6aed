"""The check of CMS signed attributes before they are signed (RFC 5652 section 5.3, RFC 5035).

The signer signs no bytes it does not understand: what it is given must be the
attributes of a signature over a SHA-256 digest of plain data, made with the
bank's own certificate, and nothing else.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from creditbank.signer.errors import RequestRefused

ATTRIBUTES_MAX: Final = 4096

_SET: Final = 0x31
_SEQUENCE: Final = 0x30
_OID: Final = 0x06
_OCTETS: Final = 0x04

# Object identifiers as their DER content bytes.
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")  # 1.2.840.113549.1.9.3
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")  # 1.2.840.113549.1.9.4
_SIGNING_TIME: Final = bytes.fromhex("2a864886f70d010905")  # 1.2.840.113549.1.9.5
_ALGORITHM_PROTECTION: Final = bytes.fromhex("2a864886f70d010934")  # 1.2.840.113549.1.9.52
_SIGNING_CERTIFICATE: Final = bytes.fromhex("2a864886f70d010910022f")  # 1.2.840.113549.1.9.16.2.47
_DATA: Final = bytes.fromhex("2a864886f70d010701")  # 1.2.840.113549.1.7.1
_SHA256: Final = bytes.fromhex("608648016503040201")  # 2.16.840.1.101.3.4.2.1

_REQUIRED: Final = frozenset({_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_CERTIFICATE})
_ALLOWED: Final = _REQUIRED | {_SIGNING_TIME, _ALGORITHM_PROTECTION}


class _Malformed(ValueError):
    """The bytes are not the DER that was expected."""


def _read(data: bytes, position: int) -> tuple[int, bytes, int]:
    """Read one DER value: its tag, its content, and where the next begins (X.690 section 8)."""
    if len(data) < position + 2:
        raise _Malformed("cut short")
    tag, length = data[position], data[position + 1]
    position += 2
    if tag & 0x1F == 0x1F:
        raise _Malformed("a tag of more than one byte")
    if length >= 0x80:
        count = length - 0x80
        encoded = data[position : position + count]
        # DER: definite, the shortest form; more than two bytes is longer than we take.
        if not 1 <= count <= 2 or len(encoded) != count or encoded[0] == 0:
            raise _Malformed("a length that DER forbids")
        length = int.from_bytes(encoded, "big")
        if length < 0x80:
            raise _Malformed("a length that DER forbids")
        position += count
    end = position + length
    if end > len(data):
        raise _Malformed("cut short")
    return tag, data[position:end], end


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        tag, content, position = _read(data, position)
        yield tag, content


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of the one value that the bytes hold, of the given tag."""
    found = list(_values(data))
    if len(found) != 1 or found[0][0] != tag:
        raise _Malformed(f"expected exactly one value of tag {tag:#04x}")
    return found[0][1]


def _attributes(data: bytes) -> dict[bytes, bytes]:
    """Split SET OF Attribute into type and content of its SET OF values."""
    found: dict[bytes, bytes] = {}
    content = _only(data, _SET)
    encoded: list[bytes] = []
    position = 0
    while position < len(content):
        tag, attribute, end = _read(content, position)
        encoded.append(content[position:end])
        position = end
        members = list(_values(attribute))
        if tag != _SEQUENCE or [member[0] for member in members] != [_OID, _SET]:
            raise _Malformed("not an attribute")
        kind, values = members[0][1], members[1][1]
        if kind in found:
            raise _Malformed("the same attribute twice")
        found[kind] = values
    # X.690 section 11.6: the components of a set-of are in ascending order. Another
    # order would be signed in one form and checked in another.
    if encoded != sorted(encoded):
        raise _Malformed("the attributes are not in DER order")
    return found


def _certificate_digest(values: bytes) -> bytes:
    """Return the digest of the first certificate that SigningCertificateV2 names (RFC 5035)."""
    members = list(_values(_only(values, _SEQUENCE)))
    if not members or members[0][0] != _SEQUENCE:
        raise _Malformed("no certificate is named")
    certificates = list(_values(members[0][1]))
    if len(certificates) != 1 or certificates[0][0] != _SEQUENCE:
        raise _Malformed("expected exactly one certificate to be named")
    parts = list(_values(certificates[0][1]))
    if parts and parts[0][0] == _SEQUENCE:
        algorithm = list(_values(parts[0][1]))
        if not algorithm or algorithm[0] != (_OID, _SHA256):
            raise _Malformed("the certificate is not named by its SHA-256")
        parts = parts[1:]
    if not parts or parts[0][0] != _OCTETS:
        raise _Malformed("no certificate digest")
    return parts[0][1]


def check_signed_attributes(data: bytes, *, certificate: bytes) -> None:
    """Refuse anything but the signed attributes of a PAdES signature made with `certificate` (DER).

    Raises RequestRefused with code `attributes-refused`.
    """
    try:
        found = _attributes(data)
        if _REQUIRED - found.keys():
            raise _Malformed("content type, message digest and signing certificate are required")
        if found.keys() - _ALLOWED:
            raise _Malformed("an attribute that is not known here")
        if _only(found[_CONTENT_TYPE], _OID) != _DATA:
            raise _Malformed("the content type is not data")
        if len(_only(found[_MESSAGE_DIGEST], _OCTETS)) != sha256().digest_size:
            raise _Malformed("the message digest is not a SHA-256")
        if not hmac.compare_digest(
            _certificate_digest(found[_SIGNING_CERTIFICATE]), sha256(certificate).digest()
        ):
            raise _Malformed("another certificate is named")
    except _Malformed as error:
        raise RequestRefused("attributes-refused", str(error)) from None
