# One image for every service: its first argument says which (docker/command.mjs).
# Builds with BuildKit and with the classic builder.

# What decides about dependencies, so that a change of sources installs nothing anew.
FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages packages
RUN find packages -mindepth 2 -maxdepth 2 ! -name package.json -exec rm -rf {} +

# What a service needs at run time, and nothing else: no development tools, and not the standalone's database engine.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
      -w @push-reports/gateway -w @push-reports/consumer -w @push-reports/insights -w @push-reports/canary \
      -w @push-reports/doctor \
 && npm cache clean --force

FROM dependencies AS build
RUN npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root \
      -w @push-reports/gateway -w @push-reports/consumer -w @push-reports/insights -w @push-reports/canary \
      -w @push-reports/doctor
COPY tsconfig.base.json ./
COPY packages packages
RUN node_modules/.bin/tsc --build packages/gateway packages/consumer packages/insights packages/canary packages/doctor \
 && mkdir -p /out/packages \
 && for package in $(ls node_modules/@push-reports); do cp -r "packages/$package" /out/packages/; done \
 && find /out/packages -mindepth 2 -maxdepth 2 ! -name dist ! -name sql ! -name public ! -name package.json -exec rm -rf {} + \
 && find /out/packages \( -name '*.map' -o -name '*.d.ts' -o -name .tsbuildinfo \) -delete

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="push-reports" \
      org.opencontainers.image.description="Takes push-notification reports over HTTP, keeps them on Kafka and turns them into ClickHouse rows, exactly once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
# A running service installs nothing, so what could is gone. What a service keeps on disk is on a volume mounted at
# /var/lib/push-reports, which gets this folder's owner.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* /root/.npm \
 && mkdir -p /var/lib/push-reports && chown 1000:1000 /var/lib/push-reports
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /out/packages packages
COPY docker/command.mjs docker/health-check.mjs docker/
COPY LICENSE package.json ./
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8080 8081 8082 8083 8084 8090
STOPSIGNAL SIGTERM
# No shell takes part in anything: health check, entry point and command are lists of arguments.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "/app/docker/health-check.mjs"]
ENTRYPOINT ["node", "/app/docker/command.mjs"]
CMD ["gateway"]
