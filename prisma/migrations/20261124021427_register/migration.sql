-- AlterTable
ALTER TABLE "caller" ADD COLUMN     "max_registrations" INTEGER,
ADD COLUMN     "policy_id" UUID;

-- AlterTable
ALTER TABLE "provider" ADD COLUMN     "usage_declared_at" TIMESTAMPTZ(3),
ADD COLUMN     "usage_reported_at" TIMESTAMPTZ(3),
ADD COLUMN     "usage_source" TEXT;

-- AlterTable
ALTER TABLE "registration" ADD COLUMN     "account_enabled" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "applied_enabled" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "disabled_at" TIMESTAMPTZ(3),
ADD COLUMN     "disabled_by" TEXT,
ADD COLUMN     "entra_settings" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "last_used_at" TIMESTAMPTZ(3),
ADD COLUMN     "management_digest" BYTEA,
ADD COLUMN     "policy_id" UUID,
ADD COLUMN     "previous_management_digest" BYTEA,
ADD COLUMN     "renewed_at" TIMESTAMPTZ(3),
ADD COLUMN     "seen_at" TIMESTAMPTZ(3),
ADD COLUMN     "sharing_key" TEXT;

-- CreateTable
CREATE TABLE "policy" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "rules" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "policy_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "scope_mapping" (
    "id" UUID NOT NULL,
    "provider_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "resource_app_id" UUID NOT NULL,
    "permission_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "granted" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "scope_mapping_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "policy_name_key" ON "policy"("name");

-- CreateIndex
CREATE UNIQUE INDEX "scope_mapping_provider_id_name_key" ON "scope_mapping"("provider_id", "name");

-- AddForeignKey
ALTER TABLE "scope_mapping" ADD CONSTRAINT "scope_mapping_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "caller" ADD CONSTRAINT "caller_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registration" ADD CONSTRAINT "registration_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema language can't say -----------------------------------------------------------------

-- Identical public registrations of one caller share one client, also when they come at once.
CREATE UNIQUE INDEX "registration_sharing" ON "registration"("caller_id", "sharing_key") WHERE "sharing_key" IS NOT NULL;

-- Quotas count the living clients of a policy, and what a caller has made.
CREATE INDEX "registration_of_policy" ON "registration"("policy_id", "state") WHERE "policy_id" IS NOT NULL;
CREATE INDEX "registration_of_caller" ON "registration"("caller_id", "state") WHERE "policy_id" IS NOT NULL;

-- Clients that expiry has disabled and will delete.
CREATE INDEX "registration_disabled" ON "registration"("disabled_at") WHERE "state" = 'disabled';

ALTER TABLE "scope_mapping" ADD CONSTRAINT "scope_mapping_type_known" CHECK ("type" IN ('Scope', 'Role'));
