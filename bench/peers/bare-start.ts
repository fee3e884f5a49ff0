// Start-up without a broker: Fastify, and our Prisma client connected. Built as the broker is, packages and all.
import fastify from 'fastify'
import { openDatabase } from '../../src/store/prisma-client.ts'

process.stdin.resume().on('end', () => process.exit())
const { prisma } = openDatabase({ connectionString: process.env['DATABASE_URL'] ?? '' })
await prisma.$connect()
await prisma.$queryRaw`SELECT 1`
const server = fastify({ logger: false })
server.get('/readyz', async () => ({ status: 'ready' }))
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
