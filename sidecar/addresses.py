"""Which network addresses a fetch on a client's behalf may connect to. Pure.

Sources: the IANA special-purpose address registries (RFC 6890) as Python's `ipaddress` knows them,
and the forms that carry an IPv4 address inside an IPv6 one (RFC 4291, 3056, 4380, 6052, 8215).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Said here too where Python's own tables differ by version, or call it global.
_REFUSED_4 = (
    IPv4Network("100.64.0.0/10"),  # shared by carriers
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
)
_NAT64 = IPv6Network("64:ff9b::/96")
_REFUSED_6 = (
    IPv6Network("::/96"),  # IPv4-compatible, and :: and ::1
    IPv6Network("64:ff9b:1::/48"),  # local-use NAT64
    IPv6Network("2001::/23"),  # protocol assignments, Teredo and ORCHID among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
    IPv6Network("5f00::/16"),  # segment routing (RFC 9602)
    IPv6Network("fec0::/10"),  # site-local
)


def is_public(text: str) -> bool:
    """Whether a literal address belongs to the public internet; False for anything unclear."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        return _is_public_6(address)
    return _is_public_4(address)


def _is_public_4(address: IPv4Address) -> bool:
    if any(address in network for network in _REFUSED_4):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _is_public_6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _is_public_4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_4(IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in _REFUSED_6):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
