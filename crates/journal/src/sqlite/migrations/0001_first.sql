-- Version 1. Forward only; never edited after a release.
--
-- Every table but the settings begins with `journal`, the number of a bot's journal in this file, so that an
-- event's key fits into SQLite's own 64-bit row id (docs/decisions/0002-journal-table-layout.md).
-- `sum` is a checksum of the row, verified whenever it is read.

CREATE TABLE journals (
    journal       INTEGER PRIMARY KEY,  -- below 2^23
    bot           INTEGER NOT NULL UNIQUE,
    next_lane     INTEGER NOT NULL,
    -- How things stood after the last event that retention has passed.
    swept_seq     INTEGER NOT NULL,
    swept_virtual INTEGER NOT NULL,
    swept_bytes   INTEGER NOT NULL,
    sum           INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    position    INTEGER PRIMARY KEY,    -- journal << 40 | seq
    kind        INTEGER NOT NULL,
    topic       INTEGER NOT NULL,
    family      INTEGER NOT NULL,
    flags       INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    at          INTEGER NOT NULL,
    appended_at INTEGER NOT NULL,
    lifetime    INTEGER,                -- seconds; NULL: as the backlog
    source      INTEGER,
    upstream    INTEGER,
    cause       INTEGER,
    owner       INTEGER,
    -- How things stand after this event: the last update_id given to apps (0: none), the bytes of all bodies.
    virtual_id  INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    body_sum    INTEGER NOT NULL,
    sum         INTEGER NOT NULL,       -- of everything but the body
    body        BLOB NOT NULL           -- last, so that it is read only when it is wanted
) STRICT;
-- Both end in `position`, as every index of a table with a row id does.
CREATE INDEX events_conversation ON events (conversation);
CREATE INDEX events_upstream ON events (upstream) WHERE upstream IS NOT NULL;

CREATE TABLE lanes (
    journal      INTEGER NOT NULL REFERENCES journals,
    lane         INTEGER NOT NULL,
    name         TEXT NOT NULL,
    kind         INTEGER NOT NULL,
    acked        INTEGER NOT NULL,
    paused       INTEGER,               -- why; NULL: running
    paused_since INTEGER,
    paused_until INTEGER,
    paused_detail TEXT,
    fault_at     INTEGER,
    fault_text   TEXT,
    skipped      INTEGER NOT NULL,
    expired      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    sum          INTEGER NOT NULL,
    PRIMARY KEY (journal, lane),
    UNIQUE (journal, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE filters (
    journal  INTEGER NOT NULL,
    lane     INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    filter   TEXT NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (journal, lane, from_seq),
    FOREIGN KEY (journal, lane) REFERENCES lanes ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE held (
    journal      INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    family       INTEGER,
    state        INTEGER NOT NULL,
    tries        INTEGER NOT NULL,
    attempts     TEXT NOT NULL,
    next_at      INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    sum          INTEGER NOT NULL,
    PRIMARY KEY (journal, lane, seq),
    FOREIGN KEY (journal, lane) REFERENCES lanes ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX held_blocking ON held (journal, lane, conversation, family, seq) WHERE state IN (0, 1);
CREATE INDEX held_state ON held (journal, lane, state, seq);
CREATE INDEX held_seq ON held (journal, seq);

CREATE TABLE lost (
    journal  INTEGER NOT NULL,
    lane     INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq   INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (journal, lane, from_seq),
    FOREIGN KEY (journal, lane) REFERENCES lanes ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
    journal    INTEGER NOT NULL REFERENCES journals,
    scope      INTEGER NOT NULL,        -- 0: lane, 1: connection, 2: bot
    scope_id   INTEGER NOT NULL,
    ours       TEXT NOT NULL,
    theirs     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    sum        INTEGER NOT NULL,
    PRIMARY KEY (journal, scope, scope_id, ours)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_theirs ON links (journal, scope, scope_id, theirs, at, ours);
CREATE INDEX links_at ON links (journal, at);

CREATE TABLE people (
    journal      INTEGER NOT NULL REFERENCES journals,
    user         INTEGER NOT NULL,
    phone        TEXT,
    first_start  TEXT,
    first_at     INTEGER,
    latest_start TEXT,
    latest_at    INTEGER,
    blocked_since INTEGER,
    sum          INTEGER NOT NULL,
    PRIMARY KEY (journal, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    journal    INTEGER NOT NULL REFERENCES journals,
    user       INTEGER NOT NULL,
    connection INTEGER NOT NULL,
    contact    TEXT NOT NULL,
    sum        INTEGER NOT NULL,
    PRIMARY KEY (journal, user, connection)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_contact ON contacts (journal, connection, contact, user);

CREATE TABLE hand_offs (
    journal      INTEGER NOT NULL REFERENCES journals,
    conversation TEXT NOT NULL,
    until        INTEGER NOT NULL,
    sum          INTEGER NOT NULL,
    PRIMARY KEY (journal, conversation)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    shard  INTEGER NOT NULL,
    bot    INTEGER NOT NULL,
    source TEXT NOT NULL,
    at     INTEGER NOT NULL,
    body   BLOB NOT NULL,
    sum    INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_shard ON inbox (shard);

CREATE TABLE leases (
    shard   INTEGER PRIMARY KEY,
    fence   INTEGER NOT NULL,           -- the last one given, for ever
    holder  TEXT,                       -- NULL: nobody
    ends_at INTEGER NOT NULL,
    sum     INTEGER NOT NULL
) STRICT;

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bots (
    bot      INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    sum      INTEGER NOT NULL
) STRICT;

CREATE TABLE connections (
    connection INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    vendor     TEXT NOT NULL,
    document   TEXT NOT NULL,
    sum        INTEGER NOT NULL
) STRICT;

CREATE TABLE apps (
    bot      INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    name     TEXT NOT NULL,
    lane     INTEGER,
    document TEXT NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (bot, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE routes (
    bot        INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    name       TEXT NOT NULL,
    lane       INTEGER,
    connection INTEGER REFERENCES connections,
    document   TEXT NOT NULL,
    sum        INTEGER NOT NULL,
    PRIMARY KEY (bot, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX routes_connection ON routes (connection) WHERE connection IS NOT NULL;

CREATE TABLE secrets (
    owner  TEXT NOT NULL,               -- as SecretOwner writes itself
    name   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    sum    INTEGER NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;
