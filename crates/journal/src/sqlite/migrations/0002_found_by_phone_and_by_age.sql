-- Version 2: people are found by the number they shared, and chats at a vendor by when they were last used.

CREATE INDEX people_phone ON people (journal, phone, user) WHERE phone IS NOT NULL;
CREATE INDEX links_recent ON links (journal, scope_id, at, ours) WHERE scope = 1;
