#!/bin/bash
# Checks whether a registry can serve a login: `ready ADDRESS PORT` asks its /readyz, prints
# the answer, and exits with 0 if it is 200. For health checks where there is no curl: the
# image of the Dockerfile has this script as `ready`.
set -u
exec 3<>"/dev/tcp/$1/$2" || exit 1
printf 'GET /readyz HTTP/1.0\r\nhost: %s:%s\r\n\r\n' "$1" "$2" >&3
answer=$(timeout 2 cat <&3)
printf '%s\n' "$answer" | tail -n 1
[[ $answer == "HTTP/1."?" 200 "* ]]
