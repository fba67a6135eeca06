PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY) STRICT;
INSERT INTO schema_version VALUES(1);
CREATE TABLE user (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL UNIQUE,
    name          TEXT,
    roles         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO user VALUES('RofpZWjE4hCcRCpcPJfXFA','grace@example.test','grace@example.test','Grace','["staff"]','$argon2id$v=19$m=64,t=1,p=1$zY9U0Q798X6sBvM+YxCEHw$qjqjUwk36l9bECxWzFx89DJTmnRNK+Tl4LngVG1Uz1A',1800000000000);
INSERT INTO user VALUES('qD1-Nd4YF0mWZ2F0jlxDyw','ada@example.test','ada@example.test','Ada','["staff"]','$argon2id$v=19$m=64,t=1,p=1$YU9WAXfcdWf+i88UTdT8mg$Qqs/5da+VbyEmk+yu7uAYwDB6nF2B8J8Syga26rxaiQ',1800000000000);
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
INSERT INTO session VALUES(X'6d2c075a68e2ac651ce0dc482f6f6170','qD1-Nd4YF0mWZ2F0jlxDyw','split','remembered','["pwd"]',1803456010000,1803456010000,1803456040000,1,X'095160c9eb1a6554b8d60aca7aa9554f',2592000000,1806048040000,1811232010000,NULL,NULL,'192.0.2.1','Browser/1');
INSERT INTO session VALUES(X'862c7e6049c7a0dc07291e88403c4bb5','qD1-Nd4YF0mWZ2F0jlxDyw','split','remembered','["pwd"]',1803456020000,1803456020000,1803456020000,0,NULL,2592000000,1806048020000,1811232020000,1803456040000,'signed_out','192.0.2.1','Browser/1');
INSERT INTO session VALUES(X'733037213230d9e47ad5ed610410a6e9','RofpZWjE4hCcRCpcPJfXFA','split','remembered','["pwd"]',1803456030000,1803456030000,1803456030000,0,NULL,2592000000,1806048030000,1811232030000,1803456050000,'revoked','192.0.2.1','Browser/1');
INSERT INTO session VALUES(X'af7acd9a859c679bcc94c6c89e5fcd27','RofpZWjE4hCcRCpcPJfXFA','split','remembered','["pwd"]',1803456040000,1803456040000,1803456040000,0,NULL,2592000000,1806048040000,1811232040000,1803456050000,'revoked','192.0.2.1','Browser/1');
CREATE TABLE ended_session (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    session_id BLOB    NOT NULL,
    ended_at   INTEGER NOT NULL
) STRICT;
INSERT INTO ended_session VALUES(2,X'862c7e6049c7a0dc07291e88403c4bb5',1803456040000);
INSERT INTO ended_session VALUES(3,X'733037213230d9e47ad5ed610410a6e9',1803456050000);
INSERT INTO ended_session VALUES(4,X'af7acd9a859c679bcc94c6c89e5fcd27',1803456050000);
CREATE TABLE signing_key (
    kid        TEXT    NOT NULL PRIMARY KEY,
    algorithm  TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO signing_key VALUES('wVwCiewtCpFn','EdDSA',X'a53c36d76cec99e075852712167c45a6d5bd8a2494059af7276decc9ece0660adadc7e03c21ce4c0cd4560e984f095b8004f3de9443be158f0f276fe',1800000000000);
INSERT INTO signing_key VALUES('zlaXHN41WJdC','ES256',X'2f537eddbfbc7b9864f6e7ff335b31d6d500833b61caa5ff8542dce054645af6f7c12ce39d812de65ecdc2972c0129dc3af58f801c80438779baaeab1bc23237a6ae4dd6348e05a50aad60ec70950be2687eb004902142153ae9ece9ca5fbfefed6c77c40b7844d824dcbfddd148da03add143b67840cd2a3593dad1f193ca0e20911df18bc66445c62cf54b55eedc378fca566097cb9593d1567b157898bfefcbcb44dd7c48',1803456060000);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('ended_session',4);
CREATE INDEX session_by_user ON session (user_id);
COMMIT;
