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
      -w @push-reports/gateway -w @push-reports/consumer \
 && npm cache clean --force

FROM dependencies AS build
RUN npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root \
      -w @push-reports/gateway -w @push-reports/consumer
COPY tsconfig.base.json ./
COPY packages packages
RUN node_modules/.bin/tsc --build packages/gateway packages/consumer \
 && mkdir -p /out/packages \
 && for package in $(ls node_modules/@push-reports); do cp -r "packages/$package" /out/packages/; done \
 && find /out/packages -mindepth 2 -maxdepth 2 ! -name dist ! -name sql ! -name package.json -exec rm -rf {} + \
 && find /out/packages \( -name '*.map' -o -name '*.d.ts' -o -name .tsbuildinfo \) -delete

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="push-reports" \
      org.opencontainers.image.description="Takes push-notification reports over HTTP, keeps them on Kafka and turns them into ClickHouse rows, exactly once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /out/packages packages
COPY docker/command.mjs docker/health-check.mjs docker/
COPY LICENSE package.json ./
# For what a service keeps on disk; a volume that is mounted here gets this owner.
RUN mkdir -p /var/lib/push-reports && chown 1000:1000 /var/lib/push-reports
USER 1000:1000
EXPOSE 8080 8081 8082
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "/app/docker/health-check.mjs"]
ENTRYPOINT ["node", "/app/docker/command.mjs"]
CMD ["gateway"]
