# One image for every service, the gateway, the command line and the replay: `docker run driftloop serving`.
ARG NODE=node:24.21.0-bookworm-slim

# What npm needs to know, by itself: as long as it stays, the layers of the dependencies do.
FROM ${NODE} AS manifests
WORKDIR /all
COPY . .
RUN mkdir /manifests && find . \( -name package.json -o -name package-lock.json -o -name .npmrc -o -path '*/bin/*.js' \) -print0 \
  | tar --null -cf - -T - | tar -xf - -C /manifests

FROM ${NODE} AS built
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY . .
RUN node node_modules/typescript/bin/tsc -b deploy/embedded deploy/program \
  && find . -path ./node_modules -prune -o -path '*/dist/*' \( -name '*.d.ts' -o -name '*.map' -o -name '.tsbuildinfo' \) -print0 | xargs -0 rm -f \
  && mkdir /program \
  && find . -path '*/node_modules' -prune -o \( -path '*/dist/*' -o -path './*/package.json' -o -path './package.json' -o -path '*/bin/*' \
  -o -path './deploy/container/*' -o -path './examples/*/data/*' -o -path './examples/*/*.yaml' \) -type f -print0 \
  | tar --null -cf - -T - | tar -xf - -C /program

# The services' own dependencies, without the builds of onnxruntime for other machines.
FROM ${NODE} AS dependencies
WORKDIR /app
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
  && find node_modules/onnxruntime-node/bin -mindepth 2 -maxdepth 2 ! -name linux -exec rm -rf {} + \
  && find node_modules/onnxruntime-node/bin/*/linux -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -rf {} + \
  && find . -path '*/node_modules/*' -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM ${NODE}
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=built /program ./
# What a container keeps (its cache of objects, a replay's memory) and the secrets that it shares with the house.
# Each server's secrets are in a folder of its own, which the container that makes them alone sees whole.
RUN mkdir -p -m 700 /var/lib/driftloop /run/driftloop \
  && mkdir -p /run/servers/kafka /run/servers/mongo /run/servers/minio /run/servers/grafana \
  && chown -R node:node /var/lib/driftloop /run/driftloop /run/servers
ENV NODE_ENV=production \
    NODE_OPTIONS="--disable-warning=ExperimentalWarning --disable-warning=TimeoutNegativeWarning" \
    PATH=/app/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DRIFTLOOP_MODE=cluster \
    DRIFTLOOP_HOME=/var/lib/driftloop \
    DRIFTLOOP_HOST=0.0.0.0
USER node
VOLUME /var/lib/driftloop
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["node", "deploy/container/health.mjs"]
ENTRYPOINT ["node", "deploy/container/service.mjs"]
