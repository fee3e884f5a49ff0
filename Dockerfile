# The DCR Broker's image. `npm run docker:check` follows these steps without a Docker daemon.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json prisma.config.ts ./
COPY prisma ./prisma
COPY scripts/build.ts scripts/few-files.ts ./scripts/
COPY src ./src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Prisma's command line is an optional peer of its client: without the second flag it would come along, with its engines.
RUN npm ci --omit=dev --omit=optional

FROM node:24-slim
ENV NODE_ENV=production OPERATIONS_HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY prisma/migrations ./prisma/migrations
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Everything above belongs to root: the process can read its program and change nothing of it.
USER node
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPERATIONS_PORT || 3001}/healthz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
