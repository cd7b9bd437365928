#!/bin/sh
# Brings what registries answer back to the balancer. ops/nginx.conf talks to them with the
# addresses of the clients; so what they send has a client's address as its destination, and
# has to be taken in here instead of going out. compose.yaml runs this when the balancer
# starts. It needs the capability NET_ADMIN, and changes the network of the container alone.
set -eu

# The registries: 127.0.1.1, 127.0.1.2, …
registries=127.0.1.0/24
table=131

ip rule del from "$registries" lookup "$table" 2>/dev/null || true
ip rule add from "$registries" lookup "$table"
ip route replace local 0.0.0.0/0 dev lo table "$table"
