-- Which clients have changed, for gateways that keep them in memory. Written by triggers, so that no writer is forgotten: whichever statement,
-- release or person changes a client, caches learn of it in the order of commits (a row is looked for from the oldest open transaction on).
CREATE TABLE "client_change" (
    "txid" BIGINT NOT NULL DEFAULT ((pg_current_xact_id())::text)::bigint,
    "client_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "client_change_pkey" PRIMARY KEY ("txid", "client_id")
);

CREATE INDEX "client_change_at" ON "client_change"("at");

-- A strategy may say that secrets of its clients are checked at Entra, each time.
ALTER TABLE "auth_strategy" ADD COLUMN "check_secrets_at_entra" BOOLEAN NOT NULL DEFAULT false;

-- The search path is that of now: whoever writes may have another, pg_restore has none.
CREATE FUNCTION "note_client_change"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO client_change (client_id) VALUES (OLD.client_id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION "note_change_of_registration"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.registration_id ELSE NEW.registration_id END;
BEGIN
  INSERT INTO client_change (client_id)
  SELECT client_id FROM registration WHERE id = changed AND client_id IS NOT NULL ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

-- What nobody can know yet can't have been kept: the making of a client writes nothing here.
CREATE TRIGGER "client_change" AFTER UPDATE ON "registration" FOR EACH ROW
WHEN (OLD."client_id" IS NOT NULL AND (
  OLD."state", OLD."client_id", OLD."strategy_id", OLD."provider_id", OLD."adopted_at", OLD."application_id", OLD."labels", OLD."metadata", OLD."konnect"
) IS DISTINCT FROM (
  NEW."state", NEW."client_id", NEW."strategy_id", NEW."provider_id", NEW."adopted_at", NEW."application_id", NEW."labels", NEW."metadata", NEW."konnect"
))
EXECUTE FUNCTION "note_client_change"();

CREATE TRIGGER "client_change" AFTER UPDATE ON "credential" FOR EACH ROW
WHEN (OLD."verifier" IS NOT NULL AND (OLD."state", OLD."verifier", OLD."expires_at") IS DISTINCT FROM (NEW."state", NEW."verifier", NEW."expires_at"))
EXECUTE FUNCTION "note_change_of_registration"();

CREATE TRIGGER "client_change" AFTER INSERT OR UPDATE OR DELETE ON "registration_event" FOR EACH ROW
EXECUTE FUNCTION "note_change_of_registration"();

-- The broker deletes none of these rows. Somebody may, by hand.
CREATE TRIGGER "client_change_by_removal" AFTER DELETE ON "registration" FOR EACH ROW WHEN (OLD."client_id" IS NOT NULL)
EXECUTE FUNCTION "note_client_change"();

CREATE TRIGGER "client_change_by_removal" AFTER DELETE ON "credential" FOR EACH ROW WHEN (OLD."verifier" IS NOT NULL)
EXECUTE FUNCTION "note_change_of_registration"();
