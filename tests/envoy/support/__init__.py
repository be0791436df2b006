"""Shared code of the tests: the Envoy under test, origins, clients and the services around them. No test is here."""
