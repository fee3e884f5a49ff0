// AuditLog over Prisma, for what is not part of a registration's own commit.
import type { AuditLog } from '../registration/ports.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export function createAuditLog (prisma: PrismaClient): AuditLog {
  return {
    append: entries => guarded(async () => {
      await prisma.auditEvent.createMany({ data: entries.map(entry => ({ ...entry })), skipDuplicates: true })
    })
  }
}
