"""A passkey device in software, as a browser would speak for one: WebAuthn level 2, ES256, no attestation."""

import hashlib
import json
import secrets
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Passkey:
    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(32)
        self._user_handle = b""
        self._uses = 0

    def register(self, options: dict[str, Any]) -> str:
        """The JSON of `navigator.credentials.create(options)`."""
        public = options["publicKey"]
        self._user_handle = websafe_decode(public["user"]["id"])
        client_data = self._client_data("webauthn.create", public["challenge"])
        key = cbor.encode(dict(ES256.from_cryptography_key(self._private.public_key())))
        attested = bytes(16) + struct.pack(">H", len(self._id)) + self._id + key
        authenticator = self._authenticator(public["rp"]["id"], USER_PRESENT | USER_VERIFIED | ATTESTED) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": authenticator})
        return self._credential(
            {"clientDataJSON": websafe_encode(client_data), "attestationObject": websafe_encode(attestation)}
        )

    def sign_in(self, options: dict[str, Any]) -> str:
        """The JSON of `navigator.credentials.get(options)`."""
        public = options["publicKey"]
        client_data = self._client_data("webauthn.get", public["challenge"])
        self._uses += 1
        authenticator = self._authenticator(public["rpId"], USER_PRESENT | USER_VERIFIED)
        signed = authenticator + hashlib.sha256(client_data).digest()
        return self._credential(
            {
                "clientDataJSON": websafe_encode(client_data),
                "authenticatorData": websafe_encode(authenticator),
                "signature": websafe_encode(self._private.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": websafe_encode(self._user_handle),
            }
        )

    def _authenticator(self, relying_party: str, flags: int) -> bytes:
        return hashlib.sha256(relying_party.encode()).digest() + struct.pack(">BI", flags, self._uses)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self._origin}).encode()

    def _credential(self, response: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self._id),
                "rawId": websafe_encode(self._id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )
