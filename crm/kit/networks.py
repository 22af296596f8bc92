"""Addresses that the server may call for an admin: the public internet, plus networks opened by an operator.

The lists are IANA's special-purpose registries for IPv4 and IPv6, with multicast; Python's is_global differs between
its releases.
"""

import ipaddress

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CLOSED = tuple(
    map(
        ipaddress.IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
# Only global unicast IPv6 is called at all; these are exceptions within it.
UNICAST = ipaddress.IPv6Network("2000::/3")
CLOSED_UNICAST = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def may_call(address: Address, standard: bool = True) -> bool:
    """Return whether to connect: to the public internet by https (`standard`), or to opened networks."""
    inner = _unwrapped(address)
    if any(inner in network for network in settings.WEBHOOK_NETWORKS if network.version == inner.version):
        return True
    return standard and _is_public(inner)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in CLOSED)
    return address in UNICAST and not any(address in network for network in CLOSED_UNICAST)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address embedded in an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64 or int(address) < 2**32:  # ::127.0.0.1
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
