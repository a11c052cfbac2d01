#!/usr/bin/env python3
"""Writes Tests/Fixtures/host: a SEV-SNP report that says all the right things, signed by a chain that bears AMD's names
and not AMD's keys (needs pip's cryptography). `martlet host` must refuse it."""
import datetime, os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID, ObjectIdentifier

out = os.path.dirname(os.path.abspath(__file__)) + "/../Tests/Fixtures/host/"
os.makedirs(out, exist_ok=True)
start, end = datetime.datetime(2024, 1, 1), datetime.datetime(2049, 1, 1)
pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Advanced Micro Devices"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(subject, key, issuer, issuer_key, extensions=()):
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key).serial_number(1)
    builder = builder.not_valid_before(start).not_valid_after(end)
    for oid, value in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(oid), value), critical=False)
    return builder.sign(issuer_key, hashes.SHA384(), rsa_padding=pss)


def integer(value):
    return bytes([2, 2, 0, value]) if value > 127 else bytes([2, 1, value])


report = bytearray(1184)
report[0], report[0x34] = 3, 1
report[0x188:0x18b] = bytes([0x19, 1, 1])
for offset in (0x38, 0x180, 0x1e0, 0x1f0):
    report[offset:offset + 8] = bytes([4, 0, 0, 0, 0, 0, 24, 0xdb])
report[0x1e8:0x1eb] = bytes([29, 55, 1])
chip = bytes(range(64))
report[0x1a0:0x1e0] = chip
ark, ask, vcek = (rsa.generate_private_key(65537, 4096), rsa.generate_private_key(65537, 4096),
                  ec.generate_private_key(ec.SECP384R1()))
r, s = decode_dss_signature(vcek.sign(bytes(report[:0x2a0]), ec.ECDSA(hashes.SHA384())))
report[0x2a0:0x2e8] = r.to_bytes(72, "little")
report[0x2e8:0x330] = s.to_bytes(72, "little")
amd = "1.3.6.1.4.1.3704.1."
extensions = [(amd + "2", b"\x16\x08Milan-B0"), (amd + "3.1", integer(4)), (amd + "3.2", integer(0)), (amd + "3.3", integer(24)),
              (amd + "3.8", integer(0xdb)), (amd + "4", chip)]
chain = [certificate("SEV-VCEK", vcek.public_key(), "SEV-Milan", ask, extensions),
         certificate("SEV-Milan", ask.public_key(), "ARK-Milan", ark),
         certificate("ARK-Milan", ark.public_key(), "ARK-Milan", ark)]
open(out + "foreign.report", "wb").write(report)
open(out + "foreign.pem", "wb").write(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))
