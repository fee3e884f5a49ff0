// Start-up without a broker: Fastify, and the compiled Prisma client of ours connected. JavaScript, so that nothing has to be compiled at
// its start; `npm run bench` builds dist/ first.
import fastify from 'fastify'
import { openDatabase } from '../../dist/src/store/prisma-client.js'

process.stdin.resume().on('end', () => process.exit())
const { prisma } = openDatabase({ connectionString: process.env['DATABASE_URL'] ?? '' })
await prisma.$connect()
await prisma.$queryRaw`SELECT 1`
const server = fastify({ logger: false })
server.get('/readyz', async () => ({ status: 'ready' }))
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
