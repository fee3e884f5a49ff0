-- AlterTable
ALTER TABLE "audit_event" ADD COLUMN     "source_address" TEXT,
ADD COLUMN     "txid" BIGINT NOT NULL DEFAULT ((pg_current_xact_id())::text)::bigint;

-- AlterTable
ALTER TABLE "auth_strategy" ADD COLUMN     "deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "display_name" TEXT,
ADD COLUMN     "extra_config" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "resource_app_id" UUID;

-- AlterTable
ALTER TABLE "encryption_key" ADD COLUMN     "activated_at" TIMESTAMPTZ(3),
ADD COLUMN     "replaced_at" TIMESTAMPTZ(3),
ADD COLUMN     "retired_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "policy" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "provider" ADD COLUMN     "adoption_enabled" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "authority_host" TEXT,
ADD COLUMN     "deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "graph_base_url" TEXT;

-- AlterTable
ALTER TABLE "registration" ADD COLUMN     "adopted_at" TIMESTAMPTZ(3),
ADD COLUMN     "labels" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "owner" TEXT;

-- CreateTable
CREATE TABLE "provider_credential" (
    "id" UUID NOT NULL,
    "provider_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "seal_version" INTEGER,
    "seal_kid" TEXT,
    "seal_wrapped_key" BYTEA,
    "seal_ciphertext" BYTEA,
    "hint" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "verified_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "activated_at" TIMESTAMPTZ(3),
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "provider_credential_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "adoption_permit" (
    "id" UUID NOT NULL,
    "provider_id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "adoption_permit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_version" (
    "policy_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "rules" JSONB NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "policy_version_pkey" PRIMARY KEY ("policy_id","version")
);

-- CreateTable
CREATE TABLE "audit_seal" (
    "seq" BIGINT NOT NULL,
    "event_id" UUID NOT NULL,
    "mac" BYTEA NOT NULL,
    "pepper_id" TEXT NOT NULL,
    "sealed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_seal_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "replica" (
    "id" UUID NOT NULL,
    "version" TEXT NOT NULL,
    "kids" TEXT[],
    "active_kid" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "replica_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "provider_credential_provider_id_idx" ON "provider_credential"("provider_id");

-- CreateIndex
CREATE UNIQUE INDEX "adoption_permit_provider_id_client_id_key" ON "adoption_permit"("provider_id", "client_id");

-- CreateIndex
CREATE INDEX "audit_event_txid" ON "audit_event"("txid", "id");

-- CreateIndex
CREATE UNIQUE INDEX "audit_seal_event_id_key" ON "audit_seal"("event_id");

-- CreateIndex
CREATE INDEX "registration_by_state" ON "registration"("state", "provider_id");

-- AddForeignKey
ALTER TABLE "provider_credential" ADD CONSTRAINT "provider_credential_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "adoption_permit" ADD CONSTRAINT "adoption_permit_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_version" ADD CONSTRAINT "policy_version_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema language can't say -----------------------------------------------------------------

-- The broker proves itself by one credential at a time.
CREATE UNIQUE INDEX "provider_credential_one_active" ON "provider_credential"("provider_id") WHERE "state" = 'active';

ALTER TABLE "provider_credential" ADD CONSTRAINT "provider_credential_state_known" CHECK ("state" IN ('standby', 'active', 'removed'));
ALTER TABLE "provider_credential" ADD CONSTRAINT "provider_credential_kind_known" CHECK ("kind" IN ('secret', 'certificate', 'federated'));

-- A sealed value is whole or absent, and what was removed is no longer there.
ALTER TABLE "provider_credential" ADD CONSTRAINT "provider_credential_seal_whole" CHECK (
    ("seal_version" IS NULL) = ("seal_kid" IS NULL)
    AND ("seal_version" IS NULL) = ("seal_wrapped_key" IS NULL)
    AND ("seal_version" IS NULL) = ("seal_ciphertext" IS NULL)
    AND ("state" <> 'removed' OR "seal_ciphertext" IS NULL)
);

-- New secrets are sealed under one key.
CREATE UNIQUE INDEX "encryption_key_one_active" ON "encryption_key"((true)) WHERE "state" = 'active';
ALTER TABLE "encryption_key" ADD CONSTRAINT "encryption_key_state_known" CHECK ("state" IN ('known', 'active', 'retired'));

-- Rewrapping and retiring look for what a key has sealed.
CREATE INDEX "credential_seal_kid" ON "credential"("seal_kid", "id") WHERE "seal_kid" IS NOT NULL;

-- Metrics count the secrets that end soon.
CREATE INDEX "credential_ending" ON "credential"("expires_at") WHERE "state" = 'active';

-- The audit only grows: by trigger for everybody, by grant for all but superusers.
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "audit_event_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_event" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "audit_seal_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_seal" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
REVOKE UPDATE, DELETE, TRUNCATE ON "audit_event", "audit_seal" FROM PUBLIC;
REVOKE UPDATE, DELETE, TRUNCATE ON "audit_event", "audit_seal" FROM CURRENT_USER;
