PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY) STRICT;
INSERT INTO schema_version VALUES(1);
INSERT INTO schema_version VALUES(2);
CREATE TABLE user (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL UNIQUE,
    name          TEXT,
    roles         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO user VALUES('HhdEzMoG9ES3k31NKp6y_A','grace@example.test','grace@example.test','Grace','["admin"]','$argon2id$v=19$m=64,t=1,p=1$JCoeMolitPXfGLgAMM4v4w$+ljNfnvUE8KvbigNjk05jFGJ3vNCV4CTUsvS2Sidwo8',1803456010000);
INSERT INTO user VALUES('kD7O1tHLpPwBquc5KgRETA','ada@example.test','ada@example.test','Ada','["staff"]','$argon2id$v=19$m=64,t=1,p=1$Wt2woY7DMNuax35Q4piUXg$Dlk5a7eZy8eeew4LqqhGnIE8tvZyzd2rfvdBlJ/j0Tc',1803456000000);
CREATE TABLE session (
    id               BLOB    NOT NULL PRIMARY KEY,
    user_id          TEXT    NOT NULL,
    delivery         TEXT    NOT NULL,
    persistence      TEXT    NOT NULL,
    methods          TEXT    NOT NULL,
    authenticated_at INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    rotated_at       INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    rotation_key     BLOB,
    idle_ttl_ms      INTEGER NOT NULL,
    idle_expires_at  INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    ended_at         INTEGER,
    end_reason       TEXT,
    ip               TEXT,
    user_agent       TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;
INSERT INTO session VALUES(X'f93b6bee8f89ce20e3e7706cddcb2e4e','kD7O1tHLpPwBquc5KgRETA','body','remembered','["pwd"]',1803456000000,1803456000000,1803456020000,1,X'bdc9f78eea896cc576567a8bf9b756e3',2592000000,1806048020000,1811232000000,NULL,NULL,'192.0.2.1','Browser/1');
INSERT INTO session VALUES(X'd2591fa68e43e7887376624aa41590fc','HhdEzMoG9ES3k31NKp6y_A','both','transient','["pwd"]',1803456010000,1803456010000,1803456010000,0,NULL,43200000,1803499210000,1803542410000,1803456030000,'revoked','192.0.2.1','Browser/1');
CREATE TABLE revocation (
    seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind    TEXT    NOT NULL,
    subject ANY     NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
INSERT INTO revocation VALUES(1,'session',X'd2591fa68e43e7887376624aa41590fc',1803456030000);
INSERT INTO revocation VALUES(2,'user','HhdEzMoG9ES3k31NKp6y_A',1803456030000);
INSERT INTO revocation VALUES(3,'token','t1',1803456030000);
CREATE TABLE signing_key (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kid        TEXT    NOT NULL UNIQUE,
    algorithm  TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
INSERT INTO signing_key VALUES(1,'LzMM0rbi9r0S','EdDSA',X'a68f8e1524d54a16b7ed5395644cefe15e48b4b36176ddfe17b81596a4e0e239706158ed3cb32db847d78e04ca0ecd576121557abea5741b3783261d',1803456000000,1803456000000,NULL);
INSERT INTO signing_key VALUES(2,'4SR58aHJsiMr','EdDSA',X'2a81747725861e9069bbc6dc0ad7c3a2f7d27d4ccfc62ee579981c35c31eb7e394def9822be776b28181e5624116136aa71161580f0a4f8d26ab8f7b',1803456030000,1803459630000,NULL);
CREATE TABLE root_key (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BLOB    NOT NULL
) STRICT;
INSERT INTO root_key VALUES(1,X'd5e90abd1b63524cd2afc3f109c403b4bc9c2fabe031e9ed01673cb7b7c068ef73f6f3ab44e7ad2bfd6147c7b7490fa39805c7143d1c6d0ff9712853');
CREATE TABLE ticket (
    hash       BLOB    NOT NULL PRIMARY KEY,
    session_id BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO ticket VALUES(X'0c36cec46c407e1d736a9eb95ede181135da13efde661bbf7a16a36677238ccc',X'f93b6bee8f89ce20e3e7706cddcb2e4e',1803456060000);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('revocation',3);
INSERT INTO sqlite_sequence VALUES('signing_key',2);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX ticket_by_expiry ON ticket (expires_at);
COMMIT;
