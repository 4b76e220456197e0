-- The seal of an audit row covers a proof of the address instead of the address: its SHA-256 with a
-- random salt. The address and the salt can be forgotten together; the proof then says nothing.
ALTER TABLE platform.audit ADD COLUMN ip_salt bytea;
ALTER TABLE platform.audit ADD COLUMN ip_proof bytea;
CREATE INDEX audit_with_address ON platform.audit (at) WHERE ip_salt IS NOT NULL;

CREATE TRIGGER no_delete BEFORE DELETE ON platform.audit
FOR EACH ROW EXECUTE FUNCTION platform.refuse_change();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE ON platform.audit
FOR EACH ROW WHEN (
    old.ip_proof IS NULL
    OR new.ip IS NOT NULL
    OR new.ip_salt IS NOT NULL
    OR (to_jsonb(new) - 'ip' - 'ip_salt') IS DISTINCT FROM (to_jsonb(old) - 'ip' - 'ip_salt')
)
EXECUTE FUNCTION platform.refuse_change();

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE ON compliance.acceptance
FOR EACH ROW WHEN (
    new.ip IS NOT NULL OR (to_jsonb(new) - 'ip') IS DISTINCT FROM (to_jsonb(old) - 'ip')
)
EXECUTE FUNCTION compliance.refuse_change();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE ON compliance.consent
FOR EACH ROW WHEN (
    new.ip IS NOT NULL OR (to_jsonb(new) - 'ip') IS DISTINCT FROM (to_jsonb(old) - 'ip')
)
EXECUTE FUNCTION compliance.refuse_change();
CREATE INDEX acceptance_with_address ON compliance.acceptance (accepted_at) WHERE ip IS NOT NULL;
CREATE INDEX consent_with_address ON compliance.consent (recorded_at) WHERE ip IS NOT NULL;

CREATE INDEX session_with_address ON identity.session (created_at)
WHERE ip IS NOT NULL OR user_agent <> '';
