# The server, and the tools beside it: docs/container.md. No secret is needed to build it, and none is in it.
FROM python:3.13 AS build
# "never" takes seconds instead of minutes, and a slower server.
ARG MIGRATE02_COMPILE=always
COPY . /src
RUN python -m venv /opt/migrate02 \
 && PIP_CONSTRAINT=/src/constraints.txt /opt/migrate02/bin/pip install --no-cache-dir "/src[gateway]"

FROM python:3.13-slim
COPY --from=build /opt/migrate02 /opt/migrate02
ENV PATH=/opt/migrate02/bin:$PATH
RUN groupadd --system --gid 10001 etcd \
 && useradd --system --uid 10001 --gid etcd --no-create-home --home-dir /var/lib/etcd etcd \
 && install --directory --owner etcd --group etcd --mode 0700 /var/lib/etcd
USER 10001:10001
WORKDIR /var/lib/etcd
VOLUME /var/lib/etcd
EXPOSE 2379 2380
STOPSIGNAL SIGTERM
# /health is a write, which waits for the disk and a quorum. Where clients come by https, give a check of your own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:2379/health', timeout=4)"]
# No ENTRYPOINT: `docker run IMAGE migrate02 ...` and `docker run IMAGE etcdctl02 ...` run the tools.
CMD ["etcd02", "--data-dir", "/var/lib/etcd", \
     "--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", "http://127.0.0.1:2379"]
