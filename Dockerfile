# An image of p2pchat-registry, which compose.yaml runs three of:
#   docker build -t p2pchat-registry .
# One alone, with its accounts in a volume. On the network of its host, because a user is
# where his connection comes from, and a bridge in between may hide that:
#   docker run -d --network host -v p2pchat:/data -e P2PCHAT_STORE=/data/accounts.sqlite3 \
#     p2pchat-registry

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p p2pchat-registry \
    && cp target/release/p2pchat-registry /usr/local/bin/

FROM debian:bookworm-slim
COPY --from=build /usr/local/bin/p2pchat-registry /usr/local/bin/
COPY ops/ready.sh /usr/local/bin/ready
# Nobody in particular, and the owner of the volume.
RUN install -d -o 10131 -g 10131 -m 700 /data
USER 10131:10131
VOLUME /data
EXPOSE 3131/tcp 5151/udp
STOPSIGNAL SIGTERM
ENTRYPOINT ["p2pchat-registry"]
