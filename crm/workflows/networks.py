"""Which addresses a webhook may be sent to: those of the public internet, and those that an operator has opened.

The lists are IANA's registries of special-purpose addresses for IPv4 and IPv6, with multicast; Python's own is_global
knows another part of them in each of its releases.
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
# Of IPv6 only what is given out as global unicast is called at all; these are within it.
UNICAST = ipaddress.IPv6Network("2000::/3")
CLOSED_UNICAST = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def may_call(address: Address, standard: bool = True) -> bool:
    """Whether a connection may be made there: to the public internet by https (`standard`), or where it was opened."""
    inner = _unwrapped(address)
    if any(inner in network for network in settings.WEBHOOK_NETWORKS if network.version == inner.version):
        return True
    return standard and _is_public(inner)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in CLOSED)
    return address in UNICAST and not any(address in network for network in CLOSED_UNICAST)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside one of IPv6 that only carries it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64 or int(address) < 2**32:  # ::127.0.0.1
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
