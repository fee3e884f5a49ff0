-- CreateTable
CREATE TABLE "installation" (
    "id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "provider" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "display_name" TEXT,
    "provider_type" TEXT NOT NULL DEFAULT 'azureAd',
    "origin" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "initial_client_id" TEXT NOT NULL,
    "labels" JSONB NOT NULL DEFAULT '{}',
    "writes_spent_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "provider_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth_strategy" (
    "id" UUID NOT NULL,
    "provider_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "konnect_auth_strategy_id" TEXT,
    "issuer" TEXT NOT NULL,
    "credential_claim" TEXT[],
    "scopes" TEXT[],
    "auth_methods" TEXT[],
    "audience" TEXT,
    "token_version" INTEGER NOT NULL,
    "labels" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "auth_strategy_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "caller" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "key_digest" BYTEA NOT NULL,
    "pepper_id" TEXT,
    "scopes" TEXT[],
    "provider_id" UUID,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "caller_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registration" (
    "id" UUID NOT NULL,
    "provider_id" UUID NOT NULL,
    "strategy_id" UUID NOT NULL,
    "caller_id" UUID NOT NULL,
    "surface" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "metadata" JSONB NOT NULL,
    "client_name" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "description" TEXT,
    "tags" TEXT[],
    "access_token_version" INTEGER NOT NULL,
    "web_redirect_uris" TEXT[],
    "public_redirect_uris" TEXT[],
    "spa_redirect_uris" TEXT[],
    "desired_revision" INTEGER NOT NULL DEFAULT 1,
    "applied_revision" INTEGER NOT NULL DEFAULT 0,
    "object_id" UUID,
    "client_id" UUID,
    "principal_id" UUID,
    "konnect" JSONB,
    "application_id" TEXT,
    "verification" BOOLEAN NOT NULL DEFAULT false,
    "delivery" TEXT NOT NULL DEFAULT 'pending',
    "open_fingerprint" TEXT,
    "redeliver_until" TIMESTAMPTZ(3),
    "lease_token" BIGINT NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_fault" TEXT,
    "stray_check_at" TIMESTAMPTZ(3),
    "sweeps" INTEGER NOT NULL DEFAULT 0,
    "purge_at" TIMESTAMPTZ(3),
    "turn_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "activated_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "registration_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credential" (
    "id" UUID NOT NULL,
    "registration_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "key_id" UUID,
    "hint" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "seal_version" INTEGER,
    "seal_kid" TEXT,
    "seal_wrapped_key" BYTEA,
    "seal_ciphertext" BYTEA,
    "verifier" BYTEA,
    "pepper_id" TEXT,
    "erase_at" TIMESTAMPTZ(3),
    "proved_at" TIMESTAMPTZ(3),
    "revoke_after" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credential_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registration_event" (
    "id" UUID NOT NULL,
    "registration_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "application_id" TEXT,
    "product_id" TEXT,
    "audience" TEXT,
    "digest" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "registration_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "registration_id" UUID,
    "provider_id" UUID,
    "request_id" TEXT,
    "detail" JSONB NOT NULL,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "encryption_key" (
    "kid" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "check_value" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "encryption_key_pkey" PRIMARY KEY ("kid")
);

-- CreateIndex
CREATE UNIQUE INDEX "provider_name_key" ON "provider"("name");

-- CreateIndex
CREATE UNIQUE INDEX "auth_strategy_provider_id_konnect_auth_strategy_id_key" ON "auth_strategy"("provider_id", "konnect_auth_strategy_id");

-- CreateIndex
CREATE UNIQUE INDEX "caller_key_digest_key" ON "caller"("key_digest");

-- CreateIndex
CREATE UNIQUE INDEX "registration_provider_id_client_id_key" ON "registration"("provider_id", "client_id");

-- CreateIndex
CREATE INDEX "credential_registration_id_idx" ON "credential"("registration_id");

-- CreateIndex
CREATE INDEX "registration_event_registration_id_received_at_idx" ON "registration_event"("registration_id", "received_at");

-- CreateIndex
CREATE INDEX "audit_event_registration_id_at_idx" ON "audit_event"("registration_id", "at");

-- CreateIndex
CREATE INDEX "audit_event_at_idx" ON "audit_event"("at");

-- AddForeignKey
ALTER TABLE "auth_strategy" ADD CONSTRAINT "auth_strategy_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "caller" ADD CONSTRAINT "caller_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registration" ADD CONSTRAINT "registration_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registration" ADD CONSTRAINT "registration_strategy_id_fkey" FOREIGN KEY ("strategy_id") REFERENCES "auth_strategy"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registration" ADD CONSTRAINT "registration_caller_id_fkey" FOREIGN KEY ("caller_id") REFERENCES "caller"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credential" ADD CONSTRAINT "credential_registration_id_fkey" FOREIGN KEY ("registration_id") REFERENCES "registration"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registration_event" ADD CONSTRAINT "registration_event_registration_id_fkey" FOREIGN KEY ("registration_id") REFERENCES "registration"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema language can't say -----------------------------------------------------------------

-- One installation per database.
CREATE UNIQUE INDEX "installation_single_row" ON "installation"((true));

-- Exactly one default strategy per provider.
CREATE UNIQUE INDEX "auth_strategy_one_default" ON "auth_strategy"("provider_id") WHERE "is_default";

-- A repeat of an open request finds its row, and two at once make one.
CREATE UNIQUE INDEX "registration_open_fingerprint" ON "registration"("caller_id", "open_fingerprint") WHERE "open_fingerprint" IS NOT NULL;

-- The rows are the queue.
CREATE INDEX "registration_due" ON "registration"("due_at") WHERE "due_at" IS NOT NULL;

-- Windows that will have to be closed.
CREATE INDEX "registration_window" ON "registration"("redeliver_until") WHERE "redeliver_until" IS NOT NULL;

-- Sealed secrets that will have to be erased.
CREATE INDEX "credential_erase" ON "credential"("erase_at") WHERE "erase_at" IS NOT NULL;

-- Lists, newest first, by cursor.
CREATE INDEX "registration_list" ON "registration"("created_at" DESC, "id" DESC);

-- A sealed value is whole or absent.
ALTER TABLE "credential" ADD CONSTRAINT "credential_seal_whole" CHECK (
    ("seal_version" IS NULL) = ("seal_kid" IS NULL)
    AND ("seal_version" IS NULL) = ("seal_wrapped_key" IS NULL)
    AND ("seal_version" IS NULL) = ("seal_ciphertext" IS NULL)
);

ALTER TABLE "registration" ADD CONSTRAINT "registration_state_known" CHECK ("state" IN (
    'reserved', 'application_created', 'principal_created', 'secret_issued', 'active', 'disabled', 'drifted',
    'deleting', 'deleted', 'undoing', 'undone'
));

ALTER TABLE "credential" ADD CONSTRAINT "credential_state_known" CHECK ("state" IN (
    'pending', 'issued', 'active', 'revoking', 'revoked', 'lost'
));
