# The binary alone: docker build -t onset .
# As PID 1 it boots the units built into it; `docker run onset -- CMD` runs one command of an
# image that has CMD. Another image takes it with: COPY --from=onset /onset /usr/local/bin/onset
FROM debian:bookworm AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    g++ cmake ninja-build libinih-dev libcap-dev libseccomp-dev \
    nlohmann-json3-dev libfmt-dev \
 && rm -rf /var/lib/apt/lists/*
COPY . /src
# /image is the whole file system of the last stage: what a manager writes to, and the names by
# which runtimes and people look for it.
RUN cmake -G Ninja -B /build -S /src -DONSET_TESTS=OFF \
 && ninja -C /build onset \
 && mkdir -p /image/sbin /image/run /image/etc /image/var/log /image/proc /image/sys /image/dev \
 && mkdir -m 1777 /image/tmp \
 && strip -o /image/onset /build/onset \
 && ln -s ../onset /image/sbin/init

FROM scratch
COPY --from=build /image /
ENTRYPOINT ["/onset"]
