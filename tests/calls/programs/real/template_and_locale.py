# SPDX-License-Identifier: Apache-2.0
"""gettext-free text work: codecs, unicodedata, string translation, ipaddress, uuid from names."""

import codecs
import ipaddress
import unicodedata
import uuid

print(codecs.encode("häuser", "idna"), codecs.decode("uryyb", "rot13"), codecs.encode("a", "punycode"))
print("".join(c for c in unicodedata.normalize("NFD", "Äöü") if not unicodedata.combining(c)))
network = ipaddress.ip_network("10.0.0.0/24")
print(len(list(network.subnets(new_prefix=28))), ipaddress.ip_address("::1").is_loopback)
print(*ipaddress.collapse_addresses([ipaddress.ip_network(f"10.0.{i}.0/24") for i in range(4)]))
print(uuid.uuid5(uuid.NAMESPACE_DNS, "name.example"))
