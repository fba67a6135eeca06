-- Times are milliseconds since 1970, `_ms` is a span of them. Names of enums are the names the core gives them.

CREATE TABLE user (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL UNIQUE,
    name          TEXT,
    roles         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per session, changed in place: the table does not grow with rotations.
-- `user_id` refers to no table: an app may bring its own users.
-- With a rowid, sessions that were opened together lie together, and the tree stays flat: without
-- one, whole rows would stand in its inner pages, in the order of ids, which are random.
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

-- The one index beside the key. A rotation changes no column of it.
CREATE INDEX session_by_user ON session (user_id);

-- AUTOINCREMENT: a number that was purged never comes back, so no reader of the feed misses one.
CREATE TABLE ended_session (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    session_id BLOB    NOT NULL,
    ended_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_key (
    kid        TEXT    NOT NULL PRIMARY KEY,
    algorithm  TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
