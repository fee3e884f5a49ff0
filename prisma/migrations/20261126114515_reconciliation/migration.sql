-- CreateTable
CREATE TABLE "reconciliation" (
    "provider_id" UUID NOT NULL,
    "run_token" BIGINT NOT NULL DEFAULT 0,
    "running_until" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "looked_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "report" JSONB,
    "fault" TEXT,
    "dry_run" JSONB,
    "held_at" TIMESTAMPTZ(3),
    "held_for" UUID,
    "released_at" TIMESTAMPTZ(3),
    "adopted_cursor" UUID,

    CONSTRAINT "reconciliation_pkey" PRIMARY KEY ("provider_id")
);

-- CreateTable
CREATE TABLE "reconciliation_finding" (
    "id" UUID NOT NULL,
    "provider_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "client_id" UUID NOT NULL,
    "object_id" UUID NOT NULL,
    "registration_id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "appeared_at" TIMESTAMPTZ(3),
    "count" INTEGER NOT NULL DEFAULT 1,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "looks" INTEGER NOT NULL DEFAULT 1,
    "run_token" BIGINT NOT NULL,

    CONSTRAINT "reconciliation_finding_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "reconciliation_sight" (
    "provider_id" UUID NOT NULL,
    "run_token" BIGINT NOT NULL,
    "registration_id" UUID NOT NULL,

    CONSTRAINT "reconciliation_sight_pkey" PRIMARY KEY ("provider_id","run_token","registration_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "reconciliation_finding_provider_id_kind_client_id_key" ON "reconciliation_finding"("provider_id", "kind", "client_id");

-- AddForeignKey
ALTER TABLE "reconciliation" ADD CONSTRAINT "reconciliation_provider_id_fkey" FOREIGN KEY ("provider_id") REFERENCES "provider"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
