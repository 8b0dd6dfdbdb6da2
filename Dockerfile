# The sources are what runs: Node.js strips their types, and there is nothing to build.
FROM node:26.10.0-trixie-slim

WORKDIR /app
# SQLite sorts in files where it indexes much; on a read-only file system it finds no other place.
ENV NODE_ENV=production \
    DAYBOOK_HOST=0.0.0.0 \
    DAYBOOK_PORT=3000 \
    DAYBOOK_METRICS_PORT=9464 \
    DAYBOOK_DATA_DIR=/data \
    SQLITE_TMPDIR=/data

COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && npm cache clean --force
COPY LICENSE ./
COPY src ./src
COPY examples/storefront ./examples/storefront

# Run once, nine in ten of the modules that a server loads are compiled, and it starts with two thirds of the CPU time; what only
# one command loads, when it is typed, is compiled each time. Node.js looks for what its own user has compiled, and lets nobody
# else read it; here that user may read it, and not write it.
ENV NODE_COMPILE_CACHE=/app/.cache
RUN mkdir .cache && chown node:node .cache \
  && setpriv --reuid=node --regid=node --clear-groups node src/cli.ts config >/dev/null \
  && chown -R root:root .cache && chmod -R a+rX .cache

RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000 9464

# Every role answers on the port of its metrics.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.DAYBOOK_METRICS_PORT + '/health/live').then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]

# `docker run daybook keys list` and the like. Run it with --init: a process with the number 1 is not stopped by every signal.
ENTRYPOINT ["node", "src/cli.ts"]
CMD ["serve"]
