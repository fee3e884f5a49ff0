-- CreateTable
CREATE TABLE "idempotency_record" (
    "id" UUID NOT NULL,
    "caller_id" UUID NOT NULL,
    "operation" TEXT NOT NULL,
    "key_digest" BYTEA NOT NULL,
    "payload_digest" BYTEA NOT NULL,
    "pepper_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "lease_until" TIMESTAMPTZ(3),
    "resource_id" UUID,
    "resource_state" TEXT,
    "status" INTEGER,
    "seal_version" INTEGER,
    "seal_kid" TEXT,
    "seal_wrapped_key" BYTEA,
    "seal_ciphertext" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_record_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "idempotency_record_resource_id_idx" ON "idempotency_record"("resource_id");

-- CreateIndex
CREATE INDEX "idempotency_record_expires_at_idx" ON "idempotency_record"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "idempotency_record_caller_id_operation_key_digest_key" ON "idempotency_record"("caller_id", "operation", "key_digest");

-- What Prisma's schema language can't say -----------------------------------------------------------------

ALTER TABLE "idempotency_record" ADD CONSTRAINT "idempotency_record_state_known" CHECK ("state" IN ('in_flight', 'answered', 'void'));

-- A sealed answer is whole or absent, and only what can be given again is kept.
ALTER TABLE "idempotency_record" ADD CONSTRAINT "idempotency_record_seal_whole" CHECK (
    ("state" = 'answered') = ("seal_ciphertext" IS NOT NULL)
    AND ("seal_version" IS NULL) = ("seal_ciphertext" IS NULL)
    AND ("seal_kid" IS NULL) = ("seal_ciphertext" IS NULL)
    AND ("seal_wrapped_key" IS NULL) = ("seal_ciphertext" IS NULL)
    AND ("status" IS NOT NULL OR "state" <> 'answered')
    AND ("lease_until" IS NOT NULL OR "state" <> 'in_flight')
);

-- Rewrapping and retiring look for what a key has sealed.
CREATE INDEX "idempotency_record_seal_kid" ON "idempotency_record"("seal_kid", "id") WHERE "seal_kid" IS NOT NULL;
