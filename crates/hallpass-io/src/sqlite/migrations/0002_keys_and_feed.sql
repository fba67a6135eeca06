-- Everything that is revoked, in one order. `subject` is the id of a session (a blob) or of a user,
-- the claim `jti` of a token, or the `kid` of a key (texts).
-- AUTOINCREMENT: a number that was purged never comes back, so no reader of the feed misses one.
CREATE TABLE revocation (
    seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind    TEXT    NOT NULL,
    subject ANY     NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

-- The numbers go on where they were, also when every entry was purged.
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'revocation', seq FROM sqlite_sequence WHERE name = 'ended_session';
INSERT INTO revocation (seq, kind, subject, at)
    SELECT seq, 'session', session_id, ended_at FROM ended_session ORDER BY seq;
DROP TABLE ended_session;

-- `seq` is the order in which keys were added. AUTOINCREMENT: a key that is forgotten leaves its
-- place to none.
ALTER TABLE signing_key RENAME TO signing_key_before;
CREATE TABLE signing_key (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kid        TEXT    NOT NULL UNIQUE,
    algorithm  TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
-- A key that is there has signed since it was made.
INSERT INTO signing_key (kid, algorithm, sealed, created_at, signs_from)
    SELECT kid, algorithm, sealed, created_at, created_at FROM signing_key_before ORDER BY rowid;
DROP TABLE signing_key_before;

-- One row at most.
CREATE TABLE root_key (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BLOB    NOT NULL
) STRICT;

CREATE TABLE ticket (
    hash       BLOB    NOT NULL PRIMARY KEY,
    session_id BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A purge finds what expired.
CREATE INDEX ticket_by_expiry ON ticket (expires_at);
