#!/bin/sh
# Routes the responses of the registries back to the balancer. ops/nginx.conf connects to the
# registries with the addresses of the clients. So a response has a client's address as its
# destination, and must be delivered here instead of leaving the machine. compose.yaml runs
# this when the balancer starts. It needs the capability NET_ADMIN, and changes only the
# network of the container.
set -eu

# The registries: 127.0.1.1, 127.0.1.2, …
registries=127.0.1.0/24
table=131

ip rule del from "$registries" lookup "$table" 2>/dev/null || true
ip rule add from "$registries" lookup "$table"
ip route replace local 0.0.0.0/0 dev lo table "$table"
