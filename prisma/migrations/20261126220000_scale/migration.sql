-- What each run of the reconciler asks for and few rows are: without these it reads all registrations to find them.
CREATE INDEX "registration_adopted" ON "registration"("provider_id", "id") WHERE "adopted_at" IS NOT NULL;
CREATE INDEX "registration_verification" ON "registration"("provider_id", "id") WHERE "verification" AND "state" IN ('active', 'disabled');
