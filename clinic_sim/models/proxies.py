"""Which proxy the environment names for a server: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as people expect.

Looked up once a model: the environment of a process does not change, and a request should not wait for a look-up.
"""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from clinic_sim.errors import ConfigError


def proxy_for(url: str) -> str | None:
    """The proxy by which a server is reached; None for none. This machine itself is never asked through one.

    Args:
        url: The server's address.

    Raises:
        ConfigError: the environment names a proxy of a kind that cannot be used, such as SOCKS.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    scheme = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(scheme)
    if not proxy or _is_loopback(host) or proxy_bypass(host) or _in_a_network(host, proxies.get("no", "")):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        named = urlsplit(proxy)
        usable = named.scheme in ("http", "https") and bool(named.hostname) and named.port != 0
    except ValueError:
        usable = False
    if not usable:  # not shown: there may be a password in it
        raise ConfigError(
            f"{url}: {scheme.upper()}_PROXY names no http proxy, and other kinds (SOCKS) are not spoken; "
            f"name an http proxy, add {host} to NO_PROXY to ask it directly, or use client=sdk"
        )
    return proxy


def without_credentials(proxy: str | None) -> tuple[str | None, str]:
    """The address of a proxy alone, and the header that says who asks it; an empty one where its URL does not say."""
    if proxy is None:
        return None, ""
    parts = urlsplit(proxy)
    if parts.username is None:
        return proxy, ""
    who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return address, f"Basic {b64encode(who.encode()).decode()}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _in_a_network(host: str, exceptions: str) -> bool:
    """The host is an address in one of the networks of NO_PROXY, which the standard library reads as names only."""
    address = _address(host)
    if address is None:
        return False
    for part in exceptions.split(","):
        try:
            network = ipaddress.ip_network(part.strip(), strict=False)
        except ValueError:
            continue
        if address in network:
            return True
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
