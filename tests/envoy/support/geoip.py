"""Envoy's `geoip` filter with generated MaxMind databases, and the filter that removes client-sent location headers."""

from mmdb_writer import MMDBWriter
from netaddr import IPSet

HEADERS = {"country": "x-geo-country", "region": "x-geo-region", "anon": "x-geo-anonymous-proxy"}

# Addresses for documentation (RFC 5737, RFC 3849), and two that a client here really has.
PLACES = {
    "203.0.113.0/24": ("US", "CA"),
    "198.51.100.0/24": ("DE", "BY"),
    "2001:db8:1::/48": ("FR", "IDF"),
    "2001:db8:2::/48": ("US", "NY"),
    "127.0.0.1/32": ("US", "CA"),
    "127.0.0.2/32": ("FR", "IDF"),
}
ANONYMOUS = {"203.0.113.128/25": "is_public_proxy", "2001:db8:2:80::/64": "is_anonymous_vpn", "127.0.0.3/32": "is_tor_exit_node"}


def database(path, kind, networks):
    """Writes a database of network → record."""
    writer = MMDBWriter(6, kind, languages=["en"], ipv4_compatible=True, description="made by a test")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return str(path)


def databases(directory):
    """The paths of a city and an anonymous-IP database."""
    places = {network: {"country": {"iso_code": country}, "subdivisions": [{"iso_code": region}]}
              for network, (country, region) in PLACES.items()}
    hidden = {network: {"is_anonymous": True, kind: True} for network, kind in ANONYMOUS.items()}
    return (database(directory / "city.mmdb", "GeoIP2-City", places),
            database(directory / "anonymous.mmdb", "GeoIP2-Anonymous-IP", hidden))


def strip():
    """The filter that removes clients' own copies of the headers."""
    return {
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [{"remove": name} for name in (*HEADERS.values(), "x-geo-dma", "x-geo-transparent-proxy")]},
        },
    }


def lookup(directory):
    """The filter that sets the headers with a client's location."""
    city, anonymous = databases(directory)
    return {
        "name": "envoy.filters.http.geoip",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.geoip.v3.Geoip",
            "provider": {
                "name": "envoy.geoip_providers.maxmind",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.geoip_providers.maxmind.v3.MaxMindConfig",
                    "common_provider_config": {"geo_headers_to_add": HEADERS},
                    "city_db_path": city,
                    "anon_db_path": anonymous,
                },
            },
        },
    }
