-- Where a month begins among a seller's postings, and the balance carried into it: what is before
-- need not be added up again. Rows only follow from the postings, and may be dropped and made anew.
CREATE TABLE ledger.carried (
    account_id uuid NOT NULL REFERENCES ledger.account (id),
    month timestamptz NOT NULL,
    posting_id bigint NOT NULL,
    balance bigint NOT NULL,
    PRIMARY KEY (account_id, month)
);
