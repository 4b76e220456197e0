CREATE SCHEMA compliance;

-- One version of a document may exist in several languages; they are published together.
CREATE TABLE compliance.document (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (
        kind IN ('terms', 'privacy', 'refunds', 'seller_agreement', 'content_guidelines')
    ),
    version integer NOT NULL CHECK (version > 0),
    locale text NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'published')),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    markdown text NOT NULL,
    html text NOT NULL,
    requires_acceptance boolean NOT NULL DEFAULT true,
    effective_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    published_at timestamptz,
    UNIQUE (kind, version, locale),
    CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CHECK ((state = 'published') = (effective_at IS NOT NULL))
);

CREATE FUNCTION compliance.keep_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'published' THEN
        RAISE EXCEPTION 'a published document is never changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER published_is_final BEFORE UPDATE OR DELETE ON compliance.document
FOR EACH ROW EXECUTE FUNCTION compliance.keep_published();

CREATE TABLE compliance.acceptance (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    document_id uuid NOT NULL REFERENCES compliance.document (id),
    accepted_at timestamptz NOT NULL,
    ip text,
    UNIQUE (user_id, kind, version)
);

CREATE TABLE compliance.consent (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('analytics', 'marketing_mail', 'personalisation')),
    granted boolean NOT NULL,
    recorded_at timestamptz NOT NULL,
    ip text
);
CREATE INDEX consent_by_subject ON compliance.consent (subject, purpose, id);

CREATE FUNCTION compliance.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE ON compliance.acceptance
FOR EACH ROW EXECUTE FUNCTION compliance.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE ON compliance.consent
FOR EACH ROW EXECUTE FUNCTION compliance.refuse_change();
